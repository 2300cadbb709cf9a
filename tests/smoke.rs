//! The main job, end to end.

use crate::harness::{Browser, RelyingParty, Server};

#[tokio::test]
async fn a_person_signs_in_and_an_app_gets_tokens_that_live_until_revoked() {
    let server = Server::start().await;
    let alice = server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);

    let tokens = app.sign_in(&browser, "alice", &[]).await;
    assert_eq!(tokens.claims()["sub"], alice.as_str());
    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);

    let refreshed = app.refresh(tokens.refresh_token(), &[]).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);

    assert_eq!(app.revoke(tokens.refresh_token()).await.status, 200);
    assert_eq!(app.introspect(tokens.access_token()).await["active"], false);
}
