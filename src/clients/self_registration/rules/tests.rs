use rstest::rstest;

use super::*;
use crate::config::RegistrationMode;
use crate::model::Scope;

fn config() -> config::Registration {
    config::Registration {
        mode: RegistrationMode::Open,
        allowed_scopes: ScopeSet::parse("openid email gone").unwrap(),
        audiences: vec!["https://api.example".to_owned()],
        allow_client_credentials: false,
        require_pkce: true,
        show_logos: false,
        unused_client_lifetime: None,
        max_clients: 1,
        per_network_per_day: 1,
    }
}

fn scopes() -> ScopeCatalogue {
    let scope = |name: &str| Scope {
        name: name.to_owned(),
        description: "Words".to_owned(),
        restricted: name == "admin",
        built_in: false,
    };
    ScopeCatalogue::new(["openid", "email", "notes", "admin"].map(scope).to_vec())
}

fn apply_with(
    config: &config::Registration,
    change: impl FnOnce(&mut RegistrationRequest),
) -> Result<ClientMetadata, String> {
    let mut request = RegistrationRequest {
        redirect_uris: vec!["https://app.example/cb".to_owned()],
        ..RegistrationRequest::default()
    };
    change(&mut request);
    let (scopes, outgoing) = (scopes(), Policy::new(&[], false));
    let algorithms = [Algorithm::Rs256, Algorithm::Ed25519];
    let rules = Rules { config, scopes: &scopes, algorithms: &algorithms, outgoing: &outgoing };
    rules.apply(request, None).map_err(|refused| refused.to_string())
}

fn apply(change: impl FnOnce(&mut RegistrationRequest)) -> Result<ClientMetadata, String> {
    apply_with(&config(), change)
}

fn texts(texts: &[&str]) -> Option<Vec<String>> {
    Some(texts.iter().map(|&text| text.to_owned()).collect())
}

#[test]
fn who_says_nothing_gets_the_defaults_of_the_specification_and_what_the_operator_gives_all() {
    let metadata = apply(|_| {}).unwrap();
    assert_eq!(metadata.name, "app.example");
    assert_eq!(metadata.auth_method, Some(AuthMethod::ClientSecretBasic));
    assert_eq!(metadata.grant_types, Some(vec![GrantType::AuthorizationCode]));
    assert_eq!(metadata.application_type, Some(ApplicationType::Web));
    assert_eq!(metadata.scopes, texts(&["openid", "email"]), "that are registered");
    assert_eq!(metadata.audiences, ["https://api.example"]);
    assert!(metadata.require_pkce && metadata.rotate_refresh_tokens && !metadata.skip_consent);
    assert!(metadata.resource_servers.is_empty());
}

#[rstest]
#[case(None, None, Some(&["authorization_code"][..]))]
#[case(Some(&["authorization_code", "refresh_token"][..]), None, Some(&["authorization_code", "refresh_token"][..]))]
#[case(Some(&["authorization_code", "password", "urn:x"][..]), Some(&["code", "token"][..]), Some(&["authorization_code"][..]))]
#[case(None, Some(&["token"][..]), None)]
#[case(Some(&["authorization_code"][..]), Some(&["id_token"][..]), None)]
#[case(Some(&["authorization_code"][..]), Some(&[][..]), None)]
#[case(Some(&["password"][..]), None, None)]
#[case(Some(&["client_credentials"][..]), Some(&[][..]), None)]
#[case(Some(&[][..]), None, None)]
fn grants_are_those_that_there_are(
    #[case] grants: Option<&[&str]>,
    #[case] responses: Option<&[&str]>,
    #[case] expected: Option<&[&str]>,
) {
    let metadata = apply(|request| {
        request.grant_types = grants.and_then(texts);
        request.response_types = responses.and_then(texts);
    });
    let names = metadata.ok().and_then(|metadata| metadata.grant_types);
    let names = names.map(|grants| grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>());
    assert_eq!(names.as_deref(), expected);
}

#[rstest]
#[case(None, Some(&["openid", "email"][..]))]
#[case(Some("openid"), Some(&["openid"][..]))]
#[case(Some("notes openid admin unknown"), Some(&["openid"][..]))]
#[case(Some(" "), Some(&[][..]))]
#[case(Some("notes"), None)]
#[case(Some("gone"), None)]
#[case(Some("a\"b"), None)]
fn scopes_are_cut_down_to_those_that_are_allowed(
    #[case] asked: Option<&str>,
    #[case] expected: Option<&[&str]>,
) {
    let metadata = apply(|request| request.scope = asked.map(str::to_owned));
    assert_eq!(metadata.ok().and_then(|metadata| metadata.scopes), expected.and_then(texts));
}

#[test]
fn a_restricted_scope_needs_the_operators_word() {
    let listed =
        config::Registration { allowed_scopes: ScopeSet::parse("openid admin").unwrap(), ..config() };
    let metadata = apply_with(&listed, |request| request.scope = Some("admin".to_owned())).unwrap();
    assert_eq!(metadata.scopes, texts(&["admin"]));
}

#[rstest]
#[case(None, "openid", true, true)]
#[case(None, "openid", false, false)]
#[case(None, "email", false, true)]
#[case(Some("none"), "openid", false, true)]
#[case(Some("none"), "openid", true, true)]
fn only_an_openid_client_with_credentials_may_be_let_off_pkce(
    #[case] method: Option<&str>,
    #[case] scope: &str,
    #[case] configured: bool,
    #[case] expected: bool,
) {
    let config = config::Registration { require_pkce: configured, ..config() };
    let metadata = apply_with(&config, |request| {
        request.token_endpoint_auth_method = method.map(str::to_owned);
        request.scope = Some(scope.to_owned());
    });
    assert_eq!(metadata.unwrap().require_pkce, expected);
}

#[rstest]
#[case("RS256", true)]
#[case("Ed25519", true)]
#[case("ES256", false)]
#[case("none", false)]
#[case("HS256", false)]
#[case("rs256", false)]
fn an_algorithm_is_one_that_there_is_a_key_for(#[case] alg: &str, #[case] fits: bool) {
    let alg = Some(alg.to_owned());
    for (member, applied) in [
        ("id_token", apply(|request| request.id_token_signed_response_alg = alg.clone())),
        ("userinfo", apply(|request| request.userinfo_signed_response_alg = alg.clone())),
        ("introspection", apply(|request| request.introspection_signed_response_alg = alg.clone())),
    ] {
        assert_eq!(applied.is_ok(), fits, "{member}");
        if let Err(refused) = applied {
            assert!(refused.contains(member) && refused.contains("RS256, Ed25519"), "{refused}");
        }
    }
}

#[rstest]
#[case(&["https://app.example/cb"], Some("none"), None, ApplicationType::Web)]
#[case(&["https://app.example/cb", "http://127.0.0.1/cb"], Some("none"), None, ApplicationType::Native)]
#[case(&["https://app.example/cb", "http://127.0.0.1/cb"], None, None, ApplicationType::Web)]
#[case(&["http://127.0.0.1/cb"], Some("none"), Some("web"), ApplicationType::Web)]
#[case(&["https://app.example/cb"], None, Some("native"), ApplicationType::Native)]
fn the_type_is_the_one_that_is_given_or_that_the_addresses_show(
    #[case] uris: &[&str],
    #[case] method: Option<&str>,
    #[case] given: Option<&str>,
    #[case] expected: ApplicationType,
) {
    let metadata = apply(|request| {
        request.redirect_uris = texts(uris).unwrap();
        request.token_endpoint_auth_method = method.map(str::to_owned);
        request.application_type = given.map(str::to_owned);
    });
    assert_eq!(metadata.unwrap().application_type, Some(expected));
}
