//! A refresh token that comes back (RFC 9700 §4.14.2): a lost answer within the window, theft beyond it.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Browser, RelyingParty, Server, Settings, Tokens, free_port};

async fn actors(window: &str) -> (Server, RelyingParty, Browser) {
    let server = Server::start_with(settings(window)).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &["--public"]);
    let browser = Browser::new(&server);
    (server, app, browser)
}

fn settings(window: &str) -> Settings {
    Settings::default().with("GRANTOR_TOKENS_REFRESH_REUSE_WINDOW", window)
}

/// A confidential client that may ask about the public one's access tokens.
fn watcher(server: &Server) -> RelyingParty {
    RelyingParty::register(server, &["--resource-server", &server.issuer])
}

async fn assert_all_dead(app: &RelyingParty, watcher: &RelyingParty, tokens: &[&Tokens]) {
    for tokens in tokens {
        assert_eq!(watcher.introspect(tokens.access_token()).await, json!({"active": false}));
        app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_lost_answer_is_given_again_with_the_same_successor() {
    let (server, app, browser) = actors("30s").await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let next = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    let again = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert_eq!(again.refresh_token(), next.refresh_token());
    assert_ne!(again.access_token(), next.access_token());

    // All of it lives: both access tokens, and the successor.
    let watcher = watcher(&server);
    for tokens in [&tokens, &next, &again] {
        assert_eq!(watcher.introspect(tokens.access_token()).await["active"], true);
    }
    app.refresh(next.refresh_token(), &[]).await.tokens();
}

#[tokio::test]
async fn two_generations_back_is_theft_also_within_the_window() {
    let (server, app, browser) = actors("30s").await;
    let first = app.sign_in(&browser, "alice", &[]).await;
    let second = app.refresh(first.refresh_token(), &[]).await.tokens();
    let third = app.refresh(second.refresh_token(), &[]).await.tokens();

    // Case 39: its successor was used.
    app.refresh(first.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    assert_all_dead(&app, &watcher(&server), &[&third, &second, &first]).await;
}

#[tokio::test]
async fn strict_means_that_any_second_use_is_theft() {
    let (server, app, browser) = actors("0s").await;
    let first = app.sign_in(&browser, "alice", &[]).await;
    let second = app.refresh(first.refresh_token(), &[]).await.tokens();
    app.refresh(first.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    assert_all_dead(&app, &watcher(&server), &[&second, &first]).await;
}

#[tokio::test]
async fn the_window_counts_from_the_rotation_and_not_from_a_replay() {
    let (server, app, browser) = actors("2s").await;
    let first = app.sign_in(&browser, "alice", &[]).await;
    let second = app.refresh(first.refresh_token(), &[]).await.tokens();

    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let replayed = app.refresh(first.refresh_token(), &[]).await.tokens();
    assert_eq!(replayed.refresh_token(), second.refresh_token());
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    app.refresh(first.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    assert_all_dead(&app, &watcher(&server), &[&second, &replayed, &first]).await;
}

#[tokio::test]
async fn theft_is_noticed_after_a_restart_too() {
    let (mut server, app, browser) = actors("0s").await;
    let watcher = watcher(&server);
    let first = app.sign_in(&browser, "alice", &[]).await;
    let second = app.refresh(first.refresh_token(), &[]).await.tokens();

    server.signal("-KILL");
    server.wait(Duration::from_secs(5)).unwrap();
    let restarted = server.replica(settings("0s")).await;
    let (app, watcher) = (app.at(&restarted), watcher.at(&restarted));
    assert_eq!(watcher.introspect(second.access_token()).await["active"], true);
    app.refresh(first.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    assert_all_dead(&app, &watcher, &[&second, &first]).await;
}

#[tokio::test]
async fn a_reuse_on_one_process_ends_the_family_on_all() {
    let (server, app, browser) = actors("0s").await;
    let other = server.replica(settings("0s")).await;
    let first = app.sign_in(&browser, "alice", &[]).await;
    let second = app.at(&other).refresh(first.refresh_token(), &[]).await.tokens();
    app.refresh(first.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    assert_all_dead(&app.at(&other), &watcher(&server).at(&other), &[&second]).await;
}

#[tokio::test]
async fn the_reuse_is_told_to_the_operator_without_the_token() {
    let metrics = format!("127.0.0.1:{}", free_port());
    let server = Server::start_with(settings("0s").with("GRANTOR_SERVER_METRICS_LISTEN", &metrics)).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &["--public"]);
    let browser = Browser::new(&server);
    let first = app.sign_in(&browser, "alice", &[]).await;
    let second = app.refresh(first.refresh_token(), &[]).await.tokens();
    app.refresh(first.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");

    // One count for one theft, however often the stolen token comes.
    app.refresh(first.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    let counted = reqwest::get(format!("http://{metrics}/metrics")).await.unwrap().text().await.unwrap();
    assert!(counted.contains("\ngrantor_reuse_detected_total 1\n"), "{counted}");

    let log = server.log();
    assert!(
        log.lines().any(|line| line.contains("refresh_token_reused") && line.contains(&app.client_id)),
        "{log}"
    );
    for secret in [&first, &second].iter().flat_map(|tokens| [tokens.refresh_token(), tokens.access_token()])
    {
        assert!(!log.contains(&secret[4..]), "a token is in the log");
    }
}

#[tokio::test]
async fn another_person_and_another_app_are_not_touched() {
    let (server, app, browser) = actors("0s").await;
    server.user("bob", &[]);
    let other_app = RelyingParty::register(&server, &[]);
    let bystanders = [
        (&app, app.sign_in(&Browser::new(&server), "bob", &[]).await),
        (&app, app.sign_in(&browser, "alice", &[]).await),
        (&other_app, other_app.sign_in(&browser, "alice", &[]).await),
    ];
    let first = app.sign_in(&browser, "alice", &[]).await;
    app.refresh(first.refresh_token(), &[]).await.tokens();
    app.refresh(first.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    for (client, tokens) in bystanders {
        client.refresh(tokens.refresh_token(), &[]).await.tokens();
    }
}
