//! Clients that register themselves, and what lets them.

use std::time::Duration;

use grantor::config::DatabaseSource;
use grantor::secret::Secret;
use grantor::store::Database;
use grantor::time::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::{HOME, and, browser, by_operator, events, happened_once};
use crate::harness::Server;
use crate::registration::{open, own_path, send, text, web_app};

#[tokio::test]
async fn what_clients_do_to_themselves() {
    let server = Server::start_with(open()).await;
    let browser = browser(&server);
    let told = send(&browser, Method::POST, "/register", None, Some(&web_app())).await.json();
    let id = text(&told, "client_id");
    let client = json!({ "target_kind": "client", "target_id": id, "client_id": id, "address": HOME });
    let anonymous = json!({ "actor_kind": "anonymous", "actor_id": null, "details": null });
    happened_once(&server, "client.registered", &and(client.clone(), anonymous));
    assert!(events(&server, "client.created").is_empty());

    let (path, token) = (own_path(&server, &told), text(&told, "registration_access_token"));
    let mut body = web_app();
    body["client_id"] = json!(id);
    body["client_name"] = json!("Another");
    let changed = send(&browser, Method::PUT, &path, Some(token), Some(&body)).await.json();
    let by_itself = and(client, json!({ "actor_kind": "client", "actor_id": id }));
    let details = json!({ "details": { "changed": ["name"] } });
    happened_once(&server, "client.changed", &and(by_itself.clone(), details));
    // A new token alone is no change.
    let token = text(&changed, "registration_access_token");
    let changed = send(&browser, Method::PUT, &path, Some(token), Some(&body)).await.json();
    assert_eq!(events(&server, "client.changed").len(), 1);
    let token = text(&changed, "registration_access_token");
    send(&browser, Method::DELETE, &path, Some(token), None).await;
    happened_once(&server, "client.deleted", &by_itself);
}

#[tokio::test]
async fn refusals_within_bounds() {
    let server = Server::start_with(open().with("GRANTOR_REGISTRATION_MODE", "token")).await;
    let browser = browser(&server);
    for number in 0..30 {
        let token = format!("gri_{number}");
        send(&browser, Method::POST, "/register", Some(&token), Some(&web_app())).await;
        send(&browser, Method::GET, "/register/nobody", Some(&token), None).await;
    }
    let refused =
        json!({ "actor_kind": "anonymous", "target_kind": null, "address": HOME, "client_id": null });
    happened_once(&server, "client.registration_refused", &refused);
}

#[tokio::test]
async fn initial_access_tokens() {
    let server = Server::start_with(open()).await;
    let made = server.cli(&["initial-access-token", "create", "--name", "Partner"]);
    let id = text(&made, "id");
    let token = json!({ "target_kind": "initial_access_token", "target_id": id });
    happened_once(&server, "initial_access_token.created", &and(by_operator(), token.clone()));
    let secret = Some(text(&made, "initial_access_token"));
    send(&browser(&server), Method::POST, "/register", secret, Some(&web_app())).await;
    let by_it = json!({ "details": { "initial_access_token": id } });
    happened_once(&server, "client.registered", &by_it);
    server.cli(&["initial-access-token", "revoke", id]);
    happened_once(&server, "initial_access_token.revoked", &and(by_operator(), token));
}

#[tokio::test]
async fn a_client_that_nobody_used() {
    let server = Server::start_with(open()).await;
    let told = send(&browser(&server), Method::POST, "/register", None, Some(&web_app())).await.json();
    let source = DatabaseSource::Url(Secret::new(server.database.url()));
    let database = Database::open(&source, "/".as_ref(), &|_| {}).unwrap();
    let store = database.store(2, Duration::from_secs(5));
    store.note_unused_clients().await.unwrap();
    let now = Timestamp::now() + Duration::from_secs(10);
    assert_eq!(store.delete_unused_clients(Duration::ZERO, 10, now).await.unwrap(), 1);
    let client = json!({
        "actor_kind": "system", "target_kind": "client", "target_id": told["client_id"],
        "client_id": told["client_id"], "address": null, "details": Value::Null,
    });
    happened_once(&server, "client.expired", &client);
    store.close();
    database.close().unwrap();
}
