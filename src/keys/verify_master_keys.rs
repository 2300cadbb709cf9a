//! The database belongs to master keys: a process with others is refused before it writes anything.

use super::{KeyError, MasterKeys};
use crate::model::StoredMasterKey;
use crate::secret::base64url;
use crate::store::Store;

/// Checks that this process can read what every master key on record has written, and puts its own
/// writing key on record.
///
/// # Errors
/// [`KeyError::ForeignMasterKey`] if the database was written with a key that is not listed.
pub async fn verify_master_keys(store: &Store, keys: &MasterKeys) -> Result<(), KeyError> {
    let stored = store.master_keys().await?;
    check(&stored, keys)?;
    let current = keys.current();
    if stored.iter().any(|row| row.id == current.id()) {
        return Ok(());
    }
    let row = StoredMasterKey {
        id: current.id().to_vec(),
        check_value: current.check_value().to_vec(),
        source: current.source().to_owned(),
    };
    let known: Vec<_> = keys.iter().map(|key| key.id().to_vec()).collect();
    store.record_master_key(&row, &known).await?;
    // Another process may have put another key on record since the first look.
    check(&store.master_keys().await?, keys)
}

fn check(stored: &[StoredMasterKey], keys: &MasterKeys) -> Result<(), KeyError> {
    match stored.iter().find(|row| !keys.matches(&row.id, &row.check_value)) {
        None => Ok(()),
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
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn keys(source: &str, fill: &str) -> MasterKeys {
        let text = format!("{}A=", fill.repeat(42));
        MasterKeys::load(&[(source.to_owned(), Secret::new(text))]).unwrap()
    }

    fn row(keys: &MasterKeys) -> StoredMasterKey {
        StoredMasterKey {
            id: keys.current().id().to_vec(),
            check_value: keys.current().check_value().to_vec(),
            source: keys.current().source().to_owned(),
        }
    }

    #[test]
    fn the_keys_on_record_must_be_listed() {
        let (ours, theirs) = (keys("GRANTOR_MASTER_KEY", "a"), keys("/srv/other/master.key", "b"));
        assert!(check(&[], &ours).is_ok());
        assert!(check(&[row(&ours)], &ours).is_ok());
        let error = check(&[row(&ours), row(&theirs)], &ours).unwrap_err().to_string();
        assert!(error.contains("GRANTOR_MASTER_KEY") && error.contains("/srv/other/master.key"), "{error}");
        assert_eq!(error.lines().count(), 1);
    }

    #[test]
    fn a_wrong_check_value_is_refused_under_the_right_id() {
        let ours = keys("GRANTOR_MASTER_KEY", "a");
        let mut forged = row(&ours);
        forged.check_value[0] ^= 1;
        assert!(check(&[forged], &ours).is_err());
    }
}
