//! What people do in their browsers.

use serde_json::{Value, json};

use super::{HOME, and, browser, by_operator, by_user, events, happened_once, server};
use crate::harness::{RelyingParty, Server, password_of, pkce};

fn session_of(server: &Server, event: &str) -> Value {
    events(server, event).pop().unwrap()["target_id"].clone()
}

#[tokio::test]
async fn signing_in_and_out() {
    let (server, alice) = server().await;
    let browser = browser(&server);
    browser.sign_in("alice").await;
    happened_once(&server, "sign_in.succeeded", &and(by_user(&alice), json!({ "target_kind": "session" })));
    let first = session_of(&server, "sign_in.succeeded");

    let page = browser.get("/sign-out").await;
    browser.submit(&page, &[]).await;
    let session = json!({ "target_kind": "session", "target_id": first });
    happened_once(&server, "sign_out", &and(by_user(&alice), session));
    // Without a session there is nothing to end.
    browser.submit(&page, &[]).await;
    assert_eq!(events(&server, "sign_out").len(), 1);

    // Another sign-in in the same browser takes the session's place.
    browser.sign_in("alice").await;
    let replaced = session_of(&server, "sign_in.succeeded");
    let app = RelyingParty::register(&server, &[]);
    let again = app.authorize_path(&pkce().1, &[("prompt", "login")]);
    browser.sign_in_on(&browser.follow(browser.get(&again).await).await, "alice").await;
    let ended = json!({ "target_id": replaced, "details": { "reason": "signed_in_again" } });
    happened_once(&server, "session.ended", &and(by_user(&alice), ended));
}

// Case 83.
#[tokio::test]
async fn a_failed_sign_in_names_the_account_and_never_what_was_typed() {
    let (server, alice) = server().await;
    let browser = browser(&server);
    let page = browser.get("/sign-in").await;
    browser.submit(&page, &[("username", "ALICE"), ("password", "mistyped")]).await;
    let known = json!({
        "actor_kind": "anonymous", "actor_id": null, "target_kind": "user", "target_id": alice, "user_id": alice,
        "address": HOME, "outcome": "failure",
    });
    happened_once(&server, "sign_in.failed", &known);
    // Somebody typed the password where the name belongs.
    browser.submit(&page, &[("username", &password_of("alice")), ("password", "")]).await;
    let unknown = &events(&server, "sign_in.failed")[1];
    let nobody = json!({ "actor_kind": "anonymous", "target_id": null, "user_id": null, "details": null });
    super::assert_has(unknown, &nobody);
}

#[tokio::test]
async fn an_account_under_attack_is_named_once_a_minute() {
    let (server, alice) = server().await;
    let browser = browser(&server);
    let page = browser.get("/sign-in").await;
    for _ in 0..12 {
        browser.submit(&page, &[("username", "alice"), ("password", "mistyped")]).await;
    }
    assert_eq!(events(&server, "sign_in.failed").len(), 5, "the free attempts");
    let throttled = json!({ "actor_kind": "anonymous", "user_id": alice, "address": HOME });
    happened_once(&server, "sign_in.throttled", &throttled);
    // Log and count have each of them.
    assert_eq!(server.log().matches("outcome=\"throttled\"").count(), 7);
}

#[tokio::test]
async fn changing_the_password_ends_the_other_sessions() {
    let (server, alice) = server().await;
    let (here, elsewhere) = (browser(&server), browser(&server));
    elsewhere.sign_in("alice").await;
    let lost = session_of(&server, "sign_in.succeeded");
    here.sign_in("alice").await;
    let page = here.get("/password").await;
    let new = "a fresh battery staple";
    let fields =
        |current| [("current_password", current), ("new_password", new), ("new_password_again", new)];
    here.submit(&page, &fields("mistyped")).await;
    happened_once(&server, "password.change_failed", &and(by_user(&alice), json!({ "target_id": alice })));
    assert_eq!(events(&server, "password.changed"), Vec::<Value>::new());

    let current = password_of("alice");
    here.submit(&page, &fields(&current)).await;
    happened_once(&server, "password.changed", &and(by_user(&alice), json!({ "target_id": alice })));
    let ended = json!({ "target_id": lost, "details": { "reason": "password_changed" } });
    happened_once(&server, "session.ended", &and(by_user(&alice), ended));
}

#[tokio::test]
async fn a_password_by_a_link() {
    let (server, alice) = server().await;
    let link = server.cli(&["user", "set-password", "alice", "--link"]);
    let made = json!({ "target_id": alice, "details": { "expires_at": link["expires_at"] } });
    happened_once(&server, "set_password_link.created", &and(by_operator(), made));
    let browser = browser(&server);
    let page = browser.get(link["link"].as_str().unwrap()).await;
    let fields = |new| [("new_password", new), ("new_password_again", new)];
    browser.submit(&page, &fields("short")).await;
    assert!(events(&server, "set_password_link.used").is_empty(), "a refused password sets nothing");
    browser.submit(&page, &fields("a fresh battery staple")).await;
    browser.submit(&page, &fields("a second battery staple")).await;
    happened_once(&server, "set_password_link.used", &and(by_user(&alice), json!({ "target_id": alice })));
}

#[tokio::test]
async fn agreeing_and_not_agreeing() {
    let (server, alice) = server().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = browser(&server);
    let path = app.authorize_path(&pkce().1, &[("scope", "openid email")]);
    let page = browser.follow(browser.get(&path).await).await;
    let consent = browser.sign_in_on(&page, "alice").await;
    browser.submit(&consent, &[("decision", "deny")]).await;
    let denied = json!({ "target_kind": "client", "target_id": app.client_id, "client_id": app.client_id });
    happened_once(&server, "consent.denied", &and(by_user(&alice), denied));
    assert!(events(&server, "consent.given").is_empty());

    let code = browser.submit(&consent, &[("decision", "allow")]).await;
    assert!(code.parameter("code").is_some());
    let given = json!({ "target_kind": "grant", "client_id": app.client_id, "details": { "scopes": ["openid", "email"] } });
    happened_once(&server, "consent.given", &and(by_user(&alice), given));
    // With consent on file nobody is asked.
    assert!(browser.get(&path).await.parameter("code").is_some());
    assert_eq!(events(&server, "consent.given").len(), 1);
}
