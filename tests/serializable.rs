//! At SERIALIZABLE, with failures that such a database may answer with at any time: everything goes as it does without,
//! and what is there once was done once.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Browser, RelyingParty, Server, Settings, TestDatabase, password_of};
use crate::races::{self, Cluster};
use crate::registration::{own_path, registered, send, text, web_app_with};

const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];

async fn start(settings: Settings) -> Server {
    Server::start_on(Arc::new(TestDatabase::serializable().await), settings).await
}

/// How many events of this kind the audit log holds.
fn recorded(server: &Server, kind: &str) -> usize {
    let events = server.cli(&["audit", "list", "--event", kind, "--limit", "1000"]);
    events.as_array().unwrap().len()
}

/// Until the proxy has shown that it fails statements and commits.
fn assert_failures(server: &Server) {
    let (statements, commits) = server.database.failures();
    assert!(statements + commits > 5, "{statements} statements and {commits} commits were failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_apps_and_people_do_succeeds() {
    let server = start(Settings::default()).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    for round in 0..6 {
        let (here, elsewhere) = (Browser::new(&server), Browser::new(&server));
        let tokens = app.sign_in(&here, "alice", &OFFLINE).await;
        let refreshed = app.refresh(tokens.refresh_token(), &[]).await.tokens();
        assert_eq!(app.introspect(refreshed.access_token()).await["active"], true, "round {round}");
        let userinfo = here.request(Method::GET, "/userinfo").bearer_auth(refreshed.access_token());
        assert_eq!(userinfo.send().await.unwrap().status(), 200, "round {round}");
        assert_eq!(app.revoke(refreshed.refresh_token()).await.status, 200, "round {round}");
        assert_eq!(app.introspect(refreshed.access_token()).await["active"], false, "round {round}");

        let bound = app.sign_in(&elsewhere, "alice", &[]).await;
        let page = elsewhere.get("/sign-out").await;
        assert_eq!(elsewhere.submit(&page, &[]).await.status, 200, "round {round}");
        app.refresh(bound.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    }
    assert_eq!(recorded(&server, "sign_in.succeeded"), 12);
    assert_eq!(recorded(&server, "sign_out"), 6);
    assert_eq!(recorded(&server, "grant.revoked"), 6);
    assert_failures(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_once_and_ends_the_rest() {
    let server = start(Settings::default()).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let passwords: Vec<String> =
        std::iter::once(password_of("alice")).chain((0..4).map(|n| format!("battery staple {n}"))).collect();
    let here = Browser::new(&server);
    let mut tokens = app.sign_in(&here, "alice", &OFFLINE).await;
    for pair in passwords.windows(2) {
        let page = here.get("/password").await;
        let fields = [
            ("current_password", pair[0].as_str()),
            ("new_password", pair[1].as_str()),
            ("new_password_again", pair[1].as_str()),
        ];
        assert_eq!(here.submit(&page, &fields).await.status, 200);
        app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
        tokens = app.sign_in(&here, "alice", &OFFLINE).await;
    }
    assert_eq!(recorded(&server, "password.changed"), 4);
    assert_failures(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_operators_do_succeeds_and_is_recorded_once() {
    let server = start(Settings::default()).await;
    for name in ["ann", "ben", "cleo", "dan"] {
        let scope = format!("orders.{name}");
        server.cli(&["scope", "create", &scope, "--description", "See orders"]);
        server.cli(&["role", "create", name, "--scope", &scope]);
        server.user(name, &[name]);
        server.cli(&["user", "update", name, "--email", &format!("{name}@other.example")]);
        let client = RelyingParty::register(&server, &["--scope", &scope]).client_id;
        server.cli(&["client", "update", &client, "--name", "Orders"]);
        server.cli(&["client", "rotate-secret", &client]);
        server.cli(&["client", "update", &client, "--disable"]);
        server.cli(&["client", "delete", &client]);
        server.cli(&["role", "delete", name]);
        server.cli(&["scope", "delete", &scope]);
        server.cli(&["user", "disable", name]);
        server.cli(&["user", "delete", name]);
    }
    server.cli(&["key", "rotate", "--now"]);
    for kind in [
        "scope.created",
        "scope.deleted",
        "role.created",
        "role.deleted",
        "user.created",
        "user.changed",
        "user.disabled",
        "user.deleted",
        "client.created",
        "client.secret_rotated",
        "client.deleted",
    ] {
        assert_eq!(recorded(&server, kind), 4, "{kind}");
    }
    assert_failures(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_register_change_and_leave() {
    let server = start(crate::registration::open()).await;
    for round in 0..8 {
        let told: Value = registered(&server, &web_app_with(&json!({}))).await;
        let (browser, path) = (Browser::new(&server), own_path(&server, &told));
        let token = text(&told, "registration_access_token");
        let change =
            web_app_with(&json!({ "client_id": text(&told, "client_id"), "client_name": "Changed" }));
        let changed = send(&browser, Method::PUT, &path, Some(token), Some(&change)).await;
        assert_eq!(changed.status, 200, "round {round}: {}", changed.body);
        let changed = changed.json();
        let token = text(&changed, "registration_access_token");
        let left = send(&browser, Method::DELETE, &path, Some(token), None).await;
        assert_eq!(left.status, 204, "round {round}: {}", left.body);
    }
    assert_eq!([recorded(&server, "client.registered"), recorded(&server, "client.deleted")], [8, 8]);
    assert_failures(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn races_have_one_winner() {
    let cluster = Cluster::start_on(TestDatabase::serializable().await, Settings::default()).await;
    races::redemptions(&cluster).await;
    races::refreshes(&cluster).await;
    assert_failures(&cluster.first);
    let cluster = Cluster::start_on(TestDatabase::serializable().await, races::without_window()).await;
    races::strict_refreshes(&cluster).await;
    assert_failures(&cluster.first);
}

/// What is a wait and a second look at READ COMMITTED: who deletes a scope sees what was written before it was locked.
#[tokio::test(flavor = "multi_thread")]
async fn no_client_keeps_a_scope_that_is_deleted_while_it_is_written() {
    let server = Arc::new(start(Settings::default()).await);
    let command = |arguments: Vec<String>| {
        let server = Arc::clone(&server);
        tokio::task::spawn_blocking(move || {
            server.cli_output(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), "")
        })
    };
    let client = RelyingParty::register(&server, &[]).client_id;
    for round in 0..8 {
        let scope = format!("orders.{round}");
        server.cli(&["scope", "create", &scope, "--description", "See orders"]);
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let updated = command(words(&["client", "update", &client, "--scope", &format!("openid {scope}")]));
        let deleted = command(words(&["scope", "delete", &scope]));
        let (_, deleted) = tokio::join!(updated, deleted);
        assert!(deleted.unwrap().status.success(), "round {round}");
        let shown = server.cli(&["client", "show", &client])["scopes"].to_string();
        assert!(!shown.contains(&scope), "round {round}: {shown}");
    }
}
