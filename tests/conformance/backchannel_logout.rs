//! `oidcc-backchannel-rp-initiated-logout-certification-test-plan`.

use std::collections::BTreeMap;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use super::config::every_endpoint_is_https;
use super::{Client, POST_LOGOUT, ResponseMode, Suite};
use crate::harness::{LogoutReceiver, Settings, query_of, set_backchannel_logout_uri, unix_now, until};

/// What is done at the end of a session, by the registered name of the event (OpenID Connect Back-Channel Logout §2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Where the suite wants logout tokens.
const PATH: &str = "/test/a/grantor/backchannel_logout";

#[tokio::test]
async fn oidcc_backchannel_logout_discovery_endpoint_verification() {
    let suite = Suite::start(ResponseMode::Query).await;
    every_endpoint_is_https(&suite);
    assert_eq!(suite.metadata["backchannel_logout_supported"], true);
    assert_eq!(suite.metadata["backchannel_logout_session_supported"], true);
    suite.endpoint("end_session_endpoint");
}

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout() {
    let receiver = LogoutReceiver::start().await;
    let settings = |settings: Settings| settings.with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", &receiver.origin());
    let suite = Suite::start_with(ResponseMode::Query, settings).await;
    let client = Client::register(&suite.server, &["--backchannel-logout-session-required", "true"]);
    let uri = format!("{}{PATH}", receiver.origin());
    set_backchannel_logout_uri(&suite.server, &client.id, &uri).await;
    let done = suite.sign_in(&client, &suite.request(&client)).await;

    let parameters = [
        ("id_token_hint", done.hint.as_str()),
        ("post_logout_redirect_uri", POST_LOGOUT),
        ("state", "st4te"),
    ];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let page = suite.browser.get(&format!("{}?{query}", suite.endpoint("end_session_endpoint"))).await;
    let answer = match page.has_id("logout-confirm") {
        true => suite.browser.submit(&page, &[]).await,
        false => page,
    };
    let location = suite.browser.follow(answer).await.location().expect("the way back");
    assert!(location.starts_with(POST_LOGOUT), "{location}");
    assert_eq!(query_of(&location), BTreeMap::from([("state".to_owned(), "st4te".to_owned())]));

    until(Duration::from_secs(30), || async { !receiver.requests(PATH).is_empty() }).await;
    let request = receiver.requests(PATH).remove(0);
    // §2.5: a form with the token and nothing else.
    assert!(request.head.starts_with("post "), "{}", request.head);
    assert!(request.head.contains("\r\ncontent-type: application/x-www-form-urlencoded"), "{}", request.head);
    assert_eq!(request.fields, ["logout_token"]);
    is_a_logout_token(&suite, &request.logout_token, &client, &done.id_token).await;
    let callback = suite.answered_at_once(&suite.request(&client).with("prompt", "none")).await;
    callback.refuses_with(suite.issuer(), &["login_required"]);
}

/// §2.4.
async fn is_a_logout_token(suite: &Suite, token: &str, client: &Client, id_token: &Value) {
    let header = decode_header(token).unwrap();
    assert_eq!((header.typ.as_deref(), header.alg), (Some("logout+jwt"), Algorithm::RS256));
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[suite.issuer()]);
    validation.set_audience(&[&client.id]);
    validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    let keys = suite.keys().await;
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).expect("a published key")).unwrap();
    let claims = decode::<Value>(token, &key, &validation).unwrap().claims;
    assert_eq!(claims["events"], json!({EVENT: {}}));
    assert!(claims["jti"].as_str().is_some_and(|id| !id.is_empty()), "{claims}");
    assert!(claims["iat"].as_i64().unwrap() <= unix_now() + 1, "{claims}");
    assert!(claims.get("nonce").is_none(), "{claims}");
    for same in ["sub", "sid"] {
        assert!(claims[same].is_string(), "{same} in {claims}");
        assert_eq!(claims[same], id_token[same], "{same}");
    }
}
