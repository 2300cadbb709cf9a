//! What scopes and the `claims` parameter bring.

use rstest::rstest;

use crate::conformance::{Client, ResponseMode, SignedIn, Suite, checks};

/// A flow with these scopes beside `openid`; every claim of theirs is there, and none of another.
async fn with_scopes(mode: ResponseMode, scopes: &[&str]) -> SignedIn {
    let suite = Suite::start(mode).await;
    assert!(scopes.iter().all(|scope| suite.supported("scopes_supported").contains(scope)));
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client).with("scope", &format!("openid {}", scopes.join(" ")));
    let done = suite.sign_in(&client, &request).await;
    has_the_claims_of(&done, scopes);
    done
}

#[track_caller]
fn has_the_claims_of(done: &SignedIn, scopes: &[&str]) {
    for (scope, names) in checks::OF_SCOPES {
        for name in names {
            let is_there = done.userinfo.get(name).is_some();
            assert_eq!(is_there, scopes.contains(&scope), "{name} in {}", done.userinfo);
        }
    }
}

#[rstest]
#[tokio::test]
async fn oidcc_scope_profile(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    with_scopes(mode, &["profile"]).await;
}

#[rstest]
#[tokio::test]
async fn oidcc_scope_email(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let done = with_scopes(mode, &["email"]).await;
    assert_eq!(done.userinfo["email_verified"], true);
}

#[rstest]
#[tokio::test]
async fn oidcc_scope_address(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let done = with_scopes(mode, &["address"]).await;
    assert_eq!(done.userinfo["address"]["locality"], "Sunnydale");
}

#[rstest]
#[tokio::test]
async fn oidcc_scope_phone(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    with_scopes(mode, &["phone"]).await;
}

#[rstest]
#[tokio::test]
async fn oidcc_scope_all(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    with_scopes(mode, &["profile", "email", "address", "phone"]).await;
}

/// Scopes and parameters in another order.
#[rstest]
#[tokio::test]
async fn oidcc_alternate_happy_flow(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client).with("scope", "email openid").reversed();
    has_the_claims_of(&suite.sign_in(&client, &request).await, &["email"]);
}

#[rstest]
#[tokio::test]
async fn oidcc_claims_essential(#[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client).with("claims", r#"{"userinfo":{"name":{"essential":true}}}"#);
    let done = suite.sign_in(&client, &request).await;
    // OpenID Connect Core §5.5: what was asked for there, and not elsewhere.
    assert_eq!(done.userinfo["name"], "Buffy Summers");
    assert!(done.userinfo.get("email").is_none() && done.id_token.get("name").is_none());
}
