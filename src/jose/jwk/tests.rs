use rstest::rstest;
use serde_json::{Value, json};

use super::*;

const RFC_7638_MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
/// RFC 7515, appendix A.3.1.
const RFC_7515_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const RFC_7515_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
/// RFC 8037, appendix A.2.
const RFC_8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn bytes(text: &str) -> [u8; 32] {
    from_base64url(text).unwrap().try_into().unwrap()
}

fn rsa(alg: Algorithm) -> PublicJwk {
    PublicJwk::rsa(alg, &from_base64url(RFC_7638_MODULUS).unwrap(), &[0, 1, 0, 1])
}

fn p256() -> PublicJwk {
    PublicJwk::p256(&bytes(RFC_7515_X), &bytes(RFC_7515_Y))
}

fn ed25519() -> PublicJwk {
    PublicJwk::ed25519(&bytes(RFC_8037_X))
}

#[rstest]
// RFC 7638 §3.1; the thumbprint does not depend on the algorithm.
#[case(rsa(Algorithm::Rs256), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")]
#[case(rsa(Algorithm::Ps256), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")]
// RFC 8037, appendix A.3.
#[case(ed25519(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
// Computed independently, by `printf '{"crv":…}' | openssl dgst -sha256 -binary | basenc --base64url`.
#[case(p256(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U")]
fn the_kid_is_the_thumbprint(#[case] key: PublicJwk, #[case] kid: &str) {
    assert_eq!(key.kid(), kid);
}

#[rstest]
#[case(rsa(Algorithm::Rs256), json!({"kty": "RSA", "alg": "RS256", "n": RFC_7638_MODULUS, "e": "AQAB"}))]
#[case(rsa(Algorithm::Ps256), json!({"kty": "RSA", "alg": "PS256", "n": RFC_7638_MODULUS, "e": "AQAB"}))]
#[case(p256(), json!({"kty": "EC", "alg": "ES256", "crv": "P-256", "x": RFC_7515_X, "y": RFC_7515_Y}))]
// RFC 9864 §2.2: the name is Ed25519, not EdDSA.
#[case(ed25519(), json!({"kty": "OKP", "alg": "Ed25519", "crv": "Ed25519", "x": RFC_8037_X}))]
fn is_written_with_use_alg_and_kid_and_read_back(#[case] key: PublicJwk, #[case] mut members: Value) {
    members["use"] = "sig".into();
    members["kid"] = key.kid().into();
    let json = serde_json::to_value(&key).unwrap();
    assert_eq!(json, members);
    assert_eq!(PublicJwk::from_json(&json).unwrap(), key);
    let set: Value = serde_json::from_str(&jwk_set([&key]).unwrap()).unwrap();
    assert_eq!(set, json!({"keys": [json]}));
}

#[test]
fn a_private_member_another_type_or_another_kid_is_refused() {
    for key in [rsa(Algorithm::Rs256), p256(), ed25519()] {
        for (member, value) in [
            ("d", "AQAB"),
            ("p", "AQAB"),
            ("k", "AQAB"),
            ("kty", "oct"),
            ("kid", "me"),
            ("alg", "HS256"),
            ("alg", "EdDSA"),
            ("use", "enc"),
            ("n", "AQ"),
            ("crv", "P-384"),
            ("crv", "X25519"),
        ] {
            let mut json = serde_json::to_value(&key).unwrap();
            json[member] = value.into();
            assert!(PublicJwk::from_json(&json).is_err(), "{member} {value} {json}");
        }
    }
}

/// RFC 8725 §3.1: a key serves the algorithm of its type and no other.
#[test]
fn an_algorithm_of_another_type_is_refused() {
    for (key, fitting) in
        [(rsa(Algorithm::Rs256), &["RS256", "PS256"][..]), (p256(), &["ES256"]), (ed25519(), &["Ed25519"])]
    {
        for alg in Algorithm::ALL.map(Algorithm::name) {
            let mut json = serde_json::to_value(&key).unwrap();
            json["alg"] = alg.into();
            assert_eq!(PublicJwk::from_json(&json).is_ok(), fitting.contains(&alg), "{alg} {json}");
        }
    }
}
