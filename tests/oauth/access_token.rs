//! Access tokens (RFC 9068) and the keys that verify them (RFC 7517), through an independent library.

use std::collections::BTreeSet;

use jsonwebtoken::Algorithm;
use serde_json::json;

use crate::harness::{Browser, RelyingParty, Server, jwt};

async fn actors() -> (Server, String, RelyingParty, Browser) {
    let server = Server::start().await;
    let alice = server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    (server, alice, app, browser)
}

#[tokio::test]
async fn an_access_token_is_that_of_rfc_9068() {
    let (server, alice, app, browser) = actors().await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let verified = jwt::verify(&server, tokens.access_token(), &server.issuer).await;

    // RFC 9068 §2.1.
    assert_eq!(verified.header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(verified.header.alg, Algorithm::RS256);
    assert_eq!(verified.claims["sub"], alice.as_str());
    assert_eq!(verified.claims["client_id"], app.client_id.as_str());
    assert_eq!(verified.claims["scope"], "openid profile");
    let seconds = |claim: &str| verified.claims[claim].as_i64().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 600);
    assert_eq!(tokens.0["expires_in"], 600);
    assert!((seconds("iat") - 60..=seconds("iat")).contains(&seconds("auth_time")));
    // No claim that nobody asked for, such as a name or an address.
    let claims: BTreeSet<&str> = verified.claims.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "auth_time"];
    assert_eq!(claims, BTreeSet::from(expected));
}

#[tokio::test]
async fn no_two_access_tokens_have_the_same_identifier() {
    let (_server, _, app, browser) = actors().await;
    let mut tokens = app.sign_in(&browser, "alice", &[]).await;
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let jti = tokens.claims()["jti"].as_str().unwrap().to_owned();
        // Case 85: 128 random bits beside the grant's id.
        assert_eq!(grantor::secret::from_base64url(&jti).unwrap().len(), 32);
        assert!(seen.insert(jti));
        tokens = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    }
}

#[tokio::test]
async fn a_clients_own_lifetime_counts() {
    let (server, _, _, browser) = actors().await;
    let app = RelyingParty::register(&server, &["--access-token-lifetime", "42s"]);
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    assert_eq!(tokens.0["expires_in"], 42);
    let claims = tokens.claims();
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 42);
}

#[tokio::test]
async fn the_published_keys_are_public_and_strong() {
    let (server, _, app, browser) = actors().await;
    let answer = browser.get("/.well-known/jwks.json").await;
    assert_eq!(answer.status, 200);
    // Case 80: for every page on the web, without anybody's cookies.
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.header("access-control-allow-credentials").is_none());
    let document = answer.json();
    let keys = document["keys"].as_array().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        // Case 86: no private member, no symmetric key.
        let members: BTreeSet<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, BTreeSet::from(["kty", "use", "alg", "kid", "n", "e"]));
        assert_eq!((&key["kty"], &key["use"], &key["alg"]), (&json!("RSA"), &json!("sig"), &json!("RS256")));
        let modulus = grantor::secret::from_base64url(key["n"].as_str().unwrap()).unwrap();
        assert!(modulus.len() >= 256 && modulus[0] >= 0x80, "{} bytes", modulus.len());
        assert!(!key["kid"].as_str().unwrap().is_empty());
    }
    let metadata = browser.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["jwks_uri"], server.url("/.well-known/jwks.json"));
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    assert!(keys.iter().any(|key| key["kid"] == json!(jwt_kid(tokens.access_token()))));
}

#[tokio::test]
async fn after_a_rotation_the_old_tokens_verify_and_the_new_key_signs() {
    let (server, _, app, browser) = actors().await;
    let before = app.sign_in(&browser, "alice", &[]).await;
    let rotated = server.cli(&["key", "rotate", "--now"]);
    server.change_arrives().await;
    let after = app.refresh(before.refresh_token(), &[]).await.tokens();

    assert_eq!(json!(jwt_kid(after.access_token())), rotated["kid"]);
    assert_ne!(jwt_kid(before.access_token()), jwt_kid(after.access_token()));
    for tokens in [&before, &after] {
        jwt::verify(&server, tokens.access_token(), &server.issuer).await;
        assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
    }

    // Withdrawn, the old one vouches for nothing.
    server.cli(&["key", "retire", &jwt_kid(before.access_token())]);
    server.change_arrives().await;
    assert_eq!(app.introspect(before.access_token()).await, json!({"active": false}));
    assert_eq!(app.introspect(after.access_token()).await["active"], true);
    assert!(jwt::jwks(&server).await.find(&jwt_kid(before.access_token())).is_none());
}

fn jwt_kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}
