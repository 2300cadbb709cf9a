//! Public keys of clients that are given by address (`jwks_uri`, RFC 7591 §2), fetched and remembered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use moka::sync::Cache;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use crate::jose::{ClientJwkError, ClientJwks, SignedClaims, UnverifiedAssertion};
use crate::model::ClientId;
use crate::outgoing::{Fetched, Limits, Outgoing, OutgoingError};
use crate::protocol::TokenError;

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

/// A request that waits for another machine takes room that the requests of all others need. So many may wait for the
/// keys of one client, and so many in all, which is half of what one worker takes on. Each fetch belongs to one of
/// them.
const MOST_WAITING_FOR_ONE: usize = 32;
const MOST_WAITING: usize = 256;

/// The key sets of all clients that have them by address.
pub struct KeySets {
    outgoing: Outgoing,
    /// A client that registers another address has another entry.
    entries: Cache<(ClientId, String), Arc<Entry>>,
    places: Arc<Semaphore>,
}

/// One address.
struct Entry {
    known: ArcSwap<Known>,
    /// Held while fetching, so that all who need it share one fetch.
    fetching: Arc<Mutex<()>>,
    places: Arc<Semaphore>,
}

impl Default for Entry {
    fn default() -> Self {
        let places = Arc::new(Semaphore::new(MOST_WAITING_FOR_ONE));
        Self { known: ArcSwap::default(), fetching: Arc::default(), places }
    }
}

/// What the last fetch has left behind. Each replaces it, also one that failed.
#[derive(Default)]
struct Known {
    held: Option<Arc<Held>>,
    /// The next fetch is not made before.
    next_fetch: Option<Instant>,
}

impl Known {
    fn is_fresh(&self, now: Instant) -> bool {
        self.held.as_ref().is_some_and(|held| held.is_fresh(now))
    }

    fn may_fetch(&self, now: Instant) -> bool {
        self.next_fetch.is_none_or(|next| next <= now)
    }

    fn usable_keys(&self, now: Instant) -> Option<&ClientJwks> {
        self.held.as_ref().filter(|held| held.is_usable(now)).map(|held| &held.keys)
    }
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

/// Why it cannot be said whether a key of the client signed an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoKeys {
    /// The address does not answer, or with nothing of use.
    #[error("the client's keys cannot be fetched from its jwks_uri")]
    Unreachable,
    /// They are just being fetched, and enough others wait for them.
    #[error("the client's keys are just being fetched from its jwks_uri: try again in a moment")]
    NotYet,
}

impl From<NoKeys> for TokenError {
    fn from(error: NoKeys) -> Self {
        match error {
            NoKeys::Unreachable => Self::invalid_client(error.to_string()),
            NoKeys::NotYet => Self::temporarily_unavailable(error.to_string()),
        }
    }
}

/// To wait for a fetch: a place among those who wait for this client, and among all.
struct Place {
    _of_one: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl KeySets {
    /// With the way out to fetch by.
    pub fn new(outgoing: Outgoing) -> Self {
        let places = Arc::new(Semaphore::new(MOST_WAITING));
        Self { outgoing, entries: Cache::new(MAX_SETS), places }
    }

    /// The claims of an assertion, if a key of the client signed it. Keys that are old, or that do not verify it,
    /// are fetched anew. Who finds no place to wait for that has it verified by the keys that are there.
    pub(super) async fn verify(
        &self,
        id: &ClientId,
        uri: &str,
        assertion: &UnverifiedAssertion<'_>,
    ) -> Result<Option<SignedClaims>, NoKeys> {
        let entry = self.entries.get_with((id.clone(), uri.to_owned()), Arc::default);
        let (seen, now) = (entry.known.load_full(), Instant::now());
        let by = |known: &Known| known.usable_keys(now).and_then(|keys| assertion.verify_by_keys(keys));
        if seen.is_fresh(now)
            && let Some(claims) = by(&seen)
        {
            return Ok(Some(claims));
        }
        let waited = if seen.may_fetch(now) { self.renew(&entry, &seen, id, uri).await } else { Ok(()) };
        let known = entry.known.load_full();
        if let Some(claims) = by(&known) {
            return Ok(Some(claims));
        }
        waited?;
        if known.usable_keys(now).is_some() { Ok(None) } else { Err(NoKeys::Unreachable) }
    }

    /// Waits until something newer than `seen` is known, and sees to it that it is fetched. With fresh keys nobody
    /// waits for a fetch of another: most likely the assertion is made up.
    async fn renew(
        &self,
        entry: &Arc<Entry>,
        seen: &Arc<Known>,
        id: &ClientId,
        uri: &str,
    ) -> Result<(), NoKeys> {
        let place = self.place(entry).ok_or(NoKeys::NotYet)?;
        let fetching = Arc::clone(&entry.fetching);
        let is_fresh = seen.is_fresh(Instant::now());
        let fetching = if is_fresh {
            fetching.try_lock_owned().map_err(|_| NoKeys::NotYet)?
        } else {
            fetching.lock_owned().await
        };
        if !Arc::ptr_eq(&entry.known.load(), seen) {
            return Ok(());
        }
        let (entry, outgoing) = (Arc::clone(entry), self.outgoing.clone());
        let (id, uri) = (id.clone(), uri.to_owned());
        let pause = if is_fresh { PAUSE_AFTER_UNKNOWN_KEY } else { Duration::ZERO };
        // A task of its own, which goes on for the others if this request is given up.
        let fetch = tokio::spawn(async move {
            let _held = (place, fetching);
            entry.fetch(&outgoing, &id, &uri, pause).await;
        });
        let _ = fetch.await;
        Ok(())
    }

    fn place(&self, entry: &Entry) -> Option<Place> {
        let of = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().ok();
        Some(Place { _of_one: of(&entry.places)?, _of_all: of(&self.places)? })
    }
}

impl Entry {
    /// Fetches the keys. After a success the next fetch may be made after `pause`.
    async fn fetch(&self, outgoing: &Outgoing, id: &ClientId, uri: &str, pause: Duration) {
        let fetched = outgoing.get(uri, LIMITS).await.map_err(FetchError::from).and_then(read);
        let (held, pause) = match fetched {
            Ok(held) => {
                if held.keys.is_empty() {
                    tracing::warn!(client_id = %id, "the client's jwks_uri holds no key for signatures");
                }
                (Some(Arc::new(held)), pause)
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(client_id = %id, error, "the client's keys could not be fetched from its jwks_uri");
                (self.known.load().held.clone(), PAUSE_AFTER_FAILURE)
            }
        };
        self.known.store(Arc::new(Known { held, next_fetch: Some(Instant::now() + pause) }));
    }
}

/// A set without a key says that the client has taken back its last one.
fn read(fetched: Fetched) -> Result<Held, FetchError> {
    let keys = match ClientJwks::usable(&serde_json::from_slice(&fetched.body)?) {
        Err(ClientJwkError::NoKey) => ClientJwks::default(),
        keys => keys?,
    };
    Ok(Held::new(keys, fetched.max_age, Instant::now()))
}

#[cfg(test)]
mod tests;
