//! Requests that turn on whether the person is signed in, and since when.

use std::time::Duration;

use rstest::rstest;

use crate::conformance::{Client, ResponseMode, SignedIn, Suite};

/// A first flow, in which the person has signed in.
async fn signed_in(mode: ResponseMode) -> (Suite, Client, SignedIn) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let first = suite.sign_in(&client, &suite.request(&client)).await;
    (suite, client, first)
}

/// A second flow in which nothing may be shown; it speaks of the same person and sign-in.
async fn again_at_once(suite: &Suite, client: &Client, first: &SignedIn, more: &[(&str, &str)]) {
    let usual = suite.request(client);
    let request = more.iter().fold(usual, |request, (name, value)| request.with(name, value));
    let callback = suite.answered_at_once(&request).await;
    let second = suite.finish(client, &request, callback).await;
    assert_eq!(second.auth_time(), first.auth_time());
    assert_eq!(second.id_token["sub"], first.id_token["sub"]);
}

/// A second flow in which the person has to sign in once more; it speaks of that sign-in.
async fn again_after_the_password(suite: &Suite, client: &Client, first: &SignedIn, more: (&str, &str)) {
    // Longer than `max_age`, and so long that `auth_time` is another.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let request = suite.request(client).with(more.0, more.1);
    let page = suite.open(&request).await;
    assert!(page.has_id("login-submit") && page.has_id("password"), "{}", page.body);
    let callback = request.callback(&suite.allow(page).await);
    let second = suite.finish(client, &request, callback).await;
    assert!(second.auth_time() > first.auth_time(), "{} {}", second.auth_time(), first.auth_time());
    assert_eq!(second.id_token["sub"], first.id_token["sub"]);
}

#[rstest]
#[tokio::test]
async fn oidcc_prompt_login(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let (suite, client, first) = signed_in(mode).await;
    again_after_the_password(&suite, &client, &first, ("prompt", "login")).await;
}

#[rstest]
#[tokio::test]
async fn oidcc_max_age_1(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let (suite, client, first) = signed_in(mode).await;
    again_after_the_password(&suite, &client, &first, ("max_age", "1")).await;
}

#[rstest]
#[tokio::test]
async fn oidcc_max_age_10000(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let first = suite.sign_in(&client, &suite.request(&client).with("max_age", "15000")).await;
    again_at_once(&suite, &client, &first, &[("max_age", "10000")]).await;
}

#[rstest]
#[tokio::test]
async fn oidcc_prompt_none_logged_in(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let (suite, client, first) = signed_in(mode).await;
    again_at_once(&suite, &client, &first, &[("prompt", "none")]).await;
}

#[rstest]
#[tokio::test]
async fn oidcc_id_token_hint(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let (suite, client, first) = signed_in(mode).await;
    let more = [("prompt", "none"), ("id_token_hint", first.hint.as_str())];
    again_at_once(&suite, &client, &first, &more).await;
}

#[rstest]
#[tokio::test]
async fn oidcc_prompt_none_not_logged_in(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client).with("prompt", "none").with_a_long_state();
    let callback = suite.answered_at_once(&request).await;
    let needs_a_page =
        ["interaction_required", "login_required", "account_selection_required", "consent_required"];
    callback.refuses_with(suite.issuer(), &needs_a_page);
}
