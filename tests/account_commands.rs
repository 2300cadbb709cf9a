//! What operators see of people's sessions and consents, and end: as people do on their own pages.

use std::process::Output;

use serde_json::{Value, json};

use crate::harness::{Browser, RelyingParty, Server};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Standard output of a command that has done what it should.
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn assert_not_found(server: &Server, arguments: &[&str]) {
    let output = server.cli_output(arguments, "");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"], "not_found", "{arguments:?}: {error}");
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let server = Server::start().await;
    let alice = server.user("alice", &[]);
    server.user("bob", &[]);
    assert_eq!(server.cli(&["session", "list", "alice"]), json!([]));
    assert_eq!(text(&server.plain(&["session", "list", "alice"])).trim(), "alice is signed in nowhere.");
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    let browser = Browser::with(&server, |settings| settings.user_agent(firefox));
    browser.sign_in("alice").await;
    Browser::new(&server).sign_in("alice").await;
    Browser::new(&server).sign_in("bob").await;

    let listed = server.cli(&["session", "list", &alice]);
    let [last, first] = &listed.as_array().unwrap()[..] else { panic!("{listed:#}") };
    let expected = ["address", "device", "expires_at", "id", "last_used_at", "signed_in_at", "user_agent"];
    let mut found = keys(first);
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!((&first["device"], &first["user_agent"]), (&json!("Firefox on Linux"), &json!(firefox)));
    assert_eq!((&last["device"], &last["user_agent"]), (&json!("Unknown device"), &Value::Null));
    assert_eq!(first["address"], "127.0.0.1");
    let table = text(&server.plain(&["session", "list", "alice"]));
    assert!(table.contains("Firefox on Linux") && table.contains(first["id"].as_str().unwrap()), "{table}");
    assert_eq!(server.cli(&["session", "list", "alice", "--limit", "1"]).as_array().unwrap().len(), 1);

    let id = first["id"].as_str().unwrap();
    assert_eq!(server.cli(&["session", "end", id]), json!({ "id": id, "ended": true }));
    assert_eq!(browser.get("/account").await.location().as_deref(), Some("/sign-in?return_to=account"));
    assert_eq!(server.cli(&["session", "list", "alice"]), json!([last]));
    assert_not_found(&server, &["session", "end", id]);
    assert_not_found(&server, &["session", "end", &alice]);
    assert_not_found(&server, &["session", "list", "nobody"]);
    assert_eq!(server.plain(&["session", "end", "x"]).status.code(), Some(2), "no identifier");
    // What has expired is neither shown nor ended.
    server.database.execute("UPDATE sessions SET idle_expires_at = clock_timestamp()").await;
    assert_eq!(server.cli(&["session", "list", "alice"]), json!([]));
    assert_not_found(&server, &["session", "end", last["id"].as_str().unwrap()]);
}

#[tokio::test]
async fn consents_are_listed_and_withdrawn() {
    let server = Server::start().await;
    let alice = server.user("alice", &[]);
    let none = text(&server.plain(&["consent", "list", "alice"]));
    assert_eq!(none.trim(), "alice has let no app use the account.");
    let bakery = RelyingParty::register(&server, &["--name", "Bakery"]);
    let diary = RelyingParty::register(&server, &["--name", "Diary"]);
    let browser = Browser::new(&server);
    let tokens = bakery.sign_in(&browser, "alice", &[("scope", "openid offline_access")]).await;
    let others = diary.sign_in(&browser, "alice", &[("scope", "openid")]).await;

    let listed = server.cli(&["consent", "list", &alice]);
    let [last, first] = &listed.as_array().unwrap()[..] else { panic!("{listed:#}") };
    let mut found = keys(first);
    found.sort_unstable();
    assert_eq!(found, ["access", "claims", "client_id", "created_at", "name", "scope", "updated_at"]);
    assert_eq!((&first["name"], &first["scope"]), (&json!("Bakery"), &json!("openid offline_access")));
    assert_eq!((&first["access"], &last["access"]), (&json!("lasting"), &json!("while_signed_in")));
    let table = text(&server.plain(&["consent", "list", "alice"]));
    assert!(table.contains("Bakery") && table.contains(&diary.client_id), "{table}");

    let withdrawn = server.cli(&["consent", "withdraw", "alice", &bakery.client_id]);
    assert_eq!(withdrawn, json!({ "user_id": alice, "client_id": bakery.client_id, "withdrawn": true }));
    assert_eq!(bakery.introspect(tokens.access_token()).await, json!({"active": false}));
    bakery.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    assert_eq!(diary.introspect(others.access_token()).await["active"], true);
    assert_eq!(server.cli(&["consent", "list", "alice"]), json!([last]));
    assert_not_found(&server, &["consent", "withdraw", "alice", &bakery.client_id]);
    assert_not_found(&server, &["consent", "withdraw", "alice", "unknown"]);
    assert_not_found(&server, &["consent", "withdraw", "nobody", &diary.client_id]);
}
