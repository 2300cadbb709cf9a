//! `prompt`, `max_age` and `login_hint` (OpenID Connect Core §3.1.2.1).

use super::assert_refused;
use crate::harness::{Browser, RelyingParty, Server, pkce};

#[tokio::test]
async fn prompt_none_shows_nothing_and_says_what_would_have_to_be_shown() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let path = app.authorize_path(&pkce().1, &[("prompt", "none")]);
    // Case 61.
    assert_refused(&browser.get(&path).await, &app.redirect_uri, "login_required", "nobody is signed in");
    browser.sign_in("alice").await;
    assert_refused(&browser.get(&path).await, &app.redirect_uri, "consent_required", "never consented");
    app.sign_in(&browser, "alice", &[]).await;
    let answer = browser.get(&path).await;
    assert!(answer.parameter("code").is_some(), "{:?}", answer.location());
    let more = app.authorize_path(&pkce().1, &[("prompt", "none"), ("scope", "openid email profile")]);
    assert_refused(&browser.get(&more).await, &app.redirect_uri, "consent_required", "a new scope");
    let stale = app.authorize_path(&pkce().1, &[("prompt", "none"), ("max_age", "0")]);
    assert_refused(&browser.get(&stale).await, &app.redirect_uri, "login_required", "signed in too long ago");
}

#[tokio::test]
async fn a_client_that_wants_a_fresh_sign_in_gets_the_password_page() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let first = app.sign_in(&browser, "alice", &[]).await.claims()["auth_time"].as_i64().unwrap();
    // `auth_time` counts whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    // Case 62.
    for more in [("prompt", "login"), ("prompt", "login select_account"), ("max_age", "0")] {
        let (verifier, challenge) = pkce();
        let path = app.authorize_path(&challenge, &[more]);
        let page = browser.follow(browser.get(&path).await).await;
        assert!(page.has_id("login-submit"), "{more:?}: {:?}", page.location());
        // Going round the page does not help.
        let around = browser.get(&page.url.replace("/sign-in", "/consent")).await;
        assert!(around.location().unwrap().starts_with("/sign-in?"), "{more:?}");
        // And the fresh sign-in is enough: the page is not asked for again.
        let answer = browser.sign_in_on(&page, "alice").await;
        let code = answer.parameter("code").unwrap_or_else(|| panic!("{more:?}: {:?}", answer.location()));
        let tokens = app.redeem(&code, &verifier, &[]).await.json();
        let claims = crate::harness::claims_of(tokens["id_token"].as_str().unwrap());
        assert!(claims["auth_time"].as_i64().unwrap() > first, "{more:?}");
    }
    // A sign-in a moment ago is recent enough for a minute.
    let answer = browser.get(&app.authorize_path(&pkce().1, &[("max_age", "60")])).await;
    assert!(answer.parameter("code").is_some(), "{:?}", answer.location());
    let answer = browser.get(&app.authorize_path(&pkce().1, &[("max_age", &u64::MAX.to_string())])).await;
    assert!(answer.parameter("code").is_some(), "{:?}", answer.location());
}

#[tokio::test]
async fn prompt_consent_asks_again_for_what_was_agreed_to() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    app.sign_in(&browser, "alice", &[]).await;
    let path = app.authorize_path(&pkce().1, &[("prompt", "consent")]);
    let page = browser.follow(browser.get(&path).await).await;
    assert!(page.has_id("consent-allow") && !page.has_id("password"));
    assert!(browser.submit(&page, &[("decision", "allow")]).await.parameter("code").is_some());
}

#[tokio::test]
async fn a_login_hint_fills_in_the_name_and_signs_nobody_in() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let path = app.authorize_path(&pkce().1, &[("login_hint", "alice")]);
    let page = browser.follow(browser.get(&path).await).await;
    assert_eq!(page.form().1["username"], "alice");
    assert_eq!(page.form().1["password"], "");
}

#[tokio::test]
async fn another_person_can_sign_in_from_the_consent_page() {
    let server = Server::start().await;
    let ids = ["alice", "bob"].map(|name| server.user(name, &[]));
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    let (verifier, challenge) = pkce();
    let page = browser.follow(browser.get(&app.authorize_path(&challenge, &[])).await).await;
    assert!(page.body.contains("alice"));
    let switch = page.attribute(".person a", "href").expect("a link to use another account");
    let answer = browser.sign_in_on(&browser.get(&switch).await, "bob").await;
    assert!(answer.has_id("consent-allow") && answer.body.contains("bob"));
    let code = browser.submit(&answer, &[("decision", "allow")]).await.parameter("code").unwrap();
    let tokens = app.redeem(&code, &verifier, &[]).await.json();
    let subject = crate::harness::claims_of(tokens["access_token"].as_str().unwrap())["sub"].clone();
    assert_eq!(subject, ids[1].as_str());
}
