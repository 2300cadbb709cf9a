//! `grantor audit`.

use grantor::model::AuditEventKind;
use serde_json::Value;

use super::{browser, server};
use crate::harness::Server;

fn text(server: &Server, arguments: &[&str]) -> String {
    let output = server.plain(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn events_are_chosen_by_time_name_person_client_and_number() {
    let (server, alice) = server().await;
    let bob = server.user("bob", &[]);
    browser(&server).sign_in("bob").await;
    let list = |options: &[&str]| server.cli(&[&["audit", "list"], options].concat());
    let all = list(&[]);
    let ids: Vec<_> = all.as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() >= 4, "the newest last: {all:#}");
    assert_eq!(names(&all).last(), Some(&"sign_in.succeeded"));

    assert_eq!(names(&list(&["--user", "Bob"])), ["user.created", "sign_in.succeeded"]);
    assert_eq!(list(&["--user", "bob"]), list(&["--user", &bob]));
    assert_eq!(names(&list(&["--user", &alice])), ["user.created"]);
    assert_eq!(names(&list(&["--limit", "1"])), ["sign_in.succeeded"], "the newest");
    let two = ["--event", "sign_in.succeeded", "--event", "server.started"];
    assert_eq!(names(&list(&two)), ["server.started", "sign_in.succeeded"]);
    assert_eq!(list(&["--since", "2001-01-01T00:00:00Z"]).as_array().unwrap().len(), ids.len());
    assert_eq!(list(&["--until", "1h"]), Value::Array(vec![]));
    assert_eq!(list(&["--since", "2100-01-01T00:00:00Z"]), Value::Array(vec![]));

    let app = crate::harness::RelyingParty::register(&server, &[]);
    assert_eq!(names(&list(&["--client", &app.client_id])), ["client.created"]);
    assert_eq!(list(&["--client", "'; DROP TABLE audit_events; --"]), Value::Array(vec![]));
    for (wrong, status) in [
        (["audit", "list", "--user", "nobody"], 1),
        (["audit", "list", "--event", "sign_in.nonsense"], 2),
        (["audit", "list", "--since", "yesterday"], 2),
        (["audit", "list", "--limit", "0"], 2),
    ] {
        assert_eq!(server.cli_output(&wrong, "").status.code(), Some(status), "{wrong:?}");
    }
}

#[tokio::test]
async fn people_read_a_table() {
    let (server, _) = server().await;
    browser(&server).sign_in("alice").await;
    let table = text(&server, &["audit", "list"]);
    let line = table.lines().find(|line| line.contains("sign_in.succeeded")).expect("a line for it");
    assert!(line.contains("user alice") && line.contains(super::HOME), "{line}");
    assert!(text(&server, &["audit", "list", "--until", "1h"]).contains("No events"));
}

#[tokio::test]
async fn every_example_of_the_help_works() {
    let (server, _) = server().await;
    let mut tried = 0;
    for command in ["list", "events"] {
        let help = text(&server, &["audit", command, "--help"]);
        for line in help.lines().filter_map(|line| line.trim().strip_prefix("grantor ")) {
            text(&server, &line.split(' ').collect::<Vec<_>>());
            tried += 1;
        }
    }
    assert_eq!(tried, 5);
}

/// The names are a promise, so they stand in the manual, each with its meaning.
#[tokio::test]
async fn the_manual_lists_every_event() {
    let manual = include_str!("../../docs/operations.md");
    let section = manual.split("\n## ").find(|section| section.starts_with("Audit log")).expect("a section");
    let (_, table) = section.split_once("| event | |").expect("a table of events");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = AuditEventKind::ALL
        .iter()
        .map(|kind| format!("| `{}` | {} |", kind.as_str(), kind.meaning()))
        .collect();
    assert_eq!(rows, expected);

    let (server, _) = server().await;
    let listed = server.cli(&["audit", "events"]);
    assert_eq!(listed.as_array().unwrap().len(), AuditEventKind::ALL.len());
}
