//! Parameters that change nothing or little.

use rstest::rstest;

use crate::conformance::{Client, ResponseMode, SignedIn, Suite};

/// A flow with one more parameter.
async fn with_parameter(mode: ResponseMode, name: &str, value: &str) -> (Suite, SignedIn) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let done = suite.sign_in(&client, &suite.request(&client).with(name, value)).await;
    (suite, done)
}

#[rstest]
#[tokio::test]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let done = suite.sign_in(&client, &suite.request(&client).without("nonce")).await;
    assert!(done.id_token.get("nonce").is_none());
}

#[rstest]
#[tokio::test]
async fn oidcc_display_page(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    with_parameter(mode, "display", "page").await;
}

#[rstest]
#[tokio::test]
async fn oidcc_display_popup(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    with_parameter(mode, "display", "popup").await;
}

#[rstest]
#[tokio::test]
async fn oidcc_ensure_request_with_unknown_parameter_succeeds(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    with_parameter(mode, "extra", "foobar").await;
}

#[rstest]
#[tokio::test]
async fn oidcc_ui_locales(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    with_parameter(mode, "ui_locales", "se").await;
}

#[rstest]
#[tokio::test]
async fn oidcc_claims_locales(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    with_parameter(mode, "claims_locales", "se").await;
}

/// What the metadata offers, and where it offers nothing two made-up ones.
#[rstest]
#[tokio::test]
async fn oidcc_ensure_request_with_acr_values_succeeds(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let (suite, done) = with_parameter(mode, "acr_values", "1 2").await;
    let offered = suite.supported("acr_values_supported");
    assert!(!offered.is_empty());
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client).with("acr_values", &offered.join(" "));
    let again = suite.sign_in(&client, &request).await;
    assert_eq!(done.id_token["acr"], again.id_token["acr"]);
    assert!(again.id_token["acr"].as_str().is_some_and(|acr| offered.contains(&acr)));
}

/// Nobody of this name exists, and the person signs in under their own.
#[rstest]
#[tokio::test]
async fn oidcc_login_hint(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client).with("login_hint", "buffy@localhost");
    let page = suite.open(&request).await;
    assert_eq!(page.attribute("#username", "value").as_deref(), Some("buffy@localhost"));
    let callback = request.callback(&suite.allow(page).await);
    suite.finish(&client, &request, callback).await;
}

/// The request as a form, from a page elsewhere: no cookies come along.
#[rstest]
#[tokio::test]
async fn oidcc_ensure_post_request_succeeds(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client);
    let endpoint = suite.endpoint("authorization_endpoint");
    let answer = suite.browser.post(endpoint, &request.parameters()).await;
    let page = suite.browser.follow(answer).await;
    let callback = request.callback(&suite.allow(page).await);
    suite.finish(&client, &request, callback).await;
}
