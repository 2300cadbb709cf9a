//! How long a refresh token family lives: idle, absolute, and with or beyond the person's session.

use std::time::{Duration, Instant};

use crate::harness::{Browser, RelyingParty, Server, Settings};

async fn actors(settings: Settings) -> (Server, RelyingParty, Browser) {
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    (server, app, browser)
}

const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];

async fn sleep(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

#[tokio::test]
async fn a_family_that_is_not_used_ends() {
    let settings = Settings::default().with("GRANTOR_TOKENS_REFRESH_IDLE_LIFETIME", "2s");
    let (_server, app, browser) = actors(settings).await;
    let mut tokens = app.sign_in(&browser, "alice", &OFFLINE).await;
    // Each use counts anew: together longer than the idle lifetime.
    for _ in 0..2 {
        sleep(1_200).await;
        tokens = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    }
    sleep(2_100).await;
    app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    assert_eq!(app.introspect(tokens.refresh_token()).await["active"], false);
    // The approval itself lasts, and its access token has an end of its own.
    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
}

#[tokio::test]
async fn a_family_ends_absolutely_however_often_it_is_used() {
    let settings = Settings::default()
        .with("GRANTOR_TOKENS_REFRESH_IDLE_LIFETIME", "3s")
        .with("GRANTOR_TOKENS_REFRESH_ABSOLUTE_LIFETIME", "3s");
    let (_server, app, browser) = actors(settings).await;
    let started = Instant::now();
    let mut tokens = app.sign_in(&browser, "alice", &OFFLINE).await;
    let end = tokens.claims()["exp"].as_i64().unwrap();
    let mut refreshes = 0;
    // Case 41.
    let last = loop {
        let answer = app.refresh(tokens.refresh_token(), &[]).await;
        if answer.status != 200 {
            break answer;
        }
        tokens = answer.tokens();
        refreshes += 1;
        // No access token outlives the grant.
        assert!(tokens.claims()["exp"].as_i64().unwrap() <= end);
        assert!(started.elapsed() < Duration::from_secs(6), "it lives on");
        sleep(300).await;
    };
    last.assert_refused(400, "invalid_grant");
    assert!(refreshes >= 5 && started.elapsed() >= Duration::from_millis(2_900), "{refreshes}");
    for token in [tokens.refresh_token(), tokens.access_token()] {
        assert_eq!(app.introspect(token).await["active"], false);
    }
}

#[tokio::test]
async fn signing_out_ends_what_hangs_on_the_session_and_not_offline_access() {
    let (server, app, browser) = actors(Settings::default()).await;
    let elsewhere = Browser::new(&server);
    let online = app.sign_in(&browser, "alice", &[]).await;
    let offline = app.sign_in(&browser, "alice", &OFFLINE).await;
    let other_session = app.sign_in(&elsewhere, "alice", &[]).await;
    let (code, verifier) = app.code(&browser, "alice", &[]).await;

    let page = browser.get("/sign-out").await;
    assert_eq!(browser.submit(&page, &[]).await.status, 200);

    app.refresh(online.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    assert_eq!(app.introspect(online.access_token()).await["active"], false);
    app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
    for tokens in [&offline, &other_session] {
        assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
        app.refresh(tokens.refresh_token(), &[]).await.tokens();
    }
}

#[tokio::test]
async fn the_sessions_own_end_ends_what_hangs_on_it() {
    let settings = Settings::default()
        .with("GRANTOR_SESSIONS_IDLE_LIFETIME", "2s")
        .with("GRANTOR_SESSIONS_ABSOLUTE_LIFETIME", "2s");
    let (_server, app, browser) = actors(settings).await;
    let online = app.sign_in(&browser, "alice", &[]).await;
    let offline = app.sign_in(&browser, "alice", &OFFLINE).await;
    sleep(2_100).await;
    app.refresh(online.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    assert_eq!(app.introspect(online.access_token()).await["active"], false);
    app.refresh(offline.refresh_token(), &[]).await.tokens();
}

#[tokio::test]
async fn offline_access_is_not_granted_unasked() {
    let (_server, app, browser) = actors(Settings::default()).await;
    let tokens = app.sign_in(&browser, "alice", &[("scope", "")]).await;
    assert!(!tokens.scope().contains("offline_access"), "{}", tokens.scope());
    let offline = app.sign_in(&browser, "alice", &OFFLINE).await;
    assert_eq!(offline.scope(), "openid offline_access");
}
