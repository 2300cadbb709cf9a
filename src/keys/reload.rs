//! The signing keys of this process, read anew when they change.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::{KeyError, KeySet, MasterKeys};
use crate::jose::Algorithm;
use crate::store::Store;
use crate::time::Timestamp;

/// The signing keys that all requests share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Keys(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    current: ArcSwap<KeySet>,
    master_keys: Arc<MasterKeys>,
    token_lifetime: Duration,
    /// Held while reading, so that an older look never replaces a newer one.
    reading: tokio::sync::Mutex<()>,
}

impl Keys {
    /// Reads the keys for the first time. `token_lifetime` is the longest configured lifetime of a
    /// signed token; the clients' own ones are added.
    ///
    /// # Errors
    /// If the database fails or a key cannot be used.
    pub async fn load(
        store: &Store,
        master_keys: Arc<MasterKeys>,
        token_lifetime: Duration,
        now: Timestamp,
    ) -> Result<Self, KeyError> {
        let set = read(store, &master_keys, token_lifetime, None, now).await?;
        Ok(Self(Arc::new(Shared {
            current: ArcSwap::from_pointee(set),
            master_keys,
            token_lifetime,
            reading: tokio::sync::Mutex::new(()),
        })))
    }

    /// The keys as last read. A request takes them once.
    pub fn current(&self) -> Arc<KeySet> {
        self.0.current.load_full()
    }

    /// The same for a moment, without taking a share in them: for what is answered at once.
    pub fn peek(&self) -> impl Deref<Target = Arc<KeySet>> {
        self.0.current.load()
    }

    /// The keys as last read or, if one of these algorithms has none yet, as they are now: the first client of
    /// an algorithm may be faster than the news of its key.
    ///
    /// # Errors
    /// If the database fails or a key cannot be used.
    pub async fn with(
        &self,
        algorithms: &[Algorithm],
        store: &Store,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, KeyError> {
        let has_all = |set: &KeySet| algorithms.iter().all(|alg| set.signer(*alg, now).is_ok());
        if !has_all(&self.current()) {
            let _reading = self.0.reading.lock().await;
            // Of many requests that miss a key at once, the first has looked.
            if !has_all(&self.current()) {
                self.read_anew(store, now).await?;
            }
        }
        Ok(self.current())
    }

    /// Reads the keys anew. To be called when `installation.version` has grown.
    ///
    /// # Errors
    /// If the database fails or a key cannot be used; the keys then stay as they were.
    pub async fn reload(&self, store: &Store, now: Timestamp) -> Result<(), KeyError> {
        let _reading = self.0.reading.lock().await;
        self.read_anew(store, now).await
    }

    async fn read_anew(&self, store: &Store, now: Timestamp) -> Result<(), KeyError> {
        let shared = &*self.0;
        let previous = self.current();
        let set = read(store, &shared.master_keys, shared.token_lifetime, Some(&previous), now).await?;
        shared.current.store(Arc::new(set));
        Ok(())
    }
}

async fn read(
    store: &Store,
    master_keys: &MasterKeys,
    token_lifetime: Duration,
    previous: Option<&KeySet>,
    now: Timestamp,
) -> Result<KeySet, KeyError> {
    let rows = store.signing_keys().await?;
    let of_clients = store.longest_client_token_lifetime().await?;
    KeySet::new(&rows, token_lifetime.max(of_clients), master_keys, previous, now)
}
