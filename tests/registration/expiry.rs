//! Clients that nobody uses go by themselves. Case 78.

use std::time::Duration;

use grantor::config::DatabaseSource;
use grantor::secret::Secret;
use grantor::store::{Database, Store};
use grantor::time::Timestamp;
use serde_json::{Value, json};

use super::{open, registered, text, web_app, web_app_with};
use crate::harness::{Browser, RelyingParty, Server};

const DAY: Duration = Duration::from_secs(86_400);

/// What the cleanup job does, with this lifetime; how many are gone.
async fn clean(store: &Store, lifetime: Duration) -> u64 {
    store.note_unused_clients().await.unwrap();
    store.delete_unused_clients(lifetime, 100, Timestamp::now()).await.unwrap()
}

fn exists(server: &Server, client: &Value) -> bool {
    server.cli_output(&["client", "show", text(client, "client_id")], "").status.success()
}

#[tokio::test]
async fn what_nobody_has_given_access_to_for_long_is_deleted_and_nothing_else() {
    let settings = open().with("GRANTOR_REGISTRATION_ALLOW_CLIENT_CREDENTIALS", "true");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    let source = DatabaseSource::Url(Secret::new(server.database.url()));
    let database = Database::open(&source, "/".as_ref(), &|_| {}).unwrap();
    let store = database.store(2, Duration::from_secs(5));

    let unused = registered(&server, &web_app()).await;
    let used = registered(&server, &web_app()).await;
    let vouched = registered(&server, &web_app()).await;
    let itself = json!({ "grant_types": ["client_credentials"] });
    let acts_for_itself = registered(&server, &web_app_with(&itself)).await;
    let is_an_api = registered(&server, &web_app()).await;
    server.cli(&[
        "client",
        "update",
        text(&is_an_api, "client_id"),
        "--resource-server",
        "https://api.example",
    ]);
    let by_hand = json!({ "client_id": RelyingParty::register(&server, &[]).client_id });
    assert_eq!(clean(&store, DAY).await, 0, "all have their time");
    server.cli(&["client", "update", text(&vouched, "client_id"), "--vouch"]);
    server.change_arrives().await;
    RelyingParty::registered(&server, &used).sign_in(&Browser::new(&server), "alice", &[]).await;
    let later = "UPDATE clients SET unused_since = unused_since - interval '25 hours'";
    server.database.execute(later).await;
    assert_eq!(clean(&store, DAY).await, 1);
    assert!(!exists(&server, &unused));
    for client in [&used, &vouched, &acts_for_itself, &is_an_api, &by_hand] {
        assert!(exists(&server, client), "{client:#}");
    }

    // Also where it was noted as unused before an operator made something of it.
    let noted = "UPDATE clients SET unused_since = now() - interval '25 hours'
                 WHERE resource_servers <> '{}' OR 'client_credentials' = ANY(grant_types)";
    server.database.execute(noted).await;
    assert_eq!(store.delete_unused_clients(DAY, 100, Timestamp::now()).await.unwrap(), 0);

    // Its time begins anew when the last person has taken it back.
    server.database.execute("DELETE FROM consents").await;
    assert_eq!(clean(&store, DAY).await, 0);
    server.database.execute(later).await;
    assert_eq!(clean(&store, DAY).await, 1);
    assert!(!exists(&server, &used));
    let events = server.cli(&["audit", "list", "--event", "client.expired"]);
    let gone: Vec<_> = events.as_array().unwrap().iter().map(|event| &event["client_id"]).collect();
    assert_eq!(gone, [&unused["client_id"], &used["client_id"]]);
    store.close();
    database.close().unwrap();
}
