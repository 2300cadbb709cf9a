//! Public keys of clients that are given by address (`jwks_uri`, RFC 7591 §2), fetched and remembered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use moka::sync::Cache;
use tokio::sync::Mutex;

use crate::jose::{AssertionClaims, ClientJwkError, ClientJwks, UnverifiedAssertion};
use crate::model::ClientId;
use crate::outgoing::{Fetched, Limits, Outgoing, OutgoingError};

const LIMITS: Limits = Limits { total: Duration::from_secs(3), bytes: 64 * 1024 };

/// How long keys are used without asking again, whatever `max-age` says; and where it says nothing.
const SHORTEST_AGE: Duration = Duration::from_secs(60);
const LONGEST_AGE: Duration = Duration::from_secs(3_600);
const USUAL_AGE: Duration = Duration::from_secs(300);

/// How long keys go on being used while their address does not answer.
const STALE: Duration = Duration::from_secs(3_600);

/// A key that is not among those remembered may be new; somebody may also have made it up.
const PAUSE_AFTER_UNKNOWN_KEY: Duration = Duration::from_secs(30);

/// An address that does not answer is left alone for so long.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(10);

const MAX_SETS: u64 = 10_000;

/// The key sets of all clients that have them by address.
pub struct KeySets {
    outgoing: Arc<Outgoing>,
    /// A client that registers another address has another entry.
    entries: Cache<(ClientId, String), Arc<Entry>>,
}

/// What is known of one address.
#[derive(Default)]
struct Entry {
    held: ArcSwapOption<Held>,
    /// Held while fetching, so that all who need it share one fetch: not before when the next may be made.
    next_fetch: Mutex<Option<Instant>>,
}

/// Keys that were fetched.
struct Held {
    keys: ClientJwks,
    fetched_at: Instant,
    max_age: Duration,
}

impl Held {
    fn new(keys: ClientJwks, max_age: Option<Duration>, fetched_at: Instant) -> Self {
        let max_age = max_age.unwrap_or(USUAL_AGE).clamp(SHORTEST_AGE, LONGEST_AGE);
        Self { keys, fetched_at, max_age }
    }

    fn is_fresh(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.fetched_at) < self.max_age
    }

    fn is_usable(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.fetched_at) < self.max_age + STALE
    }
}

/// Why there is nothing new from an address. For the log.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    #[error("the answer is not JSON")]
    NotJson(#[from] serde_json::Error),
    #[error("the answer is of no use: {0}")]
    Keys(#[from] ClientJwkError),
}

/// There are no keys of this client to be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoKeys;

impl KeySets {
    /// With the way out to fetch by.
    pub fn new(outgoing: Outgoing) -> Self {
        Self { outgoing: Arc::new(outgoing), entries: Cache::new(MAX_SETS) }
    }

    /// The claims of an assertion, if a key of the client signed it. Keys that are old, or that do not verify it,
    /// are fetched anew.
    pub(super) async fn verify(
        &self,
        id: &ClientId,
        uri: &str,
        assertion: &UnverifiedAssertion<'_>,
    ) -> Result<Option<AssertionClaims>, NoKeys> {
        let entry = self.entries.get_with((id.clone(), uri.to_owned()), Arc::default);
        let seen = entry.held.load_full();
        let fresh = seen.as_ref().filter(|held| held.is_fresh(Instant::now()));
        if let Some(claims) = fresh.and_then(|held| assertion.verify_by_keys(&held.keys)) {
            return Ok(Some(claims));
        }
        let pause = if fresh.is_some() { PAUSE_AFTER_UNKNOWN_KEY } else { Duration::ZERO };
        let fetch =
            Arc::clone(&entry).fetch(Arc::clone(&self.outgoing), id.clone(), uri.to_owned(), seen, pause);
        // A task of its own, which goes on for the others if this request is given up.
        let _ = tokio::spawn(fetch).await;
        let held = entry.held.load_full().filter(|held| held.is_usable(Instant::now())).ok_or(NoKeys)?;
        Ok(assertion.verify_by_keys(&held.keys))
    }
}

impl Entry {
    /// Fetches the keys, unless somebody else has done so since `seen` was held, or the pause is not over. After a
    /// success the next one may be made after `pause`.
    async fn fetch(
        self: Arc<Self>,
        outgoing: Arc<Outgoing>,
        id: ClientId,
        uri: String,
        seen: Option<Arc<Held>>,
        pause: Duration,
    ) {
        let mut next_fetch = self.next_fetch.lock().await;
        let is_replaced =
            self.held.load_full().map(|held| Arc::as_ptr(&held)) != seen.as_ref().map(Arc::as_ptr);
        if is_replaced || next_fetch.is_some_and(|next| Instant::now() < next) {
            return;
        }
        let pause = match outgoing.get(&uri, LIMITS).await.map_err(FetchError::from).and_then(read) {
            Ok(held) => {
                self.held.store(Some(Arc::new(held)));
                pause
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(client_id = %id, error, "the client's keys could not be fetched from its jwks_uri");
                PAUSE_AFTER_FAILURE
            }
        };
        *next_fetch = Some(Instant::now() + pause);
    }
}

fn read(fetched: Fetched) -> Result<Held, FetchError> {
    let keys = ClientJwks::usable(&serde_json::from_slice(&fetched.body)?)?;
    Ok(Held::new(keys, fetched.max_age, Instant::now()))
}

#[cfg(test)]
mod tests;
