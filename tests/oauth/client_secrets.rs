//! Two secrets at a time, and secrets that end.

use std::time::Duration;

use crate::harness::{AssertingClient, ClientKey, RelyingParty, Server};

const GRANT: [&str; 2] = ["--grant", "client_credentials"];
const FORM: [(&str, &str); 1] = [("grant_type", "client_credentials")];

async fn status(app: &RelyingParty) -> u16 {
    app.token(&FORM).await.status.as_u16()
}

fn rotate(server: &Server, app: &RelyingParty, more: &[&str]) -> RelyingParty {
    let rotated = server.cli(&[&["client", "rotate-secret", &app.client_id], more].concat());
    app.with_secret(Some(rotated["client_secret"].as_str().unwrap()))
}

#[tokio::test]
async fn a_secret_is_rotated_without_an_outage() {
    let server = Server::start().await;
    let first = RelyingParty::register(&server, &GRANT);
    let second = rotate(&server, &first, &["--keep-old", "1h"]);
    // The new one works at once where it is not cached, and everywhere within two seconds.
    server.change_arrives().await;
    assert_eq!((status(&first).await, status(&second).await), (200, 200));
    let third = rotate(&server, &second, &["--keep-old", "1h"]);
    server.change_arrives().await;
    assert_eq!((status(&first).await, status(&second).await, status(&third).await), (401, 200, 200));
    // Without being told to keep it, the old one ends, and so does the one before.
    let fourth = rotate(&server, &third, &[]);
    server.change_arrives().await;
    assert_eq!((status(&second).await, status(&third).await, status(&fourth).await), (401, 401, 200));
}

#[tokio::test]
async fn a_secret_ends_when_it_was_said_to() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[&GRANT[..], &["--secret-expires-in", "4s"]].concat());
    assert_eq!(status(&app).await, 200);
    let new = rotate(&server, &app, &["--keep-old", "1h", "--expires-in", "1h"]);
    server.change_arrives().await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    // Keeping it does not make it live longer.
    assert_eq!((status(&app).await, status(&new).await), (401, 200));
    let kept = rotate(&server, &new, &["--keep-old", "3s"]);
    server.change_arrives().await;
    assert_eq!((status(&new).await, status(&kept).await), (200, 200));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!((status(&new).await, status(&kept).await), (401, 200));
}

#[tokio::test]
async fn an_operator_sees_when_a_secret_ends() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[&GRANT[..], &["--secret-expires-in", "5d"]].concat());
    let shown = server.cli(&["client", "show", &app.client_id]);
    let in_days =
        |value: &serde_json::Value| (value.as_i64().unwrap() - crate::harness::unix_now() + 3_600) / 86_400;
    assert_eq!(in_days(&shown["client_secret_expires_at"]), 5);
    rotate(&server, &app, &["--keep-old", "2d"]);
    let shown = server.cli(&["client", "show", &app.client_id]);
    assert_eq!(shown["client_secret_expires_at"], 0);
    assert_eq!(in_days(&shown["previous_client_secret_expires_at"]), 2);
    let public = RelyingParty::register(&server, &["--public"]);
    let shown = server.cli(&["client", "show", &public.client_id]);
    assert!(shown.get("client_secret_expires_at").is_none());
    for arguments in [vec!["--keep-old", "0s"], vec!["--expires-in", "x"], vec!["--expires-in", "4000d"]] {
        let refused =
            server.cli_output(&[&["client", "rotate-secret", &app.client_id], &arguments[..]].concat(), "");
        assert!(!refused.status.success(), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_secret_that_signs_is_rotated_too() {
    let server = Server::start().await;
    let mut app = AssertingClient::register_with_secret(&server);
    assert_eq!(app.token().await.status, 200);
    let rotated = rotate(&server, &app.party, &["--keep-old", "1h"]);
    let new = ClientKey::Secret(rotated.client_secret.unwrap());
    server.change_arrives().await;
    assert_eq!(app.token().await.status, 200, "the old one");
    let old = std::mem::replace(&mut app.key, new);
    assert_eq!(app.token().await.status, 200, "the new one");
    let rotated = rotate(&server, &app.party, &[]);
    server.change_arrives().await;
    for key in [old, std::mem::replace(&mut app.key, ClientKey::Secret(rotated.client_secret.unwrap()))] {
        let assertion = app.assertion().signed_by(&key);
        app.token_with(&assertion).await.assert_refused(401, "invalid_client");
    }
    assert_eq!(app.token().await.status, 200);
    // Case 53: it is in the database, and not readable there.
    let ClientKey::Secret(secret) = &app.key else { panic!("it signs with its secret") };
    let mut connection = server.database.sql().await;
    let read = sqlx::query_scalar::<_, Vec<u8>>("SELECT sealed_secret FROM clients WHERE client_id = $1");
    let sealed = read.bind(&app.party.client_id).fetch_one(&mut connection).await.unwrap();
    assert!(sealed.len() > secret.len());
    assert!(!sealed.windows(8).any(|window| secret.as_bytes().windows(8).any(|part| part == window)));
    let hash = sqlx::query_scalar::<_, Vec<u8>>("SELECT secret_hash FROM clients WHERE client_id = $1");
    let hash = hash.bind(&app.party.client_id).fetch_one(&mut connection).await.unwrap();
    assert_ne!(hash, grantor::secret::sha256(secret.as_bytes()));
}
