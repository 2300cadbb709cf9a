use proptest::prelude::*;

use super::*;
use crate::model::samples;
use crate::protocol::RedirectUri;

const ISSUER: &str = "https://id.example";

fn client(redirect_uri: &str, application_type: ApplicationType) -> Client {
    Client {
        application_type,
        redirect_uris: vec!["https://first.example/".to_owned(), redirect_uri.to_owned()],
        ..samples::client()
    }
}

/// Where a redirect leads.
fn location(response: &AuthorizationResponse) -> String {
    match response.delivery() {
        Delivery::Redirect(location) => location.expose().clone(),
        Delivery::Form { .. } => panic!("it is a form"),
    }
}

fn pairs(location: &str) -> Vec<(String, String)> {
    let (_, query) = location.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn every_answer_has_state_and_issuer() {
    let client = client("https://app.example/cb?tenant=1", ApplicationType::Web);
    let target =
        |state| RedirectTarget::new(&client, "https://app.example/cb?tenant=1", state, ISSUER).unwrap();
    let code = Secret::new("c0de".to_owned());
    let error = AuthorizationError::access_denied("no");
    assert_eq!(
        pairs(&location(&target(Some("s")).with_code(&code))),
        [pair("tenant", "1"), pair("code", "c0de"), pair("state", "s"), pair("iss", ISSUER)]
    );
    assert_eq!(
        pairs(&location(&target(Some("s")).refuse(&error))),
        [
            pair("tenant", "1"),
            pair("error", "access_denied"),
            pair("error_description", "no"),
            pair("state", "s"),
            pair("iss", ISSUER)
        ]
    );
    assert_eq!(
        pairs(&location(&target(None).with_code(&code))),
        [pair("tenant", "1"), pair("code", "c0de"), pair("iss", ISSUER)]
    );
}

#[test]
fn a_form_has_what_the_query_would_have_and_leaves_the_uri_as_it_is() {
    let uri = "https://app.example/cb?tenant=1";
    let client = client(uri, ApplicationType::Web);
    let target = RedirectTarget::new(&client, uri, Some("s"), ISSUER).unwrap().by(ResponseMode::FormPost);
    let error = AuthorizationError::access_denied("no");
    for (response, expected) in [
        (
            target.with_code(&Secret::new("c0de".to_owned())),
            vec![("code", "c0de"), ("state", "s"), ("iss", ISSUER)],
        ),
        (
            target.refuse(&error),
            vec![("error", "access_denied"), ("error_description", "no"), ("state", "s"), ("iss", ISSUER)],
        ),
    ] {
        let Delivery::Form { uri: action, fields } = response.delivery() else { panic!("a redirect") };
        assert_eq!(action, uri);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.expose().as_str())).collect();
        assert_eq!(fields, expected);
        assert!(!format!("{response:?}").contains("c0de"));
    }
}

#[test]
fn only_a_native_client_may_choose_the_loopback_port() {
    let registered = "http://127.0.0.1/cb";
    for (application_type, accepted) in [(ApplicationType::Native, true), (ApplicationType::Web, false)] {
        let client = client(registered, application_type);
        let target = RedirectTarget::new(&client, "http://127.0.0.1:51004/cb", None, ISSUER);
        assert_eq!(target.is_some(), accepted, "{application_type}");
    }
}

/// What an operator can register.
fn registered_uri() -> impl Strategy<Value = String> {
    "(https://[a-z]{1,8}\\.example(:[1-9][0-9]{1,3})?(/[a-z%4]{0,6}){0,2}(\\?[a-z]{1,3}=[a-z&]{0,4})?|com\\.example\\.[a-z]{1,5}:/[a-z]{0,5})"
        .prop_filter("it can be registered", |uri| RedirectUri::register(uri, true).is_ok())
}

proptest! {
    #[test]
    fn nothing_else_than_what_is_registered_becomes_a_target(uri in registered_uri(), other in "\\PC{0,40}") {
        let client = client(&uri, ApplicationType::Web);
        prop_assert!(RedirectTarget::new(&client, &uri, None, ISSUER).is_some());
        for presented in [other.clone(), format!("{uri}{other}"), format!("{other}{uri}")] {
            let accepted = RedirectTarget::new(&client, &presented, None, ISSUER).is_some();
            prop_assert_eq!(accepted, client.redirect_uris.contains(&presented), "{}", presented);
        }
    }

    #[test]
    fn the_answer_goes_where_it_was_registered_whatever_the_state(
        uri in registered_uri(),
        state in "(\\PC|[\r\n\t#&?=%\"<>]){1,60}",
    ) {
        let client = client(&uri, ApplicationType::Web);
        let target = RedirectTarget::new(&client, &uri, Some(&state), ISSUER).unwrap();
        let location = location(&target.with_code(&Secret::new("c0de".to_owned())));
        prop_assert!(location.starts_with(&uri));
        prop_assert!(location.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{}", location);
        let answer = [pair("code", "c0de"), pair("state", &state), pair("iss", ISSUER)];
        prop_assert!(pairs(&location).ends_with(&answer), "{}", location);
    }
}
