//! `max_age`, and the one that a client is registered with (OpenID Connect Core §3.1.2.1, Registration §2).

use std::time::Duration;

use super::stage::{Stage, assert_error};
use crate::harness::{claims_of, pkce};

#[tokio::test]
async fn a_client_may_be_registered_to_want_fresh_sign_ins() {
    let stage = Stage::with(&["--default-max-age", "0s"]).await;
    let browser = stage.browser_of("alice").await;
    for post in [false, true] {
        let page = if post { stage.post(&browser, &[]).await } else { stage.open(&browser, &[]).await };
        assert!(page.has_id("login-submit"), "{:?}", page.location());
        assert_eq!(
            (page.form().1["username"].as_str(), page.text_of("h1").as_str()),
            ("alice", "Sign in again")
        );
        assert!(browser.sign_in_on(&page, "alice").await.parameter("code").is_some());
    }
    let silent = stage.open(&browser, &[("prompt", "none")]).await;
    assert_error(&silent, "login_required", "silent");
    // What the request says goes before, in either direction.
    assert!(stage.open(&browser, &[("max_age", "10000")]).await.parameter("code").is_some());

    stage.server.cli(&["client", "update", &stage.app.client_id, "--default-max-age", "12h"]);
    stage.server.change_arrives().await;
    assert!(stage.open(&browser, &[]).await.parameter("code").is_some());
    assert!(stage.open(&browser, &[("max_age", "0")]).await.has_id("login-submit"));

    stage.server.cli(&["client", "update", &stage.app.client_id, "--default-max-age", "default"]);
    let shown = stage.server.cli(&["client", "show", &stage.app.client_id]);
    assert_eq!(shown["default_max_age"], serde_json::Value::Null);
}

#[tokio::test]
async fn the_id_token_says_when_the_person_signed_in() {
    let stage = Stage::with(&["--require-auth-time"]).await;
    let shown = stage.server.cli(&["client", "show", &stage.app.client_id]);
    assert_eq!(shown["require_auth_time"], true);
    let browser = stage.browser_of("alice").await;
    let auth_time = async |more: &[(&str, &str)]| {
        let tokens = stage.app.sign_in(&browser, "alice", more).await;
        claims_of(tokens.0["id_token"].as_str().unwrap())["auth_time"].as_i64().unwrap()
    };
    // Two sign-ins in one second would look the same.
    let first = auth_time(&[]).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(auth_time(&[("max_age", "10000")]).await, first);
    // A second ago is too long ago for a max_age of one second.
    let page = stage.open(&browser, &[("max_age", "1")]).await;
    assert!(page.has_id("login-submit"), "{:?}", page.location());
    let again = auth_time(&[("max_age", "1")]).await;
    assert!(again > first);
}

#[tokio::test]
async fn a_registered_max_age_is_within_reason() {
    let stage = Stage::new().await;
    for (given, refused) in [("400d", false), ("401d", true), ("3600", true), ("-1s", true)] {
        let arguments = ["client", "update", &stage.app.client_id, "--default-max-age", given];
        let output = stage.server.cli_output(&arguments, "");
        assert_eq!(!output.status.success(), refused, "{given}");
    }
    let path = stage.app.authorize_path(&pkce().1, &[("max_age", "1e3")]);
    let browser = crate::harness::Browser::new(&stage.server);
    assert_error(&browser.get(&path).await, "invalid_request", "no number of seconds");
}
