//! A database that answers no more, without having said good-bye.

use std::time::{Duration, Instant};

use grantor::config::DatabaseSource;
use grantor::secret::Secret;
use grantor::store::{Database, StoreError};
use sqlx::Connection;

use crate::harness::{Answer, Browser, RelyingParty, Server, Settings, SilentProxy, pkce, until};

/// `server.request_timeout`, and what a busy machine takes.
const IN_TIME: Duration = Duration::from_millis(6_500);

/// Ends all connections.
const END_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";

async fn in_time(what: &str, request: impl Future<Output = Answer>) -> Answer {
    let started = Instant::now();
    let answer = request.await;
    assert!(started.elapsed() < IN_TIME, "{what}: {:?}", started.elapsed());
    answer
}

fn assert_is_away(what: &str, answer: &Answer) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.body);
    assert_eq!(answer.header("retry-after"), Some("1"), "{what}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_ends_in_time_and_the_server_heals_by_itself() {
    let database = std::sync::Arc::new(crate::harness::TestDatabase::new().await);
    let proxy = SilentProxy::before(&database).await;
    let settings = Settings::default().with("DATABASE_URL", &proxy.url()).with("GRANTOR_SERVER_WORKERS", "2");
    let server = Server::start_on(database, settings).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    server.change_arrives().await;
    let browser = Browser::new(&server);
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let form = browser.get("/password").await;

    proxy.fall_silent();
    // RFC 6749 §4.1.2.1: an app that is known is told by redirect.
    let authorize = app.authorize_path(&pkce().1, &[]);
    let told = in_time("authorize at once", browser.get(&authorize)).await;
    assert_eq!(told.parameter("error").as_deref(), Some("temporarily_unavailable"), "{told:?}");
    assert!(told.parameter("state").is_some() && told.parameter("iss").is_some(), "{told:?}");
    // Several rounds, so that no connection is left that has not been tried.
    for round in 0..3 {
        let refresh = async { in_time("refresh", app.refresh(tokens.refresh_token(), &[])).await };
        let introspect = async {
            in_time("introspect", app.post("/introspect", &[("token", tokens.access_token())])).await
        };
        let fields = [("current_password", "x"), ("new_password", "y"), ("new_password_again", "y")];
        let page = async { in_time("a form", browser.submit(&form, &fields)).await };
        let authorize = async { in_time("authorize", browser.get(&authorize)).await };
        let (refresh, introspect, page, authorize) = tokio::join!(refresh, introspect, page, authorize);
        for (what, answer) in [("refresh", &refresh), ("introspect", &introspect)] {
            assert_is_away(what, answer);
            assert_eq!(answer.json()["error"], "temporarily_unavailable", "{round}");
        }
        for (what, answer) in [("a form", &page), ("authorize", &authorize)] {
            assert_is_away(what, answer);
            assert!(answer.has_id("error-page"), "{what}: {}", answer.body);
        }
    }
    assert_eq!(browser.get("/health/live").await.status, 200);
    assert_eq!(browser.get("/health/ready").await.status, 503);
    assert_eq!(browser.get("/.well-known/jwks.json").await.status, 200);

    // The connections of before are never heard of again.
    proxy.speak();
    let healed = until(Duration::from_secs(15), || async {
        app.refresh(tokens.refresh_token(), &[]).await.status == 200
    })
    .await;
    println!("healed after {healed:?}");
    until(Duration::from_secs(5), || async { browser.get("/health/ready").await.status == 200 }).await;
    // Each worker, on each of its connections.
    for _ in 0..20 {
        let page = Browser::new(&server).sign_in("alice").await;
        assert_eq!(page.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_within_a_transaction_ends_in_time() {
    let database = crate::harness::TestDatabase::new().await;
    let proxy = SilentProxy::before(&database).await;
    let url = DatabaseSource::Url(Secret::new(proxy.url()));
    let stores = Database::open(&url, std::path::Path::new("/nowhere"), &|_| {}).unwrap().stores();
    let second = Duration::from_secs(1);
    let store = stores.for_requests(second, 60 * second).store(1, second);
    // It waits for a lock when the database falls silent.
    let mut holder = database.sql().await;
    let mut held = holder.begin().await.unwrap();
    sqlx::query("SELECT FROM installation FOR UPDATE").execute(&mut *held).await.unwrap();
    let waiting = tokio::spawn(async move { store.remember_token_lifetimes(second).await });
    tokio::time::sleep(second / 2).await;
    proxy.fall_silent();
    let given_up = tokio::time::timeout(5 * second, waiting).await.expect("it waits for ever").unwrap();
    assert!(matches!(given_up, Err(StoreError::Unavailable(_))), "{given_up:?}");
}

#[tokio::test]
async fn a_look_at_the_schema_ends_in_time() {
    let database = crate::harness::TestDatabase::new().await;
    let url = DatabaseSource::Url(Secret::new(database.url()));
    let opened = Database::open(&url, std::path::Path::new("/nowhere"), &|_| {}).unwrap();
    let mut holder = database.sql().await;
    let mut held = holder.begin().await.unwrap();
    sqlx::query("LOCK TABLE _sqlx_migrations").execute(&mut *held).await.unwrap();
    let looked = tokio::time::timeout(IN_TIME, opened.check_schema()).await.expect("it waits for ever");
    assert!(looked.is_err(), "{looked:?}");
}

#[tokio::test]
async fn who_is_cut_off_within_a_transaction_keeps_nobody_out_for_long() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let url = DatabaseSource::Url(Secret::new(server.database.url()));
    let cut_off = Database::open(&url, std::path::Path::new("/nowhere"), &|_| {}).unwrap();
    let store = cut_off.store(1, Duration::from_secs(1));
    // For PostgreSQL somebody who does nothing is as good as gone.
    let _held = store.change_client(&app.client_id.clone().into()).await.unwrap().unwrap();
    let started = Instant::now();
    server.cli(&["client", "update", &app.client_id, "--name", "Other"]);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_were_lost_while_they_rested_cost_no_request() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &["--grant", "client_credentials"]);
    let token = app.token(&[("grant_type", "client_credentials")]).await.tokens();
    let form = [("token", token.access_token())];
    let everywhere = || async {
        let introspections = (0..40).map(|_| app.post("/introspect", &form));
        futures_util::future::join_all(introspections).await
    };
    assert!(everywhere().await.iter().all(|answer| answer.status == 200));

    // As PostgreSQL does when it is restarted.
    assert!(server.database.execute(END_ALL).await > 4);
    // One look of the heartbeat at least.
    tokio::time::sleep(Duration::from_millis(800)).await;
    for answer in everywhere().await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_made_however_long_a_request_has_patience() {
    let database = std::sync::Arc::new(crate::harness::TestDatabase::new().await);
    let proxy = SilentProxy::before(&database).await;
    let settings = Settings::default().with("DATABASE_URL", &proxy.url()).with("GRANTOR_SERVER_WORKERS", "1");
    let server = Server::start_on(database, settings).await;
    let app = RelyingParty::register(&server, &[]);
    let introspect = || async { app.post("/introspect", &[("token", "x")]).await.status };
    // Less than `database.acquire_timeout`, more than the half of it that a request waits.
    proxy.connect_slowly(Duration::from_millis(1_400));
    server.database.execute(END_ALL).await;
    // A job may have the only connection for a moment, so that one answer says nothing about the next.
    until(Duration::from_secs(20), || async { introspect().await == 200 && introspect().await == 200 }).await;
}
