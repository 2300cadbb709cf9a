//! With nothing configured: a private database, a key, a demo app and a demo user, made once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Browser, Installation, Process};

fn names(users: &Value) -> Vec<&str> {
    users.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect()
}

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn demo_credentials(installation: &Installation) -> Value {
    serde_json::from_slice(&fs::read(installation.state.join("demo-credentials.json")).unwrap()).unwrap()
}

async fn key_of(server: &Process) -> String {
    let jwks: Value = serde_json::from_str(&server.get("/.well-known/jwks.json").await.1).unwrap();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
    jwks["keys"][0]["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_first_start_makes_a_demo_that_works_and_a_later_one_keeps_everything() {
    let installation = Installation::new();
    let server = installation.serve(&[]);
    let key = key_of(&server).await;
    assert_eq!(server.issuer, format!("http://localhost:{}", server.address().rsplit(':').next().unwrap()));

    let demo = demo_credentials(&installation);
    let text = |name: &str| demo[name].as_str().unwrap();
    for name in ["username", "password", "link"] {
        assert!(server.told.contains(text(name)), "{name} is not told: {}", server.told);
    }
    let person = Browser::at(&server.issuer);
    let page = person.get("/sign-in").await;
    let answer =
        person.submit(&page, &[("username", text("username")), ("password", text("password"))]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let app = reqwest::Client::new()
        .post(format!("http://{}/introspect", server.address()))
        .basic_auth(text("client_id"), Some(text("client_secret")))
        .form(&[("token", "x")]);
    assert_eq!(app.send().await.unwrap().status(), 200);

    // Beside the running server.
    let arguments = ["user", "create", "--username", "alice", "--email", "alice@example.com"];
    installation.json(&arguments);
    let told = server.stop();
    assert_eq!(told.lines().filter(|line| line.starts_with("ready: ")).count(), 1, "{told}");
    assert!(!installation.cluster_runs(), "the last to leave stops it");

    let server = installation.serve(&[]);
    println!("a later start took {:?}", server.ready_after);
    assert!(server.ready_after < Duration::from_secs(5), "{:?}", server.ready_after);
    assert_eq!(server.get("/health/ready").await.0, 200);
    assert_eq!(key_of(&server).await, key);
    assert_eq!(names(&installation.json(&["user", "list"])), ["alice", "demo"]);
    assert_eq!(demo_credentials(&installation)["password"], demo["password"]);
    assert!(server.told.contains(text("password")));
}

#[test]
fn what_lies_in_the_state_directory_is_for_its_owner_only() {
    let installation = Installation::new();
    installation.serve(&[]).stop();
    assert_eq!(mode(&installation.state), 0o700);
    for file in ["demo-credentials.json", "master.key"] {
        assert_eq!(mode(&installation.state.join(file)), 0o600, "{file}");
    }
}

#[test]
fn a_demo_that_an_operator_removed_does_not_come_back() {
    let installation = Installation::new();
    installation.serve(&[]).stop();
    let demo = demo_credentials(&installation);

    // With no server running.
    installation.json(&["user", "delete", "demo"]);
    assert!(!installation.cluster_runs(), "a command stops what it started");
    let server = installation.serve(&[]);
    assert!(!server.told.contains(demo["password"].as_str().unwrap()), "nobody has it: {}", server.told);
    installation.json(&["client", "delete", demo["client_id"].as_str().unwrap()]);
    server.stop();

    let server = installation.serve(&[]);
    assert_eq!(server.told.lines().count(), 1, "{}", server.told);
    for list in ["user", "client"] {
        assert_eq!(installation.json(&[list, "list"]), Value::Array(Vec::new()), "{list}");
    }
}

#[tokio::test]
async fn a_database_of_ones_own_gets_no_demo() {
    let database = crate::harness::TestDatabase::new().await;
    let installation = Installation::on(&database).with("GRANTOR_MASTER_KEY", crate::harness::MASTER_KEY);
    let server = installation.serve(&[]);
    assert_eq!(server.told.lines().count(), 1, "{}", server.told);
    assert!(!installation.state.join("demo-credentials.json").exists());
    assert_eq!(installation.json(&["user", "list"]), Value::Array(Vec::new()));
}

#[test]
fn the_state_directory_as_a_flag_counts_more_than_a_database_in_the_environment() {
    let installation = Installation::new();
    let state = installation.state.display().to_string();
    let installation = installation.with("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing");
    let server = installation.serve(&["--state-dir", &state]);
    let arguments = ["user", "list", "--state-dir", &state];
    assert_eq!(names(&installation.json(&arguments)), ["demo"]);
    server.stop();
    assert!(installation.refused(&["user", "list"]).contains("database"), "without the flag it is asked");
}
