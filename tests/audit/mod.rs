//! The audit log: each thing that happens is in it, with who, what and from where, and nothing that did not happen.

mod bounds;
mod commands;
mod operators;
mod people;
mod registration;
mod retention;
mod tokens;

use grantor::model::AuditEventKind;
use serde_json::{Value, json};

use crate::harness::{Browser, Server, Settings};

/// Where the tests' people sit.
const HOME: &str = "203.0.113.9";
/// Where the tests' apps run.
const APP: &str = "127.0.0.1";

/// A server that believes its proxy, with a person.
async fn server() -> (Server, String) {
    let server =
        Server::start_with(Settings::default().with("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1")).await;
    let alice = server.user("alice", &[]);
    (server, alice)
}

/// A browser at [`HOME`].
fn browser(server: &Server) -> Browser {
    Browser::from_address(server, HOME)
}

/// All events of this name, the oldest first.
fn events(server: &Server, name: &str) -> Vec<Value> {
    server.cli(&["audit", "list", "--event", name]).as_array().unwrap().clone()
}

/// The only event of this name has these values, and who, what and where as told.
#[track_caller]
fn happened_once(server: &Server, name: &str, expected: &Value) {
    let events = events(server, name);
    assert_eq!(events.len(), 1, "{name}: {events:#?}");
    assert_has(&events[0], expected);
}

#[track_caller]
fn assert_has(event: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&event[name], value, "{name} of {event:#}");
    }
    let kind = AuditEventKind::ALL.iter().find(|kind| kind.as_str() == event["event"]);
    let kind = kind.expect("a name that is listed");
    assert_eq!(event["outcome"], kind.outcome().as_str());
}

/// By a person, to the own account or what belongs to it, from [`HOME`].
fn by_user(id: &str) -> Value {
    json!({ "actor_kind": "user", "actor_id": id, "user_id": id, "address": HOME })
}

/// By whoever runs these tests.
fn by_operator() -> Value {
    let account = std::process::Command::new("id").arg("-un").output().unwrap();
    let account = String::from_utf8(account.stdout).unwrap();
    json!({ "actor_kind": "operator", "actor_id": account.trim(), "address": null })
}

/// Two objects in one.
fn and(mut first: Value, second: Value) -> Value {
    let more = second.as_object().unwrap().clone();
    first.as_object_mut().unwrap().extend(more);
    first
}

#[test]
fn every_event_is_brought_about_by_a_test() {
    let tests = [
        include_str!("bounds.rs"),
        include_str!("operators.rs"),
        include_str!("people.rs"),
        include_str!("registration.rs"),
        include_str!("tokens.rs"),
    ];
    let tests = tests.concat();
    for kind in AuditEventKind::ALL {
        assert!(tests.contains(&format!("\"{}\"", kind.as_str())), "{}", kind.as_str());
    }
}
