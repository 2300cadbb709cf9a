//! What people do in their browsers.

use std::time::Duration;

use serde_json::{Value, json};

use super::{HOME, and, browser, by_operator, by_user, events, happened_once, server};
use crate::harness::{
    Browser, RelyingParty, Server, Settings, free_port, password_of, pkce, set_backchannel_logout_uri, until,
};

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

    // Signing in again in the same browser goes on in the same session.
    browser.sign_in("alice").await;
    let session = session_of(&server, "sign_in.succeeded");
    let app = RelyingParty::register(&server, &[]);
    let again = app.authorize_path(&pkce().1, &[("prompt", "login")]);
    browser.sign_in_on(&browser.follow(browser.get(&again).await).await, "alice").await;
    assert_eq!(session_of(&server, "sign_in.succeeded"), session);
    assert_eq!(events(&server, "session.ended"), [] as [Value; 0]);

    // Somebody else takes its place.
    let bob = server.user("bob", &[]);
    browser.sign_in_on(&browser.follow(browser.get(&again).await).await, "bob").await;
    let ended = json!({ "target_id": session, "user_id": alice, "details": { "reason": "signed_in_again" } });
    let bob = json!({ "actor_kind": "user", "actor_id": bob });
    happened_once(&server, "session.ended", &and(bob, ended));
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
async fn nobody_is_said_to_have_agreed_who_was_not_asked() {
    let (server, alice) = server().await;
    let app = RelyingParty::register(&server, &["--skip-consent"]);
    app.sign_in(&browser(&server), "alice", &[("scope", "openid email")]).await;
    let skipped = json!({
        "actor_kind": "client", "actor_id": app.client_id, "client_id": app.client_id, "user_id": alice,
        "target_kind": "grant", "details": { "scopes": ["openid", "email"] }, "address": HOME,
    });
    happened_once(&server, "consent.skipped", &skipped);
    assert!(events(&server, "consent.given").is_empty());
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

#[tokio::test]
async fn offline_access_that_ends_with_a_session() {
    let (server, alice) = server().await;
    let app = RelyingParty::register(&server, &["--end-offline-grants-with-session", "true"]);
    let browser = browser(&server);
    app.sign_in(&browser, "alice", &[("scope", "openid offline_access")]).await;
    browser.submit(&browser.get("/sign-out").await, &[]).await;
    let ended = json!({
        "target_kind": "grant", "client_id": app.client_id, "details": { "reason": "session_ended" },
    });
    happened_once(&server, "grant.revoked", &and(by_user(&alice), ended));
}

#[tokio::test]
async fn an_app_that_cannot_be_told_of_a_logout() {
    let address = format!("127.0.0.1:{}", free_port());
    let server =
        Server::start_with(Settings::default().with("GRANTOR_SERVER_METRICS_LISTEN", &address)).await;
    let alice = server.user("alice", &[]);
    let (app, browser) = (RelyingParty::register(&server, &[]), Browser::new(&server));
    // An address that nothing is sent to.
    set_backchannel_logout_uri(&server, &app.client_id, "https://127.0.0.1/logout").await;
    app.sign_in(&browser, "alice", &[]).await;
    let session = session_of(&server, "sign_in.succeeded");
    browser.submit(&browser.get("/sign-out").await, &[]).await;
    let list = || server.cli(&["logout-delivery", "list"])[0].clone();
    until(Duration::from_secs(20), || async { list()["last_error"].is_string() }).await;
    assert!(events(&server, "logout.not_delivered").is_empty(), "it is tried again");
    // A day later.
    server
        .database
        .execute("UPDATE logout_deliveries SET attempts = 32, next_attempt_at = clock_timestamp()")
        .await;
    until(Duration::from_secs(20), || async { list()["next_attempt_at"].is_null() }).await;
    let given_up = json!({
        "actor_kind": "system", "target_kind": "session", "target_id": session, "user_id": alice,
        "client_id": app.client_id, "address": null,
    });
    happened_once(&server, "logout.not_delivered", &given_up);
    let delivery = list();
    assert_eq!((&delivery["attempts"], &delivery["delivered_at"]), (&json!(33), &Value::Null));
    let id = delivery["id"].as_str().unwrap();
    let told =
        |line: &&str| line.contains("logout_given_up") && line.contains(id) && line.contains(&app.client_id);
    assert_eq!(server.log().lines().filter(|line| line.contains("WARN")).filter(told).count(), 1);
    let metrics = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    for (outcome, number) in [("given_up", 1), ("failed", 1), ("delivered", 0)] {
        let line = format!("grantor_logout_deliveries_total{{outcome=\"{outcome}\"}} {number}");
        assert!(metrics.lines().any(|other| other == line), "{line} is not in {metrics}");
    }
    // An operator can have it tried again, from the first attempt on.
    assert_eq!(server.cli(&["logout-delivery", "retry", id]), json!({ "sent_again": 1 }));
    until(Duration::from_secs(20), || async { list()["attempts"] == 1 }).await;
    let nobody = server.cli_output(&["logout-delivery", "retry", "00000000-0000-4000-8000-000000000000"], "");
    assert_eq!(nobody.status.code(), Some(1));
}

#[tokio::test]
async fn ending_other_sessions() {
    let (server, alice) = server().await;
    let here = browser(&server);
    let mut elsewhere = Vec::new();
    for _ in 0..2 {
        browser(&server).sign_in("alice").await;
        elsewhere.push(session_of(&server, "sign_in.succeeded"));
    }
    here.sign_in("alice").await;
    let page = here.get("/account/sessions").await;
    let ended = |session: &Value| {
        let session = json!({ "target_kind": "session", "target_id": session });
        and(and(by_user(&alice), session), json!({ "details": { "reason": "user_request" } }))
    };
    here.submit(&page, &[("session", elsewhere[0].as_str().unwrap())]).await;
    happened_once(&server, "session.ended", &ended(&elsewhere[0]));
    here.submit(&page, &[("session", elsewhere[0].as_str().unwrap())]).await;
    here.submit(&page, &[("everywhere_else", "yes")]).await;
    here.submit(&page, &[("everywhere_else", "yes")]).await;
    let all = events(&server, "session.ended");
    assert_eq!(all.len(), 2, "each once: {all:#?}");
    super::assert_has(&all[1], &ended(&elsewhere[1]));
}

#[tokio::test]
async fn taking_an_apps_access_back() {
    let (server, alice) = server().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = browser(&server);
    app.sign_in(&browser, "alice", &[("scope", "openid offline_access")]).await;
    let page = browser.get(&format!("/account/apps/withdraw?client_id={}", app.client_id)).await;
    browser.submit(&page, &[("csrf", "")]).await;
    assert!(events(&server, "consent.withdrawn").is_empty(), "asked again");
    browser.submit(&page, &[]).await;
    browser.submit(&page, &[]).await;
    let withdrawn = json!({
        "target_kind": "client", "target_id": app.client_id, "client_id": app.client_id,
        "details": { "scopes": ["openid", "offline_access"] },
    });
    happened_once(&server, "consent.withdrawn", &and(by_user(&alice), withdrawn));
    assert!(
        events(&server, "grant.revoked").is_empty(),
        "the grants that end with it have none of their own"
    );
}
