use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::secret::base64url;

const SECRET: &[u8] = b"a secret of the client";

fn signed(header: &Value, claims: &str) -> String {
    let input = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    format!("{input}.{}", base64url(hmac::sign(&key, input.as_bytes()).as_ref()))
}

fn header_with(member: &str, value: Value) -> Value {
    let mut header = json!({"alg": "HS256"});
    header[member] = value;
    header
}

#[rstest]
#[case::bare("alg", json!("HS256"), None)]
#[case::own_type("typ", json!("client-authentication+jwt"), None)]
#[case::own_type_in_full("typ", json!("application/Client-Authentication+JWT"), None)]
#[case::jwt("typ", json!("JWT"), None)]
#[case::jwt_lower("typ", json!("jwt"), None)]
#[case::kid("kid", json!("1"), None)]
#[case::thumbprint("x5t", json!("abc"), None)]
#[case::access_token("typ", json!("at+jwt"), Some(AssertionFormError::Type))]
#[case::dpop("typ", json!("dpop+jwt"), Some(AssertionFormError::Type))]
#[case::request_object("typ", json!("oauth-authz-req+jwt"), Some(AssertionFormError::Type))]
#[case::empty_type("typ", json!(""), Some(AssertionFormError::Type))]
#[case::crit("crit", json!(["b64"]), Some(AssertionFormError::Header))]
#[case::crit_null("crit", json!(null), Some(AssertionFormError::Header))]
#[case::jwk("jwk", json!({"kty": "oct", "k": "AA"}), Some(AssertionFormError::Header))]
#[case::jku("jku", json!("http://127.0.0.1/jwks"), Some(AssertionFormError::Header))]
#[case::x5u("x5u", json!("http://127.0.0.1/x"), Some(AssertionFormError::Header))]
#[case::x5c("x5c", json!([]), Some(AssertionFormError::Header))]
#[case::none("alg", json!("none"), Some(AssertionFormError::Algorithm))]
#[case::none_odd("alg", json!("nOnE"), Some(AssertionFormError::Algorithm))]
#[case::no_alg("alg", json!(null), Some(AssertionFormError::Malformed))]
#[case::lower("alg", json!("hs256"), Some(AssertionFormError::Algorithm))]
#[case::unsupported("alg", json!("HS512"), Some(AssertionFormError::Algorithm))]
#[case::alg_is_a_list("alg", json!(["HS256"]), Some(AssertionFormError::Malformed))]
#[case::kid_is_a_number("kid", json!(1), Some(AssertionFormError::Malformed))]
// Case 52.
fn the_header_is_read_strictly(
    #[case] member: &str,
    #[case] value: Value,
    #[case] expected: Option<AssertionFormError>,
) {
    let token = signed(&header_with(member, value), r#"{"iss":"app"}"#);
    let read = UnverifiedAssertion::parse(&token);
    assert_eq!(read.as_ref().err().copied(), expected);
    if let Ok(read) = read {
        assert_eq!(read.verify_by_secret(SECRET).unwrap().unwrap().iss.as_deref(), Some("app"));
        assert!(read.verify_by_secret(b"another").is_none());
    }
}

#[test]
fn only_three_parts_of_base64url_are_a_jwt() {
    let good = signed(&json!({"alg": "HS256"}), "{}");
    let parts: Vec<&str> = good.split('.').collect();
    for junk in [
        String::new(),
        "x".to_owned(),
        parts[..2].join("."),
        format!("{good}."),
        format!("{good}.x"),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}.{}.{}=", parts[0], parts[1], parts[2]),
        format!("{}.{}.{}", base64url(b"[]"), parts[1], parts[2]),
        format!("{}.{}.{}", base64url(br#"{"alg":"HS256","alg":"HS256"}"#), parts[1], parts[2]),
    ] {
        let read = UnverifiedAssertion::parse(&junk).map(|read| read.verify_by_secret(SECRET).is_some());
        assert!(!matches!(read, Ok(true)), "{junk}");
    }
    let long = signed(&json!({"alg": "HS256"}), &format!("{{\"x\":\"{}\"}}", "a".repeat(LONGEST_ASSERTION)));
    assert_eq!(UnverifiedAssertion::parse(&long).unwrap_err(), AssertionFormError::TooLong);
}

#[test]
fn a_secret_never_verifies_what_names_a_key_and_the_reverse() {
    // Case 52: the public key as an HMAC key, and the other way round.
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let keys = ClientJwks::registered(&json!({"keys": [jwk]})).unwrap();
    let by_secret = signed(&json!({"alg": "HS256"}), "{}");
    assert!(UnverifiedAssertion::parse(&by_secret).unwrap().verify_by_keys(&keys).is_none());
    for alg in ["RS256", "PS256", "ES256", "Ed25519", "EdDSA"] {
        let token = signed(&json!({ "alg": alg }), "{}");
        let read = UnverifiedAssertion::parse(&token).unwrap();
        assert!(read.verify_by_secret(SECRET).is_none() && read.verify_by_keys(&keys).is_none(), "{alg}");
    }
}

#[rstest]
#[case(r#""i""#, Some("i"))]
#[case(r#"["i"]"#, Some("i"))]
#[case(r#"["i","i"]"#, None)]
#[case(r#"["i","evil"]"#, None)]
#[case("[]", None)]
fn an_audience_is_one_value_or_none(#[case] aud: &str, #[case] expected: Option<&str>) {
    let token = signed(&json!({"alg": "HS256"}), &format!(r#"{{"aud":{aud}}}"#));
    let claims = UnverifiedAssertion::parse(&token).unwrap().verify_by_secret(SECRET).unwrap().unwrap();
    assert_eq!(claims.aud.sole(), expected);
}

#[rstest]
#[case("1700000000", Some(1_700_000_000))]
#[case("1700000000.9", Some(1_700_000_000))]
#[case("1.7e9", Some(1_700_000_000))]
fn a_time_is_a_number_of_seconds(#[case] exp: &str, #[case] expected: Option<i64>) {
    let token = signed(&json!({"alg": "HS256"}), &format!(r#"{{"exp":{exp}}}"#));
    let claims = UnverifiedAssertion::parse(&token).unwrap().verify_by_secret(SECRET).unwrap().unwrap();
    assert_eq!(claims.exp.map(Timestamp::unix_seconds), expected);
}

#[rstest]
#[case(r#""aud":null"#)]
#[case(r#""aud":5"#)]
#[case(r#""aud":{"i":1}"#)]
#[case(r#""aud":[["i"]]"#)]
#[case(r#""exp":-1"#)]
#[case(r#""exp":1e300"#)]
#[case(r#""exp":"1700000000""#)]
#[case(r#""exp":true"#)]
#[case(r#""exp":null"#)]
#[case(r#""jti":7"#)]
#[case(r#""aud":"i","aud":"evil""#)]
#[case(r#""iat":"#)]
fn a_claim_of_another_type_or_twice_spoils_all(#[case] claim: &str) {
    let token = signed(&json!({"alg": "HS256"}), &format!(r#"{{"iss":"app","sub":"app",{claim}}}"#));
    let claims = UnverifiedAssertion::parse(&token).unwrap().verify_by_secret(SECRET).unwrap();
    assert_eq!(claims.unwrap_err(), MalformedClaims);
}

#[test]
fn what_is_signed_but_no_object_is_no_claims() {
    let input = |claims: &str| format!("{}.{claims}", base64url(br#"{"alg":"HS256"}"#));
    for claims in [String::new(), "====".to_owned(), base64url(b"[]"), base64url(b"null"), base64url(b"\xff")]
    {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
        let input = input(&claims);
        let token = format!("{input}.{}", base64url(hmac::sign(&key, input.as_bytes()).as_ref()));
        let claims = UnverifiedAssertion::parse(&token).unwrap().verify_by_secret(SECRET).unwrap();
        assert_eq!(claims.unwrap_err(), MalformedClaims, "{token}");
    }
}

proptest! {
    #[test]
    fn junk_is_refused_without_harm(junk in "\\PC{0,200}", parts in "[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}") {
        let _ = UnverifiedAssertion::parse(&junk);
        if let Ok(read) = UnverifiedAssertion::parse(&parts) {
            prop_assert!(read.verify_by_secret(SECRET).is_none());
        }
    }

    #[test]
    fn a_changed_byte_is_noticed(at in 0usize..60, to in "[A-Za-z0-9_-]") {
        let good = signed(&json!({"alg": "HS256"}), r#"{"iss":"app","sub":"app"}"#);
        let mut changed = good.clone();
        changed.replace_range(at..=at, &to);
        let read = UnverifiedAssertion::parse(&changed).ok().and_then(|read| read.verify_by_secret(SECRET));
        prop_assert_eq!(read.is_some(), changed == good);
    }
}
