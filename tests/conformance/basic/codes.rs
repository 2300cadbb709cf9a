//! Codes that come twice, and refresh tokens.

use std::time::Duration;

use rstest::rstest;

use crate::conformance::{Client, Request, ResponseMode, SignedIn, Suite};

/// A flow, and its code redeemed once more after a while.
async fn redeemed_again(mode: ResponseMode, after: Duration) -> (Suite, SignedIn) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client);
    let callback = suite.authorize(&request).await;
    let code = callback.code(suite.issuer()).to_owned();
    let done = suite.finish(&client, &request, callback).await;
    tokio::time::sleep(after).await;
    suite.redeem(&client, &code).await.assert_refused(400, "invalid_grant");
    (suite, done)
}

#[rstest]
#[tokio::test]
async fn oidcc_codereuse(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    redeemed_again(mode, Duration::ZERO).await;
}

#[rstest]
#[tokio::test]
async fn oidcc_codereuse_30seconds(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let (suite, done) = redeemed_again(mode, Duration::from_secs(30)).await;
    // RFC 6749 §4.1.2: what the first use yielded has ended.
    let answer = suite.userinfo(done.access_token()).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
}

/// The request of a client that wants to go on without the person.
fn offline(suite: &Suite, client: &Client) -> Request {
    suite.request(client).with("scope", "openid offline_access").with("prompt", "consent")
}

#[rstest]
#[tokio::test]
async fn oidcc_refresh_token(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let suite = Suite::start(mode).await;
    assert!(suite.supported("grant_types_supported").contains(&"refresh_token"));
    let (first, second) = (Client::register(&suite.server, &[]), Client::register(&suite.server, &[]));
    refreshes(&suite, &first, &[("scope", "openid offline_access")]).await;
    let of_the_second = refreshes(&suite, &second, &[]).await;
    // RFC 6749 §6: it is bound to the client that it was issued to.
    let form = [("grant_type", "refresh_token"), ("refresh_token", &of_the_second)];
    suite.token(&first, &form).await.assert_refused(400, "invalid_grant");
}

/// Signs in, refreshes, and checks what comes; the refresh token that there is then.
async fn refreshes(suite: &Suite, client: &Client, more: &[(&str, &str)]) -> String {
    let request = offline(suite, client);
    let done = suite.sign_in(client, &request).await;
    let refresh_token = done.tokens["refresh_token"].as_str().expect("a refresh token");
    // So that the new tokens are of another second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let form = [&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)], more].concat();
    let refreshed = suite.token(client, &form).await.tokens().0;
    assert_ne!(refreshed["access_token"], done.tokens["access_token"]);
    assert!(refreshed["expires_in"].as_i64().unwrap() > 0);
    is_like_the_first(suite, client, &done, &refreshed).await;
    let userinfo = suite.userinfo(refreshed["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.json()["sub"], done.id_token["sub"]);
    refreshed["refresh_token"].as_str().unwrap_or(refresh_token).to_owned()
}

/// OpenID Connect Core §12.2: an ID token of a refresh speaks of the same sign-in.
async fn is_like_the_first(suite: &Suite, client: &Client, done: &SignedIn, refreshed: &serde_json::Value) {
    let nonce = refreshed["id_token"]
        .as_str()
        .and_then(|token| crate::harness::claims_of(token)["nonce"].as_str().map(str::to_owned));
    let (_, id_token) = suite.checked(client, refreshed, nonce.as_deref()).await;
    for same in ["iss", "sub", "aud", "azp", "auth_time"] {
        assert_eq!(id_token.get(same), done.id_token.get(same), "{same}");
    }
    assert_ne!(id_token["iat"], done.id_token["iat"]);
}
