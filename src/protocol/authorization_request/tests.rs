use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::protocol::prompt::Prompt;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn parameters(query: &str) -> Parameters {
    Parameters::parse(query.as_bytes()).unwrap()
}

/// Both steps, with the redirect URI registered.
fn parse(query: &str) -> Result<AuthorizationRequest, AuthorizationError> {
    let parameters = parameters(&format!("client_id=app&redirect_uri=https://app.example/cb&{query}"));
    let client = ClientAndRedirect::parse(&parameters).unwrap();
    AuthorizationRequest::parse(&parameters, client, "https://app.example/cb".into())
}

#[rstest]
#[case("", UntrustedRequest::ClientIdMissing)]
#[case("client_id=", UntrustedRequest::ClientIdMissing)]
#[case("client_id=app&scope=a+openid", UntrustedRequest::RedirectUriMissing)]
#[case("client_id=app&redirect_uri=&scope=openid", UntrustedRequest::RedirectUriMissing)]
#[case("client_id=app&scope=a&scope=openid", UntrustedRequest::RedirectUriMissing)]
fn without_client_and_redirect_uri_nothing_is_trusted(
    #[case] query: &str,
    #[case] expected: UntrustedRequest,
) {
    assert_eq!(ClientAndRedirect::parse(&parameters(query)), Err(expected));
}

#[rstest]
#[case("client_id=app&client_id=app&redirect_uri=https://app.example/cb")]
#[case("client_id=app&redirect_uri=https://app.example/cb&redirect_uri=https://evil.example")]
#[case("client_id=app&redirect_uri=https://app.example/cb&redirect_uri=")]
fn a_repeated_client_or_redirect_uri_is_not_trusted(#[case] query: &str) {
    let error = ClientAndRedirect::parse(&parameters(query)).unwrap_err();
    assert!(matches!(error, UntrustedRequest::Malformed(_)) && !error.to_string().contains("example"));
}

#[test]
fn a_redirect_uri_may_be_left_out_without_openid() {
    let parameters = parameters("client_id=app&scope=openidx&response_type=code");
    let client = ClientAndRedirect::parse(&parameters).unwrap();
    assert_eq!(client.redirect_uri, None);
    let request = AuthorizationRequest::parse(&parameters, client, "https://app.example/cb".into()).unwrap();
    assert!(!request.redirect_uri_given);
}

#[test]
fn a_repeated_state_is_not_echoed() {
    let state = |query: &str| ClientAndRedirect::parse(&parameters(query)).unwrap().state;
    assert_eq!(state("client_id=app&state=a").as_deref(), Some("a"));
    assert_eq!(state("client_id=app&state=a&state=a"), None);
}

#[test]
fn a_full_request_is_read() {
    let request = parse(&format!(
        "response_type=code&response_mode=query&scope=openid+a&state=s%3C%26&nonce=n&code_challenge={CHALLENGE}\
         &code_challenge_method=S256&resource=https://api.example&resource=urn:b&prompt=login+consent&max_age=0\
         &login_hint=ada&unknown=x"
    ))
    .unwrap();
    assert_eq!(request.client_id, "app");
    assert!(request.redirect_uri_given);
    assert_eq!(request.scope.as_ref().unwrap().to_string(), "openid a");
    assert_eq!((request.state.as_deref(), request.nonce.as_deref()), (Some("s<&"), Some("n")));
    assert_eq!(request.code_challenge.as_ref().unwrap().as_str(), CHALLENGE);
    assert_eq!(request.resources.as_slice(), ["https://api.example", "urn:b"]);
    assert!(request.prompt.contains(Prompt::Login) && request.prompt.contains(Prompt::Consent));
    assert_eq!((request.max_age, request.login_hint.as_deref()), (Some(0), Some("ada")));
    let json = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<AuthorizationRequest>(&json).unwrap(), request);
}

#[test]
fn an_answer_by_form_is_asked_for_by_name() {
    for (query, mode) in [
        ("", ResponseMode::Query),
        ("&response_mode=query", ResponseMode::Query),
        ("&response_mode=form_post", ResponseMode::FormPost),
    ] {
        let request = parse(&format!("response_type=code{query}")).unwrap();
        assert_eq!(request.response_mode, mode, "{query}");
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<AuthorizationRequest>(&json).unwrap(), request);
    }
}

/// OpenID Connect Core §3.1.2.1: wishes of which nothing follows, since each page is one page in one language.
#[rstest]
#[case("display=page")]
#[case("display=popup")]
#[case("display=hologram")]
#[case("ui_locales=fr-CA+fr+en")]
#[case("claims_locales=de")]
#[case("acr_values=1+phr")]
#[case("anything=else")]
fn a_wish_changes_nothing(#[case] wish: &str) {
    assert_eq!(parse(&format!("response_type=code&{wish}")).unwrap(), parse("response_type=code").unwrap());
    let twice = parse(&format!("response_type=code&{wish}&{wish}"));
    assert_eq!(twice.unwrap_err().code().as_str(), "invalid_request");
}

#[test]
fn a_small_request_is_sealed_small() {
    let request = parse("response_type=code&scope=+").unwrap();
    assert_eq!(
        serde_json::to_string(&request).unwrap(),
        r#"{"client_id":"app","redirect_uri":"https://app.example/cb","redirect_uri_given":true}"#
    );
}

#[rstest]
#[case("", "invalid_request", "response_type")]
#[case("response_type=", "invalid_request", "response_type")]
#[case("response_type=token", "unsupported_response_type", "code")]
#[case("response_type=id_token", "unsupported_response_type", "code")]
#[case("response_type=code+token", "unsupported_response_type", "code")]
#[case("response_type=CODE", "unsupported_response_type", "code")]
#[case("response_type=code&response_type=code", "invalid_request", "response_type")]
#[case("response_type=code&response_mode=fragment", "invalid_request", "response_mode")]
#[case("response_type=code&response_mode=form_post&response_mode=query", "invalid_request", "response_mode")]
#[case("response_type=code&state=a&state=a", "invalid_request", "state")]
#[case("response_type=code&scope=a&scope=b", "invalid_request", "scope")]
#[case("response_type=code&scope=a%22", "invalid_scope", "scope")]
#[case("response_type=code&scope=%C3%A4", "invalid_scope", "scope")]
#[case("response_type=code&nonce=a&nonce=b", "invalid_request", "nonce")]
#[case("response_type=code&other=a&other=b", "invalid_request", "other")]
#[case("response_type=code&resource=api", "invalid_target", "resource")]
#[case("response_type=code&resource=https://api.example/%23", "invalid_target", "resource")]
#[case("response_type=code&prompt=none+login", "invalid_request", "prompt")]
#[case("response_type=code&prompt=create", "invalid_request", "prompt")]
#[case("response_type=code&max_age=-1", "invalid_request", "max_age")]
#[case("response_type=code&max_age=%2B1", "invalid_request", "max_age")]
#[case("response_type=code&max_age=99999999999999999999", "invalid_request", "max_age")]
#[case("request=eyJhbGciOiJub25lIn0.e30.", "request_not_supported", "request")]
#[case("response_type=code&request_uri=http://127.0.0.1/", "request_uri_not_supported", "request_uri")]
#[case("response_type=code&request_uri=file:///etc/passwd", "request_uri_not_supported", "request_uri")]
#[case("response_type=code&registration=%7B%7D", "registration_not_supported", "registration")]
fn what_is_wrong_is_named(#[case] query: &str, #[case] code: &str, #[case] named: &str) {
    let error = parse(query).unwrap_err();
    assert_eq!(error.code().as_str(), code);
    assert!(error.description().contains(named), "{error}");
}

#[rstest]
#[case(&format!("code_challenge={CHALLENGE}"), "code_challenge_method")]
#[case(&format!("code_challenge={CHALLENGE}&code_challenge_method="), "code_challenge_method")]
#[case(&format!("code_challenge={CHALLENGE}&code_challenge_method=plain"), "S256")]
#[case(&format!("code_challenge={CHALLENGE}&code_challenge_method=s256"), "S256")]
#[case(&format!("code_challenge={CHALLENGE}x&code_challenge_method=S256"), "code_challenge")]
#[case(&format!("code_challenge={CHALLENGE}&code_challenge={CHALLENGE}&code_challenge_method=S256"), "once")]
#[case("code_challenge_method=S256", "without a 'code_challenge'")]
fn only_a_proper_challenge_is_accepted(#[case] query: &str, #[case] named: &str) {
    let error = parse(&format!("response_type=code&{query}")).unwrap_err();
    assert_eq!(error.code().as_str(), "invalid_request");
    assert!(error.description().contains(named), "{error}");
}

#[test]
fn the_length_of_all_values_is_limited() {
    let with_total = |total: usize| {
        let others = "app".len() + "https://app.example/cb".len() + "code".len();
        parse(&format!("response_type=code&state={}", "s".repeat(total - others)))
    };
    assert!(with_total(LONGEST_REQUEST).is_ok());
    let error = with_total(LONGEST_REQUEST + 1).unwrap_err();
    assert_eq!(error.code().as_str(), "invalid_request");
    assert!(error.description().contains("4096 bytes") && error.description().contains("pushed"));
}

#[test]
fn debug_output_hides_what_only_the_client_should_know() {
    let text =
        format!("{:?}", parse("response_type=code&state=hunter2&nonce=hunter2&login_hint=hunter2").unwrap());
    assert!(text.contains("app") && !text.contains("hunter2"));
}

proptest! {
    #[test]
    fn any_accepted_request_survives_sealing(
        state in "\\PC{0,40}", scope in "[a-c :]{0,20}", prompt in "(none|login|consent| ){0,3}", age in any::<u64>(),
    ) {
        let age = age.to_string();
        let pairs = [("state", &*state), ("scope", &scope), ("prompt", &prompt), ("max_age", &age)];
        let query = form_urlencoded::Serializer::new("response_type=code".to_owned()).extend_pairs(pairs).finish();
        if let Ok(request) = parse(&query) {
            prop_assert_eq!(request.state.as_deref().unwrap_or_default(), state);
            let json = serde_json::to_string(&request).unwrap();
            prop_assert_eq!(serde_json::from_str::<AuthorizationRequest>(&json).unwrap(), request);
        }
    }
}
