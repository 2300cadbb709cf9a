//! PostgreSQL killed before and after a commit, and under load: what was acknowledged is there afterwards, what was
//! not may be asked for again, and the server needs no restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::stage::generation_of;
use crate::harness::{Answer, Browser, CountingProxy, Moment, RelyingParty, Server, Settings, TestDatabase};

const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];
const ROTATION: &str = "UPDATE grants SET generation";

/// How long the server may need to find its database again.
const HEALS_WITHIN: Duration = Duration::from_secs(10);

struct OnItsOwn {
    server: Server,
    proxy: CountingProxy,
    app: RelyingParty,
    browser: Browser,
}

impl OnItsOwn {
    async fn start() -> Self {
        let database = Arc::new(TestDatabase::in_a_cluster_of_its_own().await);
        let proxy = CountingProxy::before(&database).await;
        let server = Server::start_on(database, Settings::default().with("DATABASE_URL", &proxy.url())).await;
        server.user("alice", &[]);
        let app = RelyingParty::register(&server, &[]);
        let browser = Browser::new(&server);
        Self { server, proxy, app, browser }
    }

    async fn dies_and_comes_back(&self, signal: &str) {
        let database = Arc::clone(&self.server.database);
        let signal = signal.to_owned();
        tokio::task::spawn_blocking(move || database.kill_cluster(&signal)).await.unwrap();
        self.server.database.restart_cluster().await;
    }
}

/// Asks until the database is back. What is answered meanwhile says so, in time.
async fn ask_until_answered(ask: impl AsyncFn() -> Answer) -> Answer {
    let started = Instant::now();
    loop {
        let asked = Instant::now();
        let answer = ask().await;
        if answer.status != 503 {
            return answer;
        }
        answer.assert_refused(503, "temporarily_unavailable");
        assert!(answer.header("retry-after").is_some());
        assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
        assert!(started.elapsed() < HEALS_WITHIN, "it does not heal");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_is_done_or_not_done_and_may_be_asked_for_again() {
    let stage = OnItsOwn::start().await;
    let OnItsOwn { app, browser, .. } = &stage;
    let mut tokens = app.sign_in(browser, "alice", &OFFLINE).await;
    for (moment, signal) in
        [(Moment::BeforeCommit, "QUIT"), (Moment::AfterCommit, "QUIT"), (Moment::AfterCommit, "KILL")]
    {
        let stopped = stage.proxy.stop(moment, ROTATION);
        let interrupted = async {
            stopped.await.unwrap();
            stage.dies_and_comes_back(signal).await;
        };
        let old = tokens.refresh_token().to_owned();
        let (answer, ()) = tokio::join!(app.refresh(&old, &[]), interrupted);
        answer.assert_refused(503, "temporarily_unavailable");

        // Each worker of the server finds out by itself that its connections are gone.
        let refresh =
            async |token: &str| ask_until_answered(async || app.refresh(token, &[]).await).await.tokens();
        let next = refresh(&old).await;
        assert_eq!(generation_of(next.refresh_token()), generation_of(&old) + 1, "{moment:?} {signal}");
        assert_eq!(refresh(&old).await.refresh_token(), next.refresh_token());
        tokens = refresh(next.refresh_token()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_nobody_is_signed_out_and_nothing_acknowledged_is_lost() {
    let stage = OnItsOwn::start().await;
    let OnItsOwn { app, browser, .. } = &stage;
    let mut families = Vec::new();
    for _ in 0..8 {
        families.push(app.sign_in(browser, "alice", &OFFLINE).await);
    }
    let (is_over, refreshed) = (AtomicBool::new(false), AtomicUsize::new(0));
    let storm = families.iter().enumerate().map(async |(number, tokens)| {
        let mut newest = tokens.refresh_token().to_owned();
        while !is_over.load(Ordering::Relaxed) {
            let next = ask_until_answered(async || app.refresh(&newest, &[]).await).await.tokens();
            assert_eq!(generation_of(next.refresh_token()), generation_of(&newest) + 1);
            newest = next.refresh_token().to_owned();
            if number % 2 == 1 && refreshed.fetch_add(1, Ordering::Relaxed) % 50 == 49 {
                break;
            }
        }
        // Some end amid it.
        let is_revoked = !is_over.load(Ordering::Relaxed);
        if is_revoked {
            assert_eq!(ask_until_answered(async || app.revoke(&newest).await).await.status, 200);
        }
        (newest, is_revoked)
    });
    let deaths = async {
        for signal in ["QUIT", "KILL", "QUIT"] {
            tokio::time::sleep(Duration::from_millis(700)).await;
            stage.dies_and_comes_back(signal).await;
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
        is_over.store(true, Ordering::Relaxed);
    };
    let (families, ()) = tokio::join!(join_all(storm), deaths);
    for (newest, is_revoked) in families {
        let answer = ask_until_answered(async || app.refresh(&newest, &[]).await).await;
        if is_revoked {
            answer.assert_refused(400, "invalid_grant");
        } else {
            assert!(generation_of(&newest) > 10, "there was a storm");
            answer.tokens();
        }
    }
}
