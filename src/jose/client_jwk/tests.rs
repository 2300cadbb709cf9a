use rstest::rstest;
use serde_json::json;

use super::*;

/// The RSA key of RFC 7638 §3.1.
const MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn rsa() -> Value {
    json!({"kty": "RSA", "n": MODULUS, "e": "AQAB"})
}

/// RFC 7517 appendix A.1.
fn p256() -> Value {
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    })
}

/// RFC 8037 appendix A.2.
fn ed25519() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

fn with(mut key: Value, member: &str, value: impl Into<Value>) -> Value {
    key[member] = value.into();
    key
}

#[rstest]
#[case::rsa(rsa(), true)]
#[case::p256(p256(), true)]
#[case::ed25519(ed25519(), true)]
#[case::described(with(with(with(rsa(), "use", "sig"), "alg", "PS256"), "kid", "a"), true)]
#[case::verifies(with(p256(), "key_ops", json!(["verify"])), true)]
#[case::deprecated_name(with(ed25519(), "alg", "EdDSA"), true)]
#[case::further_members(with(rsa(), "x5t", "abc"), true)]
#[case::rsa_private(with(rsa(), "d", "AQAB"), false)]
#[case::rsa_prime(with(rsa(), "p", "AQAB"), false)]
#[case::rsa_other_primes(with(rsa(), "oth", json!([])), false)]
#[case::ec_private(with(p256(), "d", "AQAB"), false)]
#[case::okp_private(with(ed25519(), "d", Value::Null), false)]
#[case::symmetric(json!({"kty": "oct", "k": "c2VjcmV0"}), false)]
#[case::symmetric_without_key(json!({"kty": "oct"}), false)]
#[case::symmetric_member(with(rsa(), "k", "c2VjcmV0"), false)]
#[case::encrypts(with(rsa(), "use", "enc"), false)]
#[case::signs(with(rsa(), "key_ops", json!(["encrypt"])), false)]
#[case::none(with(rsa(), "alg", "none"), false)]
#[case::hs256(with(rsa(), "alg", "HS256"), false)]
#[case::alg_of_another_type(with(rsa(), "alg", "ES256"), false)]
#[case::alg_unsupported(with(rsa(), "alg", "RS512"), false)]
#[case::small(with(rsa(), "n", &MODULUS[..170]), false)]
#[case::padded_with_zeros(with(rsa(), "n", format!("{}{}", "A".repeat(172), &MODULUS[..172])), false)]
#[case::exponent_one(with(rsa(), "e", "AQ"), false)]
#[case::exponent_one_padded(with(rsa(), "e", "AAE"), false)]
#[case::exponent_even(with(rsa(), "e", "AQAA"), false)]
#[case::exponent_huge(with(rsa(), "e", "AQAAAAE"), false)]
#[case::not_base64url(with(rsa(), "n", "a+b="), false)]
#[case::no_modulus(json!({"kty": "RSA", "e": "AQAB"}), false)]
#[case::off_the_curve(with(p256(), "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), false)]
#[case::short_coordinate(with(p256(), "x", "AA"), false)]
#[case::other_curve(with(p256(), "crv", "P-384"), false)]
#[case::x25519(with(ed25519(), "crv", "X25519"), false)]
#[case::short_point(with(ed25519(), "x", "AA"), false)]
#[case::wrong_type(with(rsa(), "n", 5), false)]
#[case::no_object(json!("key"), false)]
// Case 52.
fn a_key_is_public_strong_and_for_signatures(#[case] key: Value, #[case] fits: bool) {
    let set = json!({"keys": [key]});
    assert_eq!(ClientJwks::registered(&set).is_ok(), fits, "{set}");
    assert_eq!(ClientJwks::usable(&set).is_ok(), fits, "{set}");
}

#[test]
fn a_registered_set_is_whole_and_a_fetched_one_has_something_usable() {
    let encryption = with(rsa(), "use", "enc");
    let mixed = json!({"keys": [p256(), encryption]});
    let problem = ClientJwks::registered(&mixed).unwrap_err();
    assert_eq!(problem.to_string(), "key 2: its \"use\" is not \"sig\"");
    assert!(ClientJwks::usable(&mixed).is_ok());
    for (set, problem) in [
        (json!({"keys": []}), ClientJwkError::NoKey),
        (json!({"keys": {}}), ClientJwkError::NotASet),
        (json!([p256()]), ClientJwkError::NotASet),
        (p256(), ClientJwkError::NotASet),
        (json!({"keys": vec![p256(); MOST_CLIENT_KEYS + 1]}), ClientJwkError::TooMany),
    ] {
        assert_eq!(ClientJwks::registered(&set).unwrap_err(), problem);
        assert_eq!(ClientJwks::usable(&set).unwrap_err(), problem);
    }
    assert!(ClientJwks::registered(&json!({"keys": vec![p256(); MOST_CLIENT_KEYS]})).is_ok());
}

#[test]
fn a_key_serves_the_algorithms_of_its_type_unless_it_names_one() {
    use AssertionAlgorithm::{Ed25519, EdDsa, Es256, Hs256, Ps256, Rs256};
    for (key, algorithms) in [
        (rsa(), vec![Rs256, Ps256]),
        (with(rsa(), "alg", "PS256"), vec![Ps256]),
        (p256(), vec![Es256]),
        (ed25519(), vec![Ed25519, EdDsa]),
        (with(ed25519(), "alg", "EdDSA"), vec![Ed25519, EdDsa]),
    ] {
        let keys = ClientJwks::registered(&json!({"keys": [key]})).unwrap();
        for alg in AssertionAlgorithm::ALL {
            assert_eq!(keys.has_key_for(alg), algorithms.contains(&alg), "{key} {alg}");
        }
        assert!(!keys.has_key_for(Hs256));
    }
}
