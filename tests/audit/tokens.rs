//! What apps do with codes and tokens.

use serde_json::{Value, json};

use super::{APP, and, browser, events, happened_once, server};
use crate::harness::{RelyingParty, Settings, Shot, volley};

/// By the app, to a grant of the person's.
fn by_app(app: &RelyingParty, person: &str) -> Value {
    json!({
        "actor_kind": "client", "actor_id": app.client_id, "client_id": app.client_id, "user_id": person,
        "target_kind": "grant", "address": APP,
    })
}

#[tokio::test]
async fn the_first_tokens_of_a_grant_and_their_revocation() {
    let (server, alice) = server().await;
    let app = RelyingParty::register(&server, &[]);
    let tokens = app.sign_in(&browser(&server), "alice", &[]).await;
    happened_once(&server, "code.redeemed", &by_app(&app, &alice));
    let grant = events(&server, "code.redeemed")[0]["grant_id"].clone();
    assert_eq!(events(&server, "consent.given")[0]["grant_id"], grant);
    let refreshed = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert_eq!(events(&server, "code.redeemed").len(), 1, "a refresh is no event");

    let jti = tokens.claims()["jti"].clone();
    for _ in 0..2 {
        app.revoke(tokens.access_token()).await;
    }
    let token = json!({ "target_kind": "access_token", "target_id": jti, "grant_id": grant });
    happened_once(&server, "access_token.revoked", &and(by_app(&app, &alice), token));
    for _ in 0..2 {
        app.revoke(refreshed.refresh_token()).await;
    }
    let revoked = json!({ "target_id": grant, "grant_id": grant, "details": { "reason": "client_request" } });
    happened_once(&server, "grant.revoked", &and(by_app(&app, &alice), revoked));
}

#[tokio::test]
async fn a_code_that_is_used_by_two() {
    let (server, alice) = server().await;
    let app = RelyingParty::register(&server, &[]);
    let (code, verifier) = app.code(&browser(&server), "alice", &[]).await;
    let uri = app.redirect_uri.clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", &verifier),
        ("redirect_uri", &uri),
    ];
    let hits = volley((0..20).map(|_| Shot::new(&app, "/token", &form))).await;
    assert_eq!(hits.iter().filter(|hit| hit.status == 200).count(), 1);
    happened_once(&server, "code.redeemed", &by_app(&app, &alice));
    happened_once(&server, "code.reused", &by_app(&app, &alice));
    let revoked = json!({ "details": { "reason": "code_reused" } });
    happened_once(&server, "grant.revoked", &and(by_app(&app, &alice), revoked));
    assert_eq!(server.log().matches("authorization_code_reused").count(), 1, "one line in the log, too");
}

#[tokio::test]
async fn a_refresh_token_that_is_used_again() {
    let (server, alice) = server().await;
    let strict = Settings::default().with("GRANTOR_TOKENS_REFRESH_REUSE_WINDOW", "0s");
    let strict = server.replica(strict).await;
    let mut app = RelyingParty::register(&server, &[]);
    let tokens = app.sign_in(&browser(&server), "alice", &[]).await;
    app = app.at(&strict);
    app.refresh(tokens.refresh_token(), &[]).await.tokens();
    for _ in 0..3 {
        assert_eq!(app.refresh(tokens.refresh_token(), &[]).await.status, 400);
    }
    happened_once(&server, "refresh_token.reused", &by_app(&app, &alice));
    let revoked = json!({ "details": { "reason": "refresh_token_reused" } });
    happened_once(&server, "grant.revoked", &and(by_app(&app, &alice), revoked));
    assert_eq!(strict.log().matches("refresh_token_reused").count(), 1);
}

#[tokio::test]
async fn what_is_refused_is_no_event() {
    let (server, _) = server().await;
    let app = RelyingParty::register(&server, &[]);
    let other = RelyingParty::register(&server, &[]);
    let (code, verifier) = app.code(&browser(&server), "alice", &[]).await;
    other.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
    app.redeem(&code, "x".repeat(43).as_str(), &[]).await.assert_refused(400, "invalid_grant");
    let tokens = app.redeem(&code, &verifier, &[]).await.tokens();
    other.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    other.revoke(tokens.refresh_token()).await.assert_refused(400, "unauthorized_client");
    other.revoke(tokens.access_token()).await.assert_refused(400, "unauthorized_client");
    assert_eq!(events(&server, "code.redeemed").len(), 1);
    for name in ["code.reused", "refresh_token.reused", "grant.revoked", "access_token.revoked"] {
        assert_eq!(events(&server, name), Vec::<Value>::new(), "{name}");
    }
}
