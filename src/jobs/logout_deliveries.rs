use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::gauge;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::Shared;
use crate::logout::{Deliverer, Outcome, TIME_LIMIT};
use crate::model::ClientId;
use crate::store::{Store, StoreError};
use crate::telemetry::metrics::{LOGOUT_DELIVERIES_OLDEST, LOGOUT_DELIVERIES_WAITING};
use crate::time::Timestamp;

/// Logout tokens that a process sends at a time.
const MOST_AT_A_TIME: usize = 16;

/// Of these to one app: one that does not answer leaves the others room.
const MOST_TO_ONE_APP: usize = 4;

/// Of these to all the apps together that were slow to answer, or did not: however many they are, and however much waits
/// for them, the others have room.
const MOST_TO_SLOW_APPS: usize = 8;

/// An app is slow from here on.
const SLOW: Duration = Duration::from_secs(1);

/// A claim lasts longer than any attempt, what is written about it included.
const LEASE: Duration = Duration::from_secs(6 * TIME_LIMIT.as_secs());

/// How long what nothing more is done about stays for operators to see.
const RETENTION: Duration = Duration::from_secs(7 * 86_400);

/// Sends logout tokens as they become due (OpenID Connect Back-Channel Logout §2.5). Every process does, each the next that nobody else has claimed.
pub struct Deliveries {
    store: Store,
    shared: Arc<Shared>,
    under_way: JoinSet<Attempt>,
    /// How many of them go to each app.
    by_client: HashMap<ClientId, usize>,
    /// The apps whose last answer was slow, or none.
    slow: HashSet<ClientId>,
}

/// An attempt that has ended.
struct Attempt {
    client: ClientId,
    /// Whether the app took it, and that soon.
    was_easy: bool,
}

impl Deliveries {
    /// With nothing under way yet.
    pub fn new(store: Store, shared: Arc<Shared>) -> Self {
        Self { store, shared, under_way: JoinSet::new(), by_client: HashMap::new(), slow: HashSet::new() }
    }

    /// Begins what is due whenever the heartbeat has seen something, or an attempt has ended. At the end of the process
    /// it waits for what is under way, so that it need not be sent again.
    pub async fn run(mut self, due: Arc<Notify>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = due.notified() => {}
                Some(ended) = self.under_way.join_next() => self.ended(ended),
            }
            if let Err(error) = self.begin_due().await {
                // The heartbeat tells of a database that is away, and wakes this again when it is back.
                tracing::debug!(error = &error as &dyn std::error::Error, "no logout token could be claimed");
            }
        }
        while self.under_way.join_next().await.is_some() {}
    }

    async fn begin_due(&mut self) -> Result<(), StoreError> {
        while self.under_way.len() < MOST_AT_A_TIME {
            let Some(delivery) = self.store.claim_logout_delivery(&self.busy(), LEASE).await? else { break };
            let client = delivery.client_id.clone();
            *self.by_client.entry(client.clone()).or_default() += 1;
            let (store, shared) = (self.store.clone(), Arc::clone(&self.shared));
            self.under_way.spawn(async move {
                let deliverer = Deliverer {
                    store: &store,
                    registry: &shared.registry,
                    keys: &shared.keys,
                    pseudonyms: &shared.pseudonyms,
                    outgoing: &shared.outgoing,
                    issuer: shared.issuer(),
                };
                let began = Instant::now();
                let was_easy = match deliverer.deliver(&delivery, Timestamp::now()).await {
                    Ok(Outcome::Delivered | Outcome::Pointless) => began.elapsed() < SLOW,
                    Ok(Outcome::Failed | Outcome::GivenUp) => false,
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(delivery = %delivery.id, error, "what came of a logout token is not written down");
                        false
                    }
                };
                Attempt { client, was_easy }
            });
        }
        Ok(())
    }

    /// The apps that get nothing more until something that goes to them has ended.
    fn busy(&self) -> Vec<String> {
        let to_slow: usize = self.slow.iter().filter_map(|client| self.by_client.get(client)).sum();
        let slow = self.slow.iter().filter(|_| to_slow >= MOST_TO_SLOW_APPS);
        let full = self.by_client.iter().filter(|(_, number)| **number >= MOST_TO_ONE_APP);
        let busy: HashSet<&ClientId> = slow.chain(full.map(|(client, _)| client)).collect();
        busy.into_iter().map(ClientId::to_string).collect()
    }

    fn ended(&mut self, ended: Result<Attempt, tokio::task::JoinError>) {
        match ended {
            Ok(Attempt { client, was_easy }) => {
                if was_easy {
                    self.slow.remove(&client);
                } else {
                    self.slow.insert(client.clone());
                }
                if let Some(number) = self.by_client.get_mut(&client) {
                    *number -= 1;
                }
                self.by_client.retain(|_, number| *number > 0);
            }
            // Which one it was is not known any more; counting begins anew, and the lease ends by itself.
            Err(_) => self.by_client.clear(),
        }
    }
}

/// Tells the metrics what waits.
pub async fn measure(store: Store, _: Arc<Shared>) -> Result<(), StoreError> {
    let waiting = store.waiting_logout_deliveries().await?;
    #[expect(clippy::cast_precision_loss, reason = "nobody counts that many")]
    gauge!(LOGOUT_DELIVERIES_WAITING).set(waiting.count as f64);
    gauge!(LOGOUT_DELIVERIES_OLDEST).set(waiting.oldest.as_secs_f64());
    Ok(())
}

/// From when on deliveries that nothing more is done about are kept.
pub fn kept_since(now: Timestamp) -> Timestamp {
    now - RETENTION
}
