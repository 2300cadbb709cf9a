use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::logout_deliveries::kept_since;
use super::stopped_within;
use crate::app::Shared;
use crate::store::{Store, StoreError};
use crate::telemetry::events;
use crate::time::Timestamp;

/// Rows deleted by one statement: few enough that no lock is held for long.
const BATCH: i64 = 1_000;

/// A run goes on while there are full batches, and ends before another process may take the lease.
const LONGEST_RUN: Duration = Duration::from_secs(50);

/// A batch is followed by a rest so many times as long as it took: most of the database stays the traffic's.
const REST: u32 = 3;

/// What is deleted when its time has passed and lies in no partition.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Session,
    Revocation,
    SignInAttempt,
    ClientAssertion,
    KnownNetwork,
    SetPasswordLink,
    InitialAccessToken,
    LogoutDelivery,
    /// Clients that registered themselves and that nobody has used for long. The last: what it takes grows with their
    /// number.
    Client,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Session,
        Self::Revocation,
        Self::SignInAttempt,
        Self::ClientAssertion,
        Self::KnownNetwork,
        Self::SetPasswordLink,
        Self::InitialAccessToken,
        Self::LogoutDelivery,
        Self::Client,
    ];

    /// Its name in the metrics.
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Revocation => "revocation",
            Self::SignInAttempt => "sign_in_attempt",
            Self::ClientAssertion => "client_assertion",
            Self::KnownNetwork => "known_network",
            Self::SetPasswordLink => "set_password_link",
            Self::InitialAccessToken => "initial_access_token",
            Self::LogoutDelivery => "logout_delivery",
            Self::Client => "client",
        }
    }

    /// Deletes one batch; how many rows that were.
    async fn delete(self, store: &Store, shared: &Shared, now: Timestamp) -> Result<u64, StoreError> {
        match self {
            Self::Session => store.delete_past_sessions(BATCH, now).await,
            Self::Revocation => store.delete_past_revocations(BATCH, now).await,
            Self::SignInAttempt => store.delete_past_attempts(BATCH, now).await,
            Self::ClientAssertion => store.delete_past_client_assertions(BATCH, now).await,
            Self::KnownNetwork => store.delete_past_known_networks(BATCH, now).await,
            Self::SetPasswordLink => store.delete_past_set_password_links(BATCH, now).await,
            Self::InitialAccessToken => store.delete_past_initial_access_tokens(BATCH, now).await,
            Self::LogoutDelivery => store.delete_past_logout_deliveries(BATCH, kept_since(now)).await,
            Self::Client => match shared.config.registration.unused_client_lifetime {
                Some(lifetime) => store.delete_unused_clients(lifetime, BATCH, now).await,
                None => Ok(0),
            },
        }
    }
}

/// Deletes what has expired and lies in no partition. What is deleted does not come back when a clock that jumped
/// is set right, and a revocation that is forgotten is undone: so it must be past by both clocks.
///
/// The kinds take turns batch by batch for as long as they have full ones: revocations and assertions come as fast as
/// requests do. One kind that fails does not keep the others.
pub async fn run(store: Store, shared: Arc<Shared>, stop: CancellationToken) -> Result<(), StoreError> {
    let now = shared.registry.earlier_time(Timestamp::now());
    let started = Instant::now();
    let (mut left, mut failed) = (Kind::ALL.to_vec(), None);
    if shared.config.registration.unused_client_lifetime.is_some()
        && let Err(error) = store.note_unused_clients().await
    {
        failed = Some(error);
    }
    while !left.is_empty() && started.elapsed() < LONGEST_RUN {
        let mut full = Vec::new();
        for kind in left {
            let began = Instant::now();
            match kind.delete(&store, &shared, now).await {
                Ok(rows) => {
                    events::rows_cleaned_up(kind.name(), rows);
                    if rows.cast_signed() >= BATCH {
                        full.push(kind);
                    }
                }
                Err(error) => failed = Some(error),
            }
            let rest = (REST * began.elapsed()).min(LONGEST_RUN.saturating_sub(started.elapsed()));
            if stopped_within(&stop, rest).await {
                return failed.map_or(Ok(()), Err);
            }
        }
        left = full;
    }
    failed.map_or(Ok(()), Err)
}
