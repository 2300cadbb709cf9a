//! What an operator changes reaches every running server within two seconds.

use std::time::Duration;

use serde_json::json;

use crate::harness::{RelyingParty, Server, Settings, until};

const PROMISED: Duration = Duration::from_secs(2);

/// Two servers on one database, and a client that both have seen.
async fn servers_with_client() -> (Server, Server, RelyingParty) {
    let first = Server::start().await;
    let second = first.replica(Settings::default()).await;
    first.cli(&["scope", "create", "jobs", "--description", "Run jobs"]);
    first.cli(&["scope", "create", "notes", "--description", "Read notes"]);
    let client = ["--grant", "client_credentials", "--grant", "authorization_code", "--scope", "jobs notes"];
    let client = RelyingParty::register(&first, &client);
    // What is new works at once.
    for client in [&client, &client.at(&second)] {
        assert_eq!(token_status(client, "jobs").await, 200);
    }
    (first, second, client)
}

async fn token_status(client: &RelyingParty, scope: &str) -> u16 {
    client.token(&[("grant_type", "client_credentials"), ("scope", scope)]).await.status.as_u16()
}

/// Both servers answer so within the time promised.
async fn both_answer(first: &RelyingParty, second: &Server, scope: &str, status: u16) {
    let second = first.at(second);
    let took = until(PROMISED, || async {
        token_status(first, scope).await == status && token_status(&second, scope).await == status
    });
    println!("{status} for {scope} after {:?}", took.await);
}

#[tokio::test]
async fn a_changed_client() {
    let (first, second, client) = servers_with_client().await;
    first.cli(&["client", "update", &client.client_id, "--scope", "jobs"]);
    both_answer(&client, &second, "notes", 400).await;
    first.cli(&["client", "update", &client.client_id, "--disable"]);
    both_answer(&client, &second, "jobs", 401).await;
    first.cli(&["client", "update", &client.client_id, "--enable"]);
    both_answer(&client, &second, "jobs", 200).await;
}

#[tokio::test]
async fn a_rotated_secret() {
    let (first, second, mut client) = servers_with_client().await;
    let rotated = first.cli(&["client", "rotate-secret", &client.client_id]);
    both_answer(&client, &second, "jobs", 401).await;
    client.client_secret = rotated["client_secret"].as_str().map(str::to_owned);
    both_answer(&client, &second, "jobs", 200).await;
}

#[tokio::test]
async fn a_deleted_client() {
    let (first, second, client) = servers_with_client().await;
    assert_eq!(first.cli(&["client", "delete", &client.client_id])["deleted"], json!(true));
    both_answer(&client, &second, "jobs", 401).await;
}

#[tokio::test]
async fn a_deleted_scope() {
    let (first, second, client) = servers_with_client().await;
    first.cli(&["scope", "delete", "notes"]);
    both_answer(&client, &second, "notes", 400).await;
    assert_eq!(token_status(&client, "jobs").await, 200);
}
