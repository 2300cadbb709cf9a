use rstest::rstest;

use super::*;
use crate::clients::registration_method::{Method, check_method};
use crate::model::{AuthMethod, ClientSecret, ClientSecrets, SecretHash};

fn authentication(metadata: &ClientMetadata) -> Result<ClientAuthentication, Refusal> {
    let hash = SecretHash { hash: [0; 32], key_id: [0; 8] };
    let secrets =
        ClientSecrets { newest: ClientSecret { hash, expires_at: None, sealed: None }, previous: None };
    Ok(match check_method(metadata)? {
        Method::Public => ClientAuthentication::Public,
        Method::Secret(method) => ClientAuthentication::Secret { method, secrets },
        Method::SecretAssertion => ClientAuthentication::SecretAssertion(secrets),
        Method::Key(keys) => ClientAuthentication::KeyAssertion(keys),
    })
}

fn with(change: impl FnOnce(&mut ClientMetadata)) -> Result<Client, Refusal> {
    let mut metadata = ClientMetadata::named("Demo");
    metadata.redirect_uris = vec!["https://app.example/cb".to_owned()];
    change(&mut metadata);
    let scope = |name: &str| Scope {
        name: name.to_owned(),
        description: "Words".to_owned(),
        restricted: false,
        built_in: false,
    };
    let registered = ["openid", "profile", "email", "offline_access", "roles", "notes:read"].map(scope);
    let authentication = authentication(&metadata)?;
    check(metadata, &registered, ClientId::random(), authentication, Timestamp::from_unix_seconds(0))
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn defaults_are_those_of_a_web_app() {
    let client = with(|_| {}).unwrap();
    assert_eq!(client.application_type, ApplicationType::Web);
    assert_eq!(client.authentication.method(), None);
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
    assert_eq!(client.scopes, DEFAULT_SCOPES);
    assert!(client.rotate_refresh_tokens && client.require_pkce);
}

#[test]
fn a_client_that_nobody_signs_in_to_has_no_default_scope() {
    let client = with(|m| {
        m.redirect_uris.clear();
        m.grant_types = Some(vec![GrantType::ClientCredentials]);
    });
    assert!(client.unwrap().scopes.is_empty());
}

#[rstest]
#[case(true, &["http://127.0.0.1/cb", "com.example.app:/cb"], ApplicationType::Native)]
#[case(true, &["http://localhost:8080/cb", "http://[::1]/cb"], ApplicationType::Native)]
#[case(true, &["http://127.0.0.1/cb", "https://app.example/cb"], ApplicationType::Web)]
#[case(true, &["https://app.example/cb"], ApplicationType::Web)]
#[case(false, &["http://127.0.0.1/cb"], ApplicationType::Web)]
fn a_public_client_that_stays_on_the_device_is_native(
    #[case] public: bool,
    #[case] redirect_uris: &[&str],
    #[case] expected: ApplicationType,
) {
    let client = with(|m| {
        m.public = public;
        m.redirect_uris = strings(redirect_uris);
    });
    assert_eq!(client.unwrap().application_type, expected);
}

#[rstest]
#[case(true, None, Some(AuthMethod::None))]
#[case(true, Some(AuthMethod::None), Some(AuthMethod::None))]
#[case(false, Some(AuthMethod::None), Some(AuthMethod::None))]
#[case(false, None, None)]
#[case(false, Some(AuthMethod::ClientSecretPost), Some(AuthMethod::ClientSecretPost))]
fn public_and_none_go_together(
    #[case] public: bool,
    #[case] given: Option<AuthMethod>,
    #[case] expected: Option<AuthMethod>,
) {
    let client = with(|m| {
        m.public = public;
        m.auth_method = given;
    });
    assert_eq!(client.unwrap().authentication.method(), expected);
}

#[rstest]
#[case("must not be empty", |m: &mut ClientMetadata| m.name.clear())]
#[case("200 characters", |m: &mut ClientMetadata| m.name = "x".repeat(10_000))]
#[case("invisible", |m: &mut ClientMetadata| m.name = "Ba\u{202e}nk".into())]
#[case("invisible", |m: &mut ClientMetadata| m.name = "Ba\0nk".into())]
#[case("leave out one", |m: &mut ClientMetadata| {
    m.public = true;
    m.auth_method = Some(AuthMethod::ClientSecretBasic);
})]
#[case("needs at least one grant", |m: &mut ClientMetadata| m.grant_types = Some(vec![]))]
#[case("refresh_token needs authorization_code", |m: &mut ClientMetadata| {
    m.grant_types = Some(vec![GrantType::RefreshToken]);
})]
#[case("refresh_token needs authorization_code", |m: &mut ClientMetadata| {
    m.grant_types = Some(vec![GrantType::RefreshToken, GrantType::ClientCredentials]);
})]
#[case("confidential clients only", |m: &mut ClientMetadata| {
    m.public = true;
    m.grant_types = Some(vec![GrantType::ClientCredentials]);
})]
#[case("grantor scope create notes:write --description", |m: &mut ClientMetadata| {
    m.scopes = Some(strings(&["notes:read", "notes:write"]));
})]
#[case("audience api is refused", |m: &mut ClientMetadata| m.audiences = strings(&["api"]))]
#[case("audience https://api.example/#x is refused", |m: &mut ClientMetadata| {
    m.audiences = strings(&["https://api.example/#x"]);
})]
#[case("resource server api is refused", |m: &mut ClientMetadata| m.resource_servers = strings(&["api"]))]
#[case("cannot be a resource server", |m: &mut ClientMetadata| {
    m.public = true;
    m.resource_servers = strings(&["https://api.example"]);
})]
#[case("always rotates", |m: &mut ClientMetadata| {
    m.public = true;
    m.rotate_refresh_tokens = false;
})]
#[case("always rotates", |m: &mut ClientMetadata| {
    m.public = true;
    m.require_pkce = false;
})]
#[case("24 hours", |m: &mut ClientMetadata| m.access_token_lifetime = Some(DAY * 2))]
#[case("10 seconds", |m: &mut ClientMetadata| m.access_token_lifetime = Some(Duration::ZERO))]
#[case("400 days", |m: &mut ClientMetadata| m.refresh_absolute_lifetime = Some(DAY * 401))]
#[case("must not be longer than the absolute", |m: &mut ClientMetadata| {
    m.refresh_idle_lifetime = Some(DAY * 3);
    m.refresh_absolute_lifetime = Some(DAY * 2);
})]
fn bad_metadata_is_refused(#[case] reason: &str, #[case] change: fn(&mut ClientMetadata)) {
    match with(change) {
        Err(Refusal::Metadata(text)) => assert!(text.contains(reason), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case("authorization_code needs a redirect URI", &[])]
#[case("javascript:alert(1) is refused", &["https://app.example/cb", "javascript:alert(1)"])]
#[case("http://app.example/cb is refused", &["http://app.example/cb"])]
#[case("com.example.app:/cb is refused", &["com.example.app:/cb"])]
#[case("com.example.app:/cb is refused", &["https://app.example/cb", "com.example.app:/cb"])]
#[case("https://app.example/\\u{7}cb is refused", &["https://app.example/\u{7}cb"])]
fn bad_redirect_uris_are_refused(#[case] reason: &str, #[case] redirect_uris: &[&str]) {
    match with(|m| m.redirect_uris = strings(redirect_uris)) {
        Err(Refusal::RedirectUri(text)) => assert!(text.contains(reason), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_repeated_entry_counts_once() {
    let client = with(|m| m.audiences = strings(&["https://a.example", "https://a.example"])).unwrap();
    assert_eq!(client.audiences, ["https://a.example"]);
    let many = |m: &mut ClientMetadata| {
        m.audiences = (0..=MAX_LIST_LENGTH).map(|n| format!("https://a.example/{n}")).collect();
    };
    assert!(matches!(with(many), Err(Refusal::Metadata(text)) if text.contains("at most 100")));
}

/// RFC 9700 §4.15.
#[test]
fn only_an_app_that_no_other_can_pose_as_skips_consent() {
    let (web, native) = (Some(ApplicationType::Web), Some(ApplicationType::Native));
    for (public, application_type, uri, accepted) in [
        (false, None, "https://app.example/cb", true),
        (true, None, "https://app.example/cb", true),
        (false, None, "http://127.0.0.1/cb", true),
        (true, web, "http://127.0.0.1:3000/cb", false),
        (true, None, "http://127.0.0.1/cb", false),
        (false, native, "https://app.example/cb", false),
        (true, native, "https://app.example/cb", false),
        (true, None, "com.example.app:/cb", false),
    ] {
        let registered = |skip_consent| {
            with(|metadata| {
                metadata.public = public;
                metadata.application_type = application_type;
                metadata.redirect_uris = strings(&[uri]);
                metadata.skip_consent = skip_consent;
            })
        };
        assert!(registered(false).is_ok(), "{uri}");
        assert_eq!(registered(true).is_ok(), accepted, "{uri}");
    }
    // One that is not good enough is one too many.
    let two = with(|metadata| {
        metadata.public = true;
        metadata.application_type = web;
        metadata.redirect_uris.push("http://127.0.0.1:3000/cb".to_owned());
        metadata.skip_consent = true;
    });
    assert!(two.is_err());
}

#[test]
fn a_default_max_age_has_an_end() {
    let max_age = |days| with(|m| m.openid.default_max_age = Some(DAY * days));
    assert!(max_age(0).is_ok() && max_age(400).is_ok() && max_age(401).is_err());
}
