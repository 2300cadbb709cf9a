//! Who may register: initial access tokens (RFC 7591 §3).

use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_error, open, send, text, web_app, web_app_with};
use crate::harness::{Answer, Browser, Server, Settings};

async fn server() -> Server {
    Server::start_with(open().with("GRANTOR_REGISTRATION_MODE", "token")).await
}

fn token(server: &Server, options: &[&str]) -> Value {
    server.cli(&[&["initial-access-token", "create", "--name", "Partner"], options].concat())
}

async fn register(server: &Server, token: Option<&str>, metadata: &Value) -> Answer {
    send(&Browser::new(server), Method::POST, "/register", token, Some(metadata)).await
}

#[tokio::test]
async fn a_token_is_needed_and_good_for_its_uses() {
    let server = server().await;
    let metadata = Browser::new(&server).get("/.well-known/openid-configuration").await.json();
    assert!(metadata["registration_endpoint"].is_string());
    assert_error(&register(&server, None, &web_app()).await, 401, "invalid_token");
    for wrong in ["gri_junk", "x", "grg_AAAA"] {
        assert_error(&register(&server, Some(wrong), &web_app()).await, 401, "invalid_token");
    }
    let two = token(&server, &["--uses", "2"]);
    let secret = text(&two, "initial_access_token");
    // What is refused uses up nothing.
    let refused = register(&server, Some(secret), &web_app_with(&json!({ "redirect_uris": [] }))).await;
    assert_error(&refused, 400, "invalid_redirect_uri");
    let left = |server: &Server| server.cli(&["initial-access-token", "list"])[0]["uses_left"].clone();
    assert_eq!(left(&server), 2);
    for left_after in [1, 0] {
        assert_eq!(register(&server, Some(secret), &web_app()).await.status, 201);
        assert_eq!(left(&server), left_after);
    }
    assert_error(&register(&server, Some(secret), &web_app()).await, 401, "invalid_token");
}

#[tokio::test]
async fn a_revoked_or_ended_token_lets_nobody_in() {
    let server = server().await;
    let any = token(&server, &[]);
    let secret = text(&any, "initial_access_token");
    for _ in 0..3 {
        assert_eq!(register(&server, Some(secret), &web_app()).await.status, 201);
    }
    server.cli(&["initial-access-token", "revoke", text(&any, "id")]);
    assert_error(&register(&server, Some(secret), &web_app()).await, 401, "invalid_token");
    assert_eq!(
        server.cli_output(&["initial-access-token", "revoke", text(&any, "id")], "").status.code(),
        Some(1)
    );
    assert_eq!(server.cli(&["client", "list"]).as_array().unwrap().len(), 3, "clients stay");

    let short = token(&server, &["--expires-in", "1h"]);
    server.database.execute("UPDATE initial_access_tokens SET expires_at = clock_timestamp()").await;
    let ended = register(&server, Some(text(&short, "initial_access_token")), &web_app()).await;
    assert_error(&ended, 401, "invalid_token");
}

#[tokio::test]
async fn of_fifty_uses_at_once_of_a_token_for_one_client_one_registers() {
    let server = server().await;
    let replica = server.replica(open().with("GRANTOR_REGISTRATION_MODE", "token")).await;
    let one = token(&server, &["--uses", "1"]);
    let secret = text(&one, "initial_access_token");
    let app = web_app();
    let uses = (0..50).map(|number| {
        let server = if number % 2 == 0 { &server } else { &replica };
        register(server, Some(secret), &app)
    });
    let answers = futures_util::future::join_all(uses).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!(count(201), 1);
    assert_eq!(count(401) + count(503), 49, "none by anything else");
    assert_eq!(server.cli(&["client", "list"]).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn where_anybody_may_register_a_token_still_has_to_be_good() {
    let server = Server::start_with(open()).await;
    assert_error(&register(&server, Some("gri_junk"), &web_app()).await, 401, "invalid_token");
    assert_eq!(register(&server, None, &web_app()).await.status, 201);
}

#[tokio::test]
async fn the_command_line_makes_lists_and_explains() {
    let server = Server::start_with(Settings::default()).await;
    let text_of = |arguments: &[&str]| String::from_utf8(server.plain(arguments).stdout).unwrap();
    assert!(text_of(&["initial-access-token", "list"]).contains("No initial access tokens"));
    let made = text_of(&["initial-access-token", "create", "--name", "Partner", "--uses", "3"]);
    assert!(made.contains("gri_") && made.contains("registration.mode"), "{made}");
    let listed = text_of(&["initial-access-token", "list"]);
    assert!(listed.contains("Partner") && listed.contains('3') && !listed.contains("gri_"), "{listed}");
    for wrong in [
        vec!["create", "--name", ""],
        vec!["create", "--name", "a\nb"],
        vec!["revoke", "3c4e8f8a-6f0b-4f0e-9d5e-0a8f6f1d2b3c"],
    ] {
        let arguments = [&["initial-access-token"], wrong.as_slice()].concat();
        assert_eq!(server.cli_output(&arguments, "").status.code(), Some(1), "{arguments:?}");
    }
    for wrong in [vec!["--uses", "0"], vec!["--expires-in", "0s"], vec!["--expires-in", "401d"]] {
        let arguments = [&["initial-access-token", "create", "--name", "A"], wrong.as_slice()].concat();
        assert_eq!(server.cli_output(&arguments, "").status.code(), Some(2), "{arguments:?}");
    }
}
