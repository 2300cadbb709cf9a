//! How long a browser stays signed in, and by which cookies.

use std::time::Duration;

use crate::harness::{Answer, Browser, RelyingParty, Server, Settings, password_of, pkce};

async fn sign_in_on(browser: &Browser, page: &Answer, name: &str) -> Answer {
    browser.submit(page, &[("username", name), ("password", &password_of(name))]).await
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/sign-out").await.has_id("logout-confirm")
}

#[tokio::test]
async fn the_cookie_is_for_this_host_alone_and_fresh_at_each_sign_in() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    // Case 59: nothing that could be a session before somebody has signed in.
    let page = browser.get("/sign-in").await;
    let [before] = page.cookies()[..] else { panic!("{:?}", page.cookies()) };
    assert!(before.starts_with("grantor_csrf="), "{before}");
    let mut seen = Vec::new();
    let again = browser.follow(browser.get(&app.authorize_path(&pkce().1, &[])).await).await;
    for page in [page.clone(), again] {
        // The second time the form belongs to the session that it replaces.
        let page = browser.get(&page.url).await;
        let answer = sign_in_on(&browser, &page, "alice").await;
        let [cookie, known] = answer.cookies()[..] else { panic!("{:?}", answer.cookies()) };
        // The browser is known from now on, which opens nothing.
        let attributes = known.split_once("; ").unwrap().1;
        assert!(known.starts_with("grantor_browser="), "{known}");
        assert_eq!(attributes, "HttpOnly; SameSite=Lax; Path=/; Max-Age=15552000");
        seen.push(cookie.to_owned());
    }
    for cookie in seen.iter().map(String::as_str).chain([before]) {
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert!(pair.split_once('=').unwrap().1.len() >= 43, "at least 256 bits: {pair}");
        let mut attributes: Vec<&str> = attributes.split("; ").collect();
        attributes.sort_unstable();
        // On http neither Secure nor the prefix, or no browser would keep it; no Domain, no lifetime.
        assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax"], "{cookie}");
    }
    assert!(seen.iter().all(|cookie| cookie.starts_with("grantor_session=")), "{seen:?}");
    assert_ne!(seen[0], seen[1]);
    // Signing in again has ended the session that it replaced.
    let old = Browser::new(&server);
    let old_cookie = seen[0].split(';').next().unwrap();
    let answer = old.request(reqwest::Method::GET, "/").header("cookie", old_cookie).send().await.unwrap();
    assert!(!answer.text().await.unwrap().contains("alice"));
}

#[tokio::test]
async fn a_cookie_that_somebody_else_planted_is_no_session() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    let planted = format!("grantor_session={}", "A".repeat(43));
    let request = browser.request(reqwest::Method::GET, "/").header("cookie", &planted);
    assert!(!request.send().await.unwrap().text().await.unwrap().contains("alice"));
    let answer = sign_in_on(&browser, &browser.get("/sign-in").await, "alice").await;
    assert!(!answer.cookies()[0].starts_with(&planted), "a fresh one, whatever the browser held");
}

#[tokio::test]
async fn an_unused_session_ends() {
    let settings = Settings::default().with("GRANTOR_SESSIONS_IDLE_LIFETIME", "2s");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    app.sign_in(&browser, "alice", &[]).await;
    // Used: each code counts anew.
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        let answer = browser.get(&app.authorize_path(&pkce().1, &[])).await;
        assert!(answer.parameter("code").is_some(), "{:?}", answer.location());
    }
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    assert!(!is_signed_in(&browser).await);
    let answer = browser.get(&app.authorize_path(&pkce().1, &[("prompt", "none")])).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_session_ends_however_much_it_is_used_and_its_grants_with_it() {
    let settings = Settings::default()
        .with("GRANTOR_SESSIONS_IDLE_LIFETIME", "3s")
        .with("GRANTOR_SESSIONS_ABSOLUTE_LIFETIME", "3s");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        assert!(browser.get(&app.authorize_path(&pkce().1, &[])).await.parameter("code").is_some());
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(!is_signed_in(&browser).await);
    assert_eq!(app.introspect(tokens.access_token()).await["active"], false);
    assert_eq!(app.refresh(tokens.refresh_token(), &[]).await.status, 400);
}

#[tokio::test]
async fn a_disabled_persons_sessions_are_dead_at_once_and_stay_so() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    server.cli(&["user", "disable", "alice"]);
    assert!(!is_signed_in(&browser).await);
    let answer = browser.get(&app.authorize_path(&pkce().1, &[("prompt", "none")])).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
    // Case 43.
    assert_eq!(app.introspect(tokens.access_token()).await["active"], false);
    assert_eq!(app.refresh(tokens.refresh_token(), &[]).await.status, 400);
    server.cli(&["user", "enable", "alice"]);
    assert!(!is_signed_in(&browser).await, "what ended stays ended");
}

#[tokio::test]
async fn whoever_is_signed_in_is_not_asked_again() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    assert_eq!(browser.get("/sign-in").await.location().as_deref(), Some("/"));
    assert!(browser.get("/").await.text_of("h1").contains("alice"));
}
