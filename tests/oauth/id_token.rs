//! ID tokens (OpenID Connect Core §2, §3.1.3).

use std::collections::BTreeSet;

use grantor::secret::{base64url, sha256};

use crate::harness::{Browser, RelyingParty, Server, Tokens, jwt};

async fn actors() -> (Server, String, RelyingParty, Browser) {
    let server = Server::start().await;
    let alice = server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    (server, alice, app, browser)
}

fn id_token(tokens: &Tokens) -> &str {
    tokens.0["id_token"].as_str().unwrap()
}

#[tokio::test]
async fn an_id_token_tells_the_client_who_signed_in_and_when() {
    let (server, alice, app, browser) = actors().await;
    let tokens = app.sign_in(&browser, "alice", &[("nonce", "n-0S6_WzA2Mj")]).await;
    let verified = jwt::verify(&server, id_token(&tokens), &app.client_id).await;

    assert_eq!(verified.header.typ.as_deref(), Some("JWT"));
    assert_eq!(verified.claims["sub"], alice.as_str());
    assert_eq!(verified.claims["nonce"], "n-0S6_WzA2Mj");
    // §3.1.3.6: the left half of the access token's hash.
    let at_hash = base64url(&sha256(tokens.access_token().as_bytes())[..16]);
    assert_eq!(verified.claims["at_hash"], at_hash);
    let seconds = |claim: &str| verified.claims[claim].as_i64().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 600);
    assert!((seconds("iat") - 60..=seconds("iat")).contains(&seconds("auth_time")));
    let claims: BTreeSet<&str> = verified.claims.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(claims, BTreeSet::from(["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash"]));
}

#[tokio::test]
async fn auth_time_is_that_of_the_sign_in_and_not_of_the_request() {
    let (server, _, app, browser) = actors().await;
    let first = app.sign_in(&browser, "alice", &[]).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let second = app.sign_in(&browser, "alice", &[]).await;
    let again = app.sign_in(&browser, "alice", &[("prompt", "login")]).await;

    let mut times = Vec::new();
    for tokens in [&first, &second, &again] {
        times.push(jwt::verify(&server, id_token(tokens), &app.client_id).await.claims["auth_time"].clone());
    }
    assert_eq!(times[0], times[1]);
    assert!(times[2].as_i64() > times[1].as_i64(), "{times:?}");
}

#[tokio::test]
async fn without_openid_there_is_no_id_token_and_without_nonce_none_in_it() {
    let (server, _, app, browser) = actors().await;
    let plain = app.sign_in(&browser, "alice", &[("scope", "profile")]).await;
    assert!(plain.0.get("id_token").is_none());
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let claims = jwt::verify(&server, id_token(&tokens), &app.client_id).await.claims;
    assert!(claims.get("nonce").is_none());
}

#[tokio::test]
async fn an_id_token_is_for_its_client_alone() {
    let (server, _, app, browser) = actors().await;
    let api = "https://api.example";
    let other = RelyingParty::register(&server, &["--audience", api]);
    for client in [&app, &other] {
        let tokens = client.sign_in(&browser, "alice", &[]).await;
        // Whatever resources the access token is for (§2 `aud`).
        let verified = jwt::verify(&server, id_token(&tokens), &client.client_id).await;
        assert_eq!(verified.claims["aud"], client.client_id.as_str());
    }
}
