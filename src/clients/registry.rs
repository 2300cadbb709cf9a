//! Registered clients, scopes, claims and resource servers as a process remembers them.
//!
//! What is remembered is used only while the installation's version was polled within [`MAX_STALENESS`]:
//! a changed or deleted client is gone from every process within that time, and a process that cannot see
//! the database trusts no client. Scopes, claims and resource servers mean nothing without one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::remembered::Remembered;
use super::{ClaimCatalogue, ResourceCatalogue, ScopeCatalogue};
use crate::model::{Client, ClientId};
use crate::store::{Pulse, Store, StoreError};
use crate::time::Timestamp;

/// How old the last look at the installation's version may be.
pub const MAX_STALENESS: Duration = Duration::from_millis(1_500);

/// What a look at the installation showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// Whether its version is another than at the last look.
    pub changed: bool,
    /// Whether an app is to be told now that a session has ended.
    pub logout_is_due: bool,
}

/// What was read at one version of the installation.
struct Snapshot {
    version: i64,
    clients: Remembered,
    scopes: ArcSwap<ScopeCatalogue>,
    resources: ArcSwap<ResourceCatalogue>,
    claims: Arc<ClaimCatalogue>,
}

/// The registered clients, scopes, claims and resource servers, cached until the installation's version changes.
pub struct Registry {
    snapshot: ArcSwap<Snapshot>,
    started: Instant,
    /// Milliseconds from `started` to the last look.
    looked_at: AtomicI64,
    /// Microseconds by which the database's clock is ahead of this process's.
    clock_offset: AtomicI64,
    /// What the database's clock showed at `started`, in microseconds since 1970.
    database_start: AtomicI64,
}

impl Registry {
    /// Reads version, scopes, claims and resource servers for the first time.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let pulse = store.pulse().await?;
        let registry = Self {
            snapshot: ArcSwap::from_pointee(Snapshot::read(store, pulse.version).await?),
            started: Instant::now(),
            looked_at: AtomicI64::new(0),
            clock_offset: AtomicI64::new(0),
            database_start: AtomicI64::new(0),
        };
        registry.beat(store).await?;
        Ok(registry)
    }

    /// Looks at the installation's version and drops what was cached if it has changed.
    pub async fn beat(&self, store: &Store) -> Result<Beat, StoreError> {
        let looked_at = self.started.elapsed();
        let before = Timestamp::now();
        let Pulse { version, database_time, logout_is_due } = store.pulse().await?;
        let round_trip = self.started.elapsed().saturating_sub(looked_at);
        let changed = version != self.snapshot.load().version;
        if changed {
            self.snapshot.store(Arc::new(Snapshot::read(store, version).await?));
        }
        let offset = database_time.unix_micros() - (before + round_trip / 2).unix_micros();
        self.clock_offset.store(offset, Ordering::Relaxed);
        let database_start = database_time - (looked_at + round_trip / 2);
        self.database_start.store(database_start.unix_micros(), Ordering::Relaxed);
        self.looked_at.store(i64::try_from(looked_at.as_millis()).unwrap_or(i64::MAX), Ordering::Release);
        Ok(Beat { changed, logout_is_due })
    }

    /// The client with this identifier: remembered, or read in one statement.
    pub async fn client(&self, store: &Store, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        // Taken before the read: a client read now goes into the snapshot of a version not newer than it.
        let snapshot = self.snapshot.load_full();
        if self.is_fresh()
            && let Some(client) = snapshot.clients.get(id)
        {
            return Ok(Some(client));
        }
        let Some(client) = store.client(id).await?.map(Arc::new) else { return Ok(None) };
        snapshot.learn_of(store, &client).await?;
        snapshot.clients.insert(Arc::clone(&client));
        Ok(Some(client))
    }

    /// The registered scopes.
    pub fn scopes(&self) -> Arc<ScopeCatalogue> {
        self.snapshot.load().scopes.load_full()
    }

    /// The registered resource servers.
    pub fn resources(&self) -> Arc<ResourceCatalogue> {
        self.snapshot.load().resources.load_full()
    }

    /// The claims about people that there are.
    pub fn claims(&self) -> Arc<ClaimCatalogue> {
        Arc::clone(&self.snapshot.load().claims)
    }

    /// Whether these are still the registered scopes and the claims that there are.
    pub fn still_has(&self, scopes: &Arc<ScopeCatalogue>, claims: &Arc<ClaimCatalogue>) -> bool {
        let snapshot = self.snapshot.load();
        Arc::ptr_eq(&snapshot.scopes.load(), scopes) && Arc::ptr_eq(&snapshot.claims, claims)
    }

    /// Whether the version was looked at recently enough to trust what is remembered.
    pub fn is_fresh(&self) -> bool {
        let looked_at = Duration::from_millis(self.looked_at.load(Ordering::Acquire).unsigned_abs());
        self.started.elapsed().saturating_sub(looked_at) < MAX_STALENESS
    }

    /// What the database's clock shows now, as far as the last look tells: counted on from there by a clock that
    /// cannot be set, so that a jump of this process's time of day changes nothing.
    pub fn database_time(&self) -> Timestamp {
        self.database_time_at(Instant::now())
    }

    /// What it shows at this moment of the other clock.
    pub fn database_time_at(&self, moment: Instant) -> Timestamp {
        let since_start = moment.saturating_duration_since(self.started);
        Timestamp::from_unix_micros(self.database_start.load(Ordering::Relaxed)) + since_start
    }

    /// The earlier of `now` and the database's clock. What is issued is dated by it, so that it lives no longer than
    /// it should by either clock, and what is deleted is past by both; what is stored ends by the later one.
    pub fn earlier_time(&self, now: Timestamp) -> Timestamp {
        now.min(self.database_time())
    }

    /// How far this process's clock and the database's are apart.
    pub fn clock_skew(&self) -> Duration {
        Duration::from_micros(self.clock_offset.load(Ordering::Relaxed).unsigned_abs())
    }
}

impl Snapshot {
    async fn read(store: &Store, version: i64) -> Result<Self, StoreError> {
        let scopes = ArcSwap::from_pointee(ScopeCatalogue::new(store.scopes().await?));
        let resources = ArcSwap::from_pointee(ResourceCatalogue::new(store.resource_servers().await?));
        let claims = Arc::new(ClaimCatalogue::new(store.claims().await?));
        Ok(Self { version, clients: Remembered::default(), scopes, resources, claims })
    }

    /// A client that is registered for a scope or a resource server unknown here is newer than what was read of
    /// them. It is to work at once, not when the change is noticed.
    async fn learn_of(&self, store: &Store, client: &Client) -> Result<(), StoreError> {
        let known = self.scopes.load_full();
        if client.scopes.iter().any(|scope| known.get(scope).is_none()) {
            self.scopes.store(Arc::new(ScopeCatalogue::new(store.scopes().await?)));
        }
        if !self.resources.load().knows_audiences_of(client) {
            self.resources.store(Arc::new(ResourceCatalogue::new(store.resource_servers().await?)));
        }
        Ok(())
    }
}
