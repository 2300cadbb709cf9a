use super::*;

fn keys(text: &str) -> MasterKeys {
    MasterKeys::load(&[("test".to_owned(), Secret::new(text.to_owned()))]).unwrap()
}

const ONE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const OTHER: &str = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

#[test]
fn what_is_sealed_opens_for_this_client_hash_and_key_only() {
    let (one, other) = (keys(ONE), keys(OTHER));
    let (app, evil) = (ClientId::from("app".to_owned()), ClientId::from("evil".to_owned()));
    let made = new_secret(one.current(), &app, None, true);
    let opened = open(&made.stored, &app, &one).unwrap();
    assert_eq!(opened.expose(), made.secret.expose().as_bytes());
    assert!(open(&made.stored, &evil, &one).is_none());
    assert!(open(&made.stored, &app, &other).is_none());
    // An older release replaces the hash alone: what lies beside it is of no use any more.
    let newer = new_secret(one.current(), &app, None, false);
    let mixed = ClientSecret { sealed: made.stored.sealed.clone(), ..newer.stored.clone() };
    assert!(open(&mixed, &app, &one).is_none());
    assert!(open(&newer.stored, &app, &one).is_none());
    // Case 53: neither the secret nor a fast hash of it without the master key.
    let text = made.secret.expose().as_bytes();
    assert!(!made.stored.sealed.unwrap().windows(text.len()).any(|window| window == text));
    assert_ne!(made.stored.hash.hash, crate::secret::sha256(text));
}

#[test]
fn two_secrets_work_until_each_ends() {
    let keys = keys(ONE);
    let id = ClientId::from("app".to_owned());
    let at = Timestamp::from_unix_seconds;
    let old = new_secret(keys.current(), &id, Some(at(100)), false);
    let new = new_secret(keys.current(), &id, Some(at(200)), false);
    let both = ClientSecrets { newest: new.stored.clone(), previous: Some(Box::new(old.stored)) };
    let one = ClientSecrets { newest: new.stored, previous: None };
    for (secrets, secret, now, expected) in [
        (&both, &new.secret, 99, true),
        (&both, &old.secret, 99, true),
        (&both, &old.secret, 100, false),
        (&both, &new.secret, 199, true),
        (&both, &new.secret, 200, false),
        (&one, &old.secret, 0, false),
    ] {
        assert_eq!(is_secret(secrets, secret.expose(), &keys, at(now)), expected, "{now}");
    }
    assert!(!is_secret(&both, "", &keys, at(0)));
}
