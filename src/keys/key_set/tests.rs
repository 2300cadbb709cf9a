use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::jose::{AccessToken, IdToken, UnverifiedJwt};
use crate::keys::create;
use crate::secret::Secret;

const TOKEN_LIFETIME: Duration = Duration::from_secs(600);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn master_keys(text: &str) -> MasterKeys {
    MasterKeys::load(&[("TEST".to_owned(), Secret::new(text.to_owned()))]).unwrap()
}

static MASTER_KEYS: LazyLock<MasterKeys> =
    LazyLock::new(|| master_keys("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));

/// Two keys: the first signs from 0, the second from 1000.
static ROWS: LazyLock<[SigningKey; 2]> = LazyLock::new(|| [0, 1000].map(|from| row(Algorithm::Rs256, from)));

fn row(alg: Algorithm, activates_at: i64) -> SigningKey {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let new = runtime.block_on(create::create(alg)).unwrap().wrap(&MASTER_KEYS).unwrap();
    SigningKey {
        kid: new.kid,
        alg: new.alg,
        public_jwk: new.public_jwk,
        wrapped_private_key: new.wrapped_private_key,
        master_key_id: new.master_key_id,
        longest_token_lifetime: Duration::ZERO,
        created_at: at(activates_at),
        activates_at: at(activates_at),
        retired_at: None,
    }
}

fn build(rows: &[SigningKey], now: i64) -> KeySet {
    KeySet::new(rows, TOKEN_LIFETIME, &MASTER_KEYS, None, at(now)).unwrap()
}

fn published(set: &KeySet, now: i64) -> Vec<String> {
    let jwks: Value = serde_json::from_str(&set.jwks(at(now)).body).unwrap();
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn passes_through_its_phases_without_being_read_again() {
    let [a, b] = &*ROWS;
    let set = build(&*ROWS, 500);
    for (now, signs, expected) in [
        (0, a, vec![a, b]),
        (500, a, vec![a, b]),
        (999, a, vec![a, b]),
        (1000, b, vec![b, a]),
        (1659, b, vec![b, a]),
        (1660, b, vec![b]),
        (9_999_999, b, vec![b]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|key| key.kid.clone()).collect();
        assert_eq!(published(&set, now), expected, "{now}");
        assert_eq!(set.signer(Algorithm::Rs256, at(now)).unwrap().kid(), signs.kid, "{now}");
    }
}

#[test]
fn the_entity_tag_follows_the_content() {
    let set = build(&*ROWS, 500);
    let etag = |now| set.jwks(at(now)).etag.as_str();
    assert_eq!(etag(500), etag(999));
    assert_ne!(etag(1000), etag(1660));
    assert!(etag(500).starts_with('"') && etag(500).ends_with('"'));
}

#[test]
fn no_private_member_is_published() {
    let jwks: Value = serde_json::from_str(&build(&*ROWS, 500).jwks(at(500)).body).unwrap();
    for key in jwks["keys"].as_array().unwrap() {
        let mut members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
        assert_eq!((&key["alg"], &key["use"], &key["kty"]), (&json!("RS256"), &json!("sig"), &json!("RSA")));
    }
}

#[tokio::test]
async fn a_token_is_accepted_as_long_as_its_key_is_published() {
    let set = build(&*ROWS, 500);
    let token = set
        .signer(Algorithm::Rs256, at(999))
        .unwrap()
        .sign_jwt::<AccessToken>(&json!({"sub": "alice"}))
        .await
        .unwrap();
    let accepted = |set: &KeySet, now| {
        UnverifiedJwt::parse(&token).unwrap().verify::<AccessToken>(set.verification_keys(at(now))).is_ok()
    };
    assert!(accepted(&set, 999) && accepted(&set, 1659));
    assert!(!accepted(&set, 1660));
    let mut rows = ROWS.clone();
    rows[0].retired_at = Some(at(1001));
    assert!(!accepted(&build(&rows, 1001), 1001));
}

/// One key of each algorithm beside each other.
#[test]
fn each_algorithm_has_its_own_signer_and_they_are_published_together() {
    let mut rows: Vec<_> = Algorithm::ALL.iter().rev().map(|alg| row(*alg, 0)).collect();
    rows.push(row(Algorithm::Es256, 1000));
    let set = build(&rows, 500);
    let of = |alg: Algorithm| rows.iter().filter(move |row| row.alg == alg).map(|row| row.kid.clone());
    let mut expected: Vec<String> = Algorithm::ALL.into_iter().flat_map(of).collect();
    assert_eq!(published(&set, 500), expected, "RS256 first, which every verifier knows");
    assert_eq!(set.algorithms(at(500)).collect::<Vec<_>>(), Algorithm::ALL);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for now in [500, 1000, 1660] {
        for alg in Algorithm::ALL {
            let signer = set.signer(alg, at(now)).unwrap();
            let token = runtime.block_on(signer.sign_jwt::<AccessToken>(&json!({}))).unwrap();
            let verified = UnverifiedJwt::parse(&token).unwrap();
            assert!(verified.verify::<AccessToken>(set.verification_keys(at(now))).is_ok(), "{alg} {now}");
        }
    }
    // Another key of one algorithm takes over; nothing else moves.
    assert_eq!(set.signer(Algorithm::Es256, at(1000)).unwrap().kid(), rows[4].kid);
    assert_eq!(set.signer(Algorithm::Rs256, at(1000)).unwrap().kid(), rows[3].kid);
    expected.remove(2);
    assert_eq!(published(&set, 1660), expected);
}

#[test]
fn a_key_is_parsed_once() {
    let set = build(&ROWS[..1], 500);
    let again = KeySet::new(&*ROWS, TOKEN_LIFETIME, &MASTER_KEYS, Some(&set), at(500)).unwrap();
    assert!(Arc::ptr_eq(
        set.signer(Algorithm::Rs256, at(500)).unwrap(),
        again.signer(Algorithm::Rs256, at(500)).unwrap()
    ));
}

#[test]
fn keys_that_nobody_needs_are_not_even_decrypted() {
    let mut rows = ROWS.clone();
    rows[0].wrapped_private_key.clear();
    assert_eq!(published(&build(&rows, 1660), 1660).len(), 1);
    rows[0].retired_at = Some(at(1));
    assert_eq!(published(&build(&rows, 500), 500).len(), 1);
}

/// Whether a token that the first key signed can be read with those of these rows that are on record, long after.
fn is_on_record(rows: &[SigningKey]) -> bool {
    static TOKEN: LazyLock<String> = LazyLock::new(|| {
        let set = build(&*ROWS, 500);
        let signer = set.signer(Algorithm::Rs256, at(500)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(signer.sign_jwt::<IdToken>(&json!({"sub": "alice"}))).unwrap()
    });
    let set = build(rows, 5_000);
    let token = UnverifiedJwt::parse(&TOKEN).unwrap();
    assert!(token.verify::<IdToken>(set.verification_keys(at(5_000))).is_err(), "it is no longer published");
    token.verify::<IdToken>(set.keys_on_record()).is_ok()
}

#[test]
fn what_a_retired_key_signed_can_be_read_unless_the_key_was_withdrawn() {
    let mut rows = ROWS.clone();
    rows[0].wrapped_private_key.clear();
    for (retired_at, expected) in
        [(None, true), (Some(1_660), true), (Some(1_659), false), (Some(500), false)]
    {
        rows[0].retired_at = retired_at.map(at);
        assert_eq!(is_on_record(&rows), expected, "{retired_at:?}");
    }
}

#[test]
fn a_damaged_public_part_of_a_past_key_is_left_out() {
    let [a, b] = &*ROWS;
    for public_jwk in [json!(null), json!({"kty": "RSA"}), b.public_jwk.clone()] {
        assert!(!is_on_record(&[SigningKey { public_jwk, ..a.clone() }, b.clone()]));
    }
    let mut for_another_algorithm = a.public_jwk.clone();
    for_another_algorithm["alg"] = json!("PS256");
    assert!(!is_on_record(&[SigningKey { public_jwk: for_another_algorithm, ..a.clone() }, b.clone()]));
}

#[test]
fn without_keys_nothing_is_signed() {
    let set = build(&[], 0);
    assert!(matches!(set.signer(Algorithm::Rs256, at(0)), Err(KeyError::NoSigningKey(Algorithm::Rs256))));
    assert_eq!(set.jwks(at(0)).body, r#"{"keys":[]}"#);
}

#[test]
fn a_damaged_or_exchanged_key_is_refused() {
    let refused = |row: SigningKey| {
        let set = KeySet::new(&[row], TOKEN_LIFETIME, &MASTER_KEYS, None, at(0));
        matches!(set, Err(KeyError::Stored { .. }))
    };
    let [a, b] = &*ROWS;
    let mut damaged = a.clone();
    damaged.wrapped_private_key[40] ^= 1;
    assert!(refused(damaged));
    // Bound to the kid: one key's private part does not pass for another's.
    assert!(refused(SigningKey { wrapped_private_key: b.wrapped_private_key.clone(), ..a.clone() }));
    assert!(refused(SigningKey { kid: b.kid.clone(), ..a.clone() }));
    assert!(refused(SigningKey { alg: Algorithm::Es256, ..a.clone() }));
    // And to the algorithm, though an RSA key would serve both.
    assert!(refused(SigningKey { alg: Algorithm::Ps256, ..a.clone() }));
    assert!(refused(SigningKey { alg: Algorithm::Rs256, ..row(Algorithm::Ps256, 0) }));
    let foreign = master_keys("//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=").current().id().to_vec();
    assert!(refused(SigningKey { master_key_id: foreign, ..a.clone() }));
}

#[test]
fn debug_output_shows_no_private_part() {
    let set = build(&*ROWS, 500);
    let signer = format!("{:?}", set.signer(Algorithm::Rs256, at(500)).unwrap());
    assert_eq!(signer, format!("Local(LocalSigner {{ kid: {:?}, .. }})", ROWS[0].kid));
}
