//! A database that answers no more, without having said good-bye.

use std::time::{Duration, Instant};

use crate::harness::{Answer, Browser, RelyingParty, Server, Settings, SilentProxy, pkce, until};

/// `server.request_timeout`, and what a busy machine takes.
const IN_TIME: Duration = Duration::from_millis(6_500);

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
