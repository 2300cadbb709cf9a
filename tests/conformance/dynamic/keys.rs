//! Keys that change: the server's, and those that a client publishes.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::rsa::KeySize;
use serde_json::json;

use super::{Registration, start, start_beside};
use crate::conformance::client::public_jwk;
use crate::conformance::{Authentication, Client, Suite};
use crate::harness::{ClientKey, KeyServer, jwt, until};

/// How long Grantor keeps from asking for a client's keys once more, and a little.
const UNTIL_KEYS_ARE_FETCHED_AGAIN: Duration = Duration::from_secs(31);

async fn published(suite: &Suite) -> BTreeSet<String> {
    suite.keys().await.keys.into_iter().map(|key| key.common.key_id.unwrap()).collect()
}

#[tokio::test]
async fn oidcc_server_rotate_keys() {
    let suite = start().await;
    let client = Client::register(&suite.server, &[]);
    let before = suite.sign_in(&client, &suite.request(&client)).await;
    let old = published(&suite).await;
    suite.server.cli(&["key", "rotate", "--now"]);
    until(Duration::from_secs(20), || async { published(&suite).await.len() > old.len() }).await;
    // There is a new key, and the old one is still there: what it signed can be verified.
    assert!(published(&suite).await.is_superset(&old));
    jwt::verify_by(&suite.keys().await, suite.issuer(), &before.hint, &client.id);
    // Beyond the module: the new one is in use.
    let after = suite.sign_in(&client, &suite.request(&client)).await;
    assert_ne!(after.header.kid, before.header.kid);
}

#[tokio::test]
async fn oidcc_registration_jwks_uri() {
    let server = KeyServer::start().await;
    let suite = start_beside(&server.origin()).await;
    let registration = Registration::new().with_key_at(&server.uri(), "one");
    server.publishes(&[public_jwk(&registration.key, Some("one"))]);
    let (client, registered) = registration.succeeds(&suite).await;
    assert!(registered.get("jwks").is_none());
    suite.sign_in(&client, &suite.request(&client)).await;
    assert_eq!(server.visits(), 1);
}

#[tokio::test]
async fn oidcc_refresh_token_rp_key_rotation() {
    let server = KeyServer::start().await;
    let suite = start_beside(&server.origin()).await;
    let registration = Registration::new()
        .with_key_at(&server.uri(), "one")
        .with("grant_types", json!(["authorization_code", "refresh_token"]));
    server.publishes(&[public_jwk(&registration.key, Some("one"))]);
    let (mut client, _) = registration.succeeds(&suite).await;
    let request = suite.request(&client).with("scope", "openid offline_access").with("prompt", "consent");
    let done = suite.sign_in(&client, &request).await;
    // The old key is gone from the address. The module waits for a minute.
    let new = ClientKey::rsa(KeySize::Rsa2048);
    server.publishes(&[public_jwk(&new, Some("two"))]);
    client.authentication = Authentication::Key(new, Some("two"));
    tokio::time::sleep(UNTIL_KEYS_ARE_FETCHED_AGAIN).await;
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", done.tokens["refresh_token"].as_str().unwrap())];
    let refreshed = suite.token(&client, &form).await.tokens();
    assert_eq!(suite.userinfo(refreshed.access_token()).await.status, 200);
}
