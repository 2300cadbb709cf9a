use rstest::rstest;
use serde_json::json;

use super::*;

fn by_value(jwks: Value) -> ClientKeys {
    ClientKeys::Value(jwks.into())
}

fn p256() -> ClientKeys {
    by_value(json!({"keys": [{
        "kty": "EC", "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    }]}))
}

fn uri(uri: &str) -> ClientKeys {
    ClientKeys::Uri(uri.to_owned())
}

type Given = (Option<AuthMethod>, Option<ClientKeys>, Option<AssertionAlgorithm>);

#[rstest]
#[case::default((None, None, None), true)]
#[case::basic((Some(AuthMethod::ClientSecretBasic), None, None), true)]
#[case::secret_jwt((Some(AuthMethod::ClientSecretJwt), None, None), true)]
#[case::secret_jwt_hs256((Some(AuthMethod::ClientSecretJwt), None, Some(AssertionAlgorithm::Hs256)), true)]
#[case::secret_jwt_rs256((Some(AuthMethod::ClientSecretJwt), None, Some(AssertionAlgorithm::Rs256)), false)]
#[case::secret_jwt_with_keys((Some(AuthMethod::ClientSecretJwt), Some(p256()), None), false)]
#[case::key((Some(AuthMethod::PrivateKeyJwt), Some(p256()), None), true)]
#[case::key_es256((Some(AuthMethod::PrivateKeyJwt), Some(p256()), Some(AssertionAlgorithm::Es256)), true)]
#[case::key_of_another_alg((Some(AuthMethod::PrivateKeyJwt), Some(p256()), Some(AssertionAlgorithm::Rs256)), false)]
#[case::key_hs256((Some(AuthMethod::PrivateKeyJwt), Some(p256()), Some(AssertionAlgorithm::Hs256)), false)]
#[case::no_key((Some(AuthMethod::PrivateKeyJwt), None, None), false)]
#[case::bad_key((Some(AuthMethod::PrivateKeyJwt), Some(by_value(json!({}))), None), false)]
#[case::keys_alone((None, Some(p256()), None), false)]
#[case::alg_alone((None, None, Some(AssertionAlgorithm::Rs256)), false)]
#[case::address((Some(AuthMethod::PrivateKeyJwt), Some(uri("https://app.example/jwks")), None), true)]
#[case::address_rs256((Some(AuthMethod::PrivateKeyJwt), Some(uri("https://app.example/jwks")), Some(AssertionAlgorithm::Rs256)), true)]
#[case::file((Some(AuthMethod::PrivateKeyJwt), Some(uri("file:///etc/passwd")), None), false)]
#[case::gopher((Some(AuthMethod::PrivateKeyJwt), Some(uri("gopher://app.example/")), None), false)]
#[case::user((Some(AuthMethod::PrivateKeyJwt), Some(uri("https://u:p@app.example/")), None), false)]
#[case::fragment((Some(AuthMethod::PrivateKeyJwt), Some(uri("https://app.example/#x")), None), false)]
#[case::relative((Some(AuthMethod::PrivateKeyJwt), Some(uri("/jwks")), None), false)]
fn a_method_has_what_it_needs_and_nothing_else(#[case] given: Given, #[case] fits: bool) {
    let (auth_method, keys, token_endpoint_auth_signing_alg) = given;
    let metadata =
        ClientMetadata { auth_method, keys, token_endpoint_auth_signing_alg, ..ClientMetadata::named("App") };
    let checked = check_method(&metadata);
    assert_eq!(checked.is_ok(), fits, "{checked:?}");
}

#[test]
fn a_lifetime_of_a_secret_needs_a_secret() {
    for (auth_method, fits) in
        [(None, true), (Some(AuthMethod::ClientSecretJwt), true), (Some(AuthMethod::None), false)]
    {
        let secret_lifetime = Some(std::time::Duration::from_secs(60));
        let metadata = ClientMetadata { auth_method, secret_lifetime, ..ClientMetadata::named("App") };
        assert_eq!(check_method(&metadata).is_ok(), fits, "{auth_method:?}");
    }
}

#[test]
fn a_set_is_what_the_database_can_store() {
    let with_kid = |kid: &str| {
        let ClientKeys::Value(jwks) = p256() else { panic!("by value") };
        let mut json = jwks.json().clone();
        json["keys"][0]["kid"] = kid.into();
        check_jwks(&json, None).is_ok()
    };
    assert!(with_kid("one") && with_kid("back\\slash"));
    assert!(!with_kid("nul\0"));
    assert!(!with_kid(&"x".repeat(LONGEST_JWKS)));
}
