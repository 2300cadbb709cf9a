//! What a flow yields: tokens, ID token, UserInfo.

use reqwest::Method;
use rstest::rstest;

use crate::conformance::suite::FORM;
use crate::conformance::{Client, ResponseMode, Suite, checks};
use crate::harness::{Answer, pkce};

#[rstest]
#[tokio::test]
async fn oidcc_server(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let done = suite.sign_in(&client, &suite.request(&client)).await;
    assert_eq!(done.tokens["scope"], "openid");
}

#[rstest]
#[tokio::test]
async fn oidcc_server_client_secret_post(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &["--auth-method", "client_secret_post"]).by_post();
    suite.sign_in(&client, &suite.request(&client)).await;
    assert!(suite.supported("token_endpoint_auth_methods_supported").contains(&"client_secret_post"));
}

#[rstest]
#[tokio::test]
async fn oidcc_idtoken_signature(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let done = suite.sign_in(&client, &suite.request(&client)).await;
    assert_eq!(done.header.alg, jsonwebtoken::Algorithm::RS256);
    assert!(done.header.kid.is_some());
}

/// The module is skipped where `none` is not offered, and it is not.
#[rstest]
#[tokio::test]
async fn oidcc_idtoken_unsigned(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let suite = Suite::start(mode).await;
    assert!(!suite.supported("id_token_signing_alg_values_supported").contains(&"none"));
    let arguments = ["client", "create", "--name", "Unsigned", "--redirect-uri", "https://app.example/cb"];
    let unsigned = [&arguments[..], &["--id-token-signed-response-alg", "none"]].concat();
    assert!(!suite.server.cli_output(&unsigned, "").status.success());
}

#[rstest]
#[tokio::test]
async fn oidcc_userinfo_get(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let done = suite.sign_in(&client, &suite.request(&client)).await;
    checks::userinfo(&suite.userinfo(done.access_token()).await, &done.id_token);
}

#[rstest]
#[tokio::test]
async fn oidcc_userinfo_post_header(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let done = suite.sign_in(&client, &suite.request(&client)).await;
    // A form without fields.
    let request = suite.ask(Method::POST, "userinfo_endpoint").header("content-type", FORM);
    let answer = Answer::read(request.bearer_auth(done.access_token()).send().await.unwrap()).await;
    checks::userinfo(&answer, &done.id_token);
}

#[rstest]
#[tokio::test]
async fn oidcc_userinfo_post_body(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let done = suite.sign_in(&client, &suite.request(&client)).await;
    let fields = [("access_token", done.access_token())];
    let request = suite.ask(Method::POST, "userinfo_endpoint").header("content-type", FORM);
    let answer = Answer::read(request.form(&fields).send().await.unwrap()).await;
    checks::userinfo(&answer, &done.id_token);
}

#[rstest]
#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let (verifier, challenge) = pkce();
    let request =
        suite.request(&client).with("code_challenge", &challenge).with("code_challenge_method", "S256");
    let callback = suite.authorize(&request).await;
    let code = callback.code(suite.issuer()).to_owned();
    // Without the verifier a challenge is no ornament.
    suite.redeem(&client, &code).await.assert_refused(400, "invalid_grant");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &client.redirect_uri),
        ("code_verifier", &verifier),
    ];
    let tokens = suite.token(&client, &form).await.tokens().0;
    let (_, id_token) = suite.checked(&client, &tokens, request.get("nonce")).await;
    checks::userinfo(&suite.userinfo(tokens["access_token"].as_str().unwrap()).await, &id_token);
}
