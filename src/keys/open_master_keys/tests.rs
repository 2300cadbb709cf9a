use super::*;
use crate::model::WrappedMasterKey;
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
        wrapped: None,
    }
}

fn wrapped(keys: &MasterKeys, under: &MasterKeys) -> StoredMasterKey {
    let sealed = keys.current().wrapped_under(under.current());
    let wrapped_by = under.current().id().to_vec();
    StoredMasterKey { wrapped: Some(WrappedMasterKey { sealed, wrapped_by }), ..row(keys) }
}

fn is_refused(stored: &[StoredMasterKey], listed: &MasterKeys) -> bool {
    matches!(check_master_keys(stored, listed), Err(KeyError::ForeignMasterKey { .. }))
}

#[test]
fn the_keys_on_record_must_be_listed() {
    let (ours, theirs) = (keys("GRANTOR_MASTER_KEY", "a"), keys("/srv/other/master.key", "b"));
    assert!(check_master_keys(&[], &ours).is_ok());
    assert!(check_master_keys(&[row(&ours)], &ours).is_ok());
    let error = check_master_keys(&[row(&ours), row(&theirs)], &ours).unwrap_err().to_string();
    assert!(error.contains("GRANTOR_MASTER_KEY") && error.contains("/srv/other/master.key"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn a_wrong_check_value_is_refused_under_the_right_id() {
    let ours = keys("GRANTOR_MASTER_KEY", "a");
    let mut forged = row(&ours);
    forged.check_value[0] ^= 1;
    assert!(is_refused(&[forged], &ours));
}

#[test]
fn a_replaced_key_is_opened_by_its_successor_and_by_nobody_else() {
    let [first, second, third, other] = ["a", "b", "c", "d"].map(|fill| keys("a file", fill));
    // The first is wrapped under the second, that under the third.
    let stored = [wrapped(&first, &second), wrapped(&second, &third), row(&third)];
    let opened = opened(&stored, third.clone()).unwrap();
    assert_eq!(opened.current().id(), third.current().id(), "the listed key goes on writing");
    for key in [&first, &second] {
        let found = opened.by_id(key.current().id()).unwrap();
        assert_eq!(found.check_value(), key.current().check_value());
    }
    assert!(is_refused(&stored, &first), "a replaced key alone does not open what its successor wrote");
    assert!(is_refused(&stored, &second));
    assert!(is_refused(&stored, &other));
}

#[test]
fn a_wrapped_key_that_was_tampered_with_opens_nothing() {
    let [first, second, third] = ["a", "b", "c"].map(|fill| keys("a file", fill));
    let mut damaged = wrapped(&first, &second);
    damaged.wrapped.as_mut().unwrap().sealed[20] ^= 1;
    assert!(is_refused(&[damaged, row(&second)], &second));
    // One key's ciphertext beside another's id.
    let exchanged = StoredMasterKey { wrapped: wrapped(&third, &second).wrapped, ..row(&first) };
    assert!(is_refused(&[exchanged, row(&second)], &second));
}
