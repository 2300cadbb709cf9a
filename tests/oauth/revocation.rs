//! Token revocation (RFC 7009).

use serde_json::json;

use crate::harness::{Browser, RelyingParty, Server, Settings};

async fn actors() -> (Server, RelyingParty, Browser) {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    (server, app, browser)
}

#[tokio::test]
async fn revoking_a_refresh_token_of_any_generation_ends_all_of_the_grant() {
    let (_server, app, browser) = actors().await;
    for generation in 0..3 {
        let mut family = vec![app.sign_in(&browser, "alice", &[]).await];
        for _ in 0..2 {
            let last = family.last().unwrap().refresh_token();
            family.push(app.refresh(last, &[]).await.tokens());
        }
        let bystander = app.sign_in(&browser, "alice", &[]).await;

        assert_eq!(app.revoke(family[generation].refresh_token()).await.status, 200);
        // Case 47.
        for tokens in family.iter().rev() {
            for token in [tokens.access_token(), tokens.refresh_token()] {
                assert_eq!(app.introspect(token).await, json!({"active": false}));
            }
            app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
        }
        assert_eq!(app.introspect(bystander.access_token()).await["active"], true);
    }
}

#[tokio::test]
async fn revoking_an_access_token_ends_it_alone() {
    let (_server, app, browser) = actors().await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let refreshed = app.refresh(tokens.refresh_token(), &[]).await.tokens();

    assert_eq!(app.revoke(tokens.access_token()).await.status, 200);
    assert_eq!(app.introspect(tokens.access_token()).await, json!({"active": false}));
    assert_eq!(app.introspect(refreshed.access_token()).await["active"], true);
    assert_eq!(app.introspect(refreshed.refresh_token()).await["active"], true);
    app.refresh(refreshed.refresh_token(), &[]).await.tokens();
    // Once more changes nothing.
    assert_eq!(app.revoke(tokens.access_token()).await.status, 200);
}

#[tokio::test]
async fn a_revoked_token_is_inactive_at_once_on_every_process() {
    let (server, app, browser) = actors().await;
    let replica = server.replica(Settings::default()).await;
    let other = app.at(&replica);
    for _ in 0..10 {
        let tokens = app.sign_in(&browser, "alice", &[]).await;
        assert_eq!(other.introspect(tokens.access_token()).await["active"], true);
        app.revoke(tokens.access_token()).await;
        assert_eq!(other.introspect(tokens.access_token()).await["active"], false);
        other.revoke(tokens.refresh_token()).await;
        assert_eq!(app.introspect(tokens.refresh_token()).await["active"], false);
        app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn another_client_cannot_revoke() {
    let (server, app, browser) = actors().await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let others = [
        RelyingParty::register(&server, &[]),
        RelyingParty::register(&server, &["--public"]),
        RelyingParty::register(&server, &["--resource-server", &server.issuer]),
    ];
    for other in &others {
        for token in [tokens.access_token(), tokens.refresh_token()] {
            // RFC 7009 §2.1: the token must have been issued to the client that asks.
            other.revoke(token).await.assert_refused(400, "unauthorized_client");
        }
    }
    let wrong = app.with_secret(Some("wrong"));
    wrong.revoke(tokens.refresh_token()).await.assert_refused(401, "invalid_client");

    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
    app.refresh(tokens.refresh_token(), &[]).await.tokens();
}

#[tokio::test]
async fn a_public_client_revokes_its_own() {
    let (server, _, browser) = actors().await;
    let app = RelyingParty::register(&server, &["--public"]);
    let watcher = RelyingParty::register(&server, &["--resource-server", &server.issuer]);
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    assert_eq!(app.revoke(tokens.refresh_token()).await.status, 200);
    assert_eq!(watcher.introspect(tokens.access_token()).await["active"], false);
}

#[tokio::test]
async fn a_hint_helps_nobody_and_harms_nobody() {
    let (_server, app, browser) = actors().await;
    for hint in ["access_token", "refresh_token", "nonsense", ""] {
        let tokens = app.sign_in(&browser, "alice", &[]).await;
        let token = tokens.refresh_token();
        let asked = app.post("/introspect", &[("token", token), ("token_type_hint", hint)]).await;
        assert_eq!(asked.json()["active"], true, "{hint}");
        let revoked = app.post("/revoke", &[("token", token), ("token_type_hint", hint)]).await;
        assert_eq!(revoked.status, 200, "{hint}");
        assert_eq!(app.introspect(token).await["active"], false, "{hint}");
    }
}

#[tokio::test]
async fn what_is_no_token_needs_no_end() {
    let (_server, app, browser) = actors().await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let long = "a".repeat(5_000);
    let id_token = tokens.0["id_token"].as_str().unwrap();
    for token in ["", "x", "a.b.c", "..", "grr_x", "' OR 1=1", &long, id_token] {
        let answer = app.revoke(token).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""), "{token}");
    }
    app.post("/revoke", &[("token_type_hint", "access_token")]).await.assert_refused(400, "invalid_request");
    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
}
