//! The database belongs to master keys: a process with others is refused before it writes anything.

use super::{KeyError, MasterKeys};
use crate::model::StoredMasterKey;
use crate::secret::base64url;
use crate::store::Store;

/// Checks that this process can read what every master key on record has written, and puts its own
/// writing key on record. The answer holds, beside the keys that are listed, those on record that one of
/// them has replaced.
///
/// # Errors
/// [`KeyError::ForeignMasterKey`] if the database was written with a key that is neither.
pub async fn open_master_keys(store: &Store, listed: MasterKeys) -> Result<MasterKeys, KeyError> {
    let stored = store.master_keys().await?;
    let keys = opened(&stored, listed)?;
    let current = keys.current();
    if stored.iter().any(|row| row.id == current.id()) {
        return Ok(keys);
    }
    let row = StoredMasterKey {
        id: current.id().to_vec(),
        check_value: current.check_value().to_vec(),
        source: current.source().to_owned(),
        wrapped: None,
    };
    let known: Vec<_> = keys.iter().map(|key| key.id().to_vec()).collect();
    store.record_master_key(&row, &known).await?;
    // Another process may have put another key on record since the first look.
    opened(&store.master_keys().await?, keys)
}

/// Checks the same of keys that were looked up before, without writing anything.
///
/// # Errors
/// [`KeyError::ForeignMasterKey`].
pub fn check_master_keys(stored: &[StoredMasterKey], listed: &MasterKeys) -> Result<(), KeyError> {
    opened(stored, listed.clone()).map(drop)
}

/// The listed keys, and those on record that they open, directly or through each other.
fn opened(stored: &[StoredMasterKey], mut keys: MasterKeys) -> Result<MasterKeys, KeyError> {
    loop {
        let found = stored.iter().filter(|row| keys.by_id(&row.id).is_none()).find_map(|row| {
            let wrapped = row.wrapped.as_ref()?;
            keys.by_id(&wrapped.wrapped_by)?.unwrap(&wrapped.sealed, &row.id, &row.source)
        });
        match found {
            Some(key) => keys.push(key),
            None => break,
        }
    }
    match stored.iter().find(|row| !keys.matches(&row.id, &row.check_value)) {
        None => Ok(keys),
        Some(foreign) => Err(KeyError::ForeignMasterKey {
            stored: format!("{} from {}", base64url(&foreign.id), foreign.source),
            given: keys
                .iter()
                .map(|key| format!("{} from {}", key.name(), key.source()))
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

#[cfg(test)]
mod tests;
