//! Everything that is encrypted at rest, encrypted anew under the master key that writes.
//!
//! The replaced master keys come first: from then on a process that lists the new key alone reads everything,
//! so that whatever ends the work after that has left nothing unreadable. They are one transaction, all that follows
//! is one guarded statement for each row, and done again it finds nothing to do.

use serde::Serialize;

use super::key_material::binding;
use super::{KeyError, MasterKeys, Purpose, Sealed, pseudonyms};
use crate::model::SigningKey;
use crate::secret::base64url;
use crate::store::Store;

/// What was encrypted anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rewrapped {
    /// The master key that everything is encrypted under now.
    pub master_key: String,
    /// The master keys that need not be listed any more: they are kept in the database, encrypted under
    /// that one.
    pub replaced_master_keys: Vec<String>,
    /// Of these, those that were encrypted by this run.
    pub master_keys: usize,
    /// The private signing keys that were.
    pub signing_keys: usize,
    /// The random values of the installation that were.
    pub installation_secrets: usize,
}

/// Encrypts anew what older master keys have encrypted.
///
/// # Errors
/// If the database fails or holds something that none of the master keys opens; what was done is done.
pub async fn rewrap(store: &Store, keys: &MasterKeys) -> Result<Rewrapped, KeyError> {
    let master_keys = wrap_master_keys(store, keys).await?;
    let mut signing_keys = 0;
    for key in store.signing_keys().await? {
        signing_keys += usize::from(rewrap_signing_key(store, keys, &key).await?);
    }
    let installation_secrets = usize::from(pseudonyms::rewrap(store, keys).await?);
    let current = keys.current();
    let stored = store.master_keys().await?;
    let replaced = stored.iter().filter(|row| row.id != current.id());
    Ok(Rewrapped {
        master_key: current.name(),
        replaced_master_keys: replaced.map(|row| base64url(&row.id)).collect(),
        master_keys,
        signing_keys,
        installation_secrets,
    })
}

/// Another process may have put a key on record since this one began.
async fn wrap_master_keys(store: &Store, keys: &MasterKeys) -> Result<usize, KeyError> {
    let current = keys.current();
    let wrap = |id: &[u8]| keys.by_id(id).map(|key| key.wrapped_under(current));
    store.wrap_master_keys(current.id(), wrap).await?.ok_or(KeyError::Contended)
}

/// A key that another process has replaced or erased in the meantime needs nothing any more.
async fn rewrap_signing_key(store: &Store, keys: &MasterKeys, key: &SigningKey) -> Result<bool, KeyError> {
    if key.is_erased() || key.master_key_id == keys.current().id() {
        return Ok(false);
    }
    let sealed = Sealed { key_id: &key.master_key_id, bytes: &key.wrapped_private_key };
    let wrapped =
        keys.reseal(Purpose::SigningKey, b"", &sealed, &binding(&key.kid, key.alg)).ok_or_else(|| {
            KeyError::Stored { kid: key.kid.clone(), reason: "none of the master keys opens it" }
        })?;
    Ok(store.rewrap_signing_key(key, &wrapped, keys.current().id()).await?)
}
