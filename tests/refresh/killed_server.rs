//! A server that is killed between a statement and its answer: who asks another process again gets what was
//! meant for him, and nothing is had twice.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sqlx::Row;

use super::stage::generation_of;
use crate::harness::{Answer, Browser, CountingProxy, Moment, RelyingParty, Server, Settings, TestDatabase};

const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];
const ROTATION: &str = "UPDATE grants SET generation";
const REDEMPTION: &str = "WITH used AS ( UPDATE authorization_codes";
const REVOCATION: &str = "WITH written AS ( UPDATE grants SET revoked_at";
const MOMENTS: [Moment; 2] = [Moment::BeforeCommit, Moment::AfterCommit];

/// A server that reaches its database through a proxy.
struct Doomed {
    server: Server,
    proxy: CountingProxy,
    app: RelyingParty,
    browser: Browser,
}

impl Doomed {
    async fn start(window: &str, registration: &[&str]) -> Self {
        let database = Arc::new(TestDatabase::new().await);
        let proxy = CountingProxy::before(&database).await;
        let through_proxy = settings(window).with("DATABASE_URL", &proxy.url());
        let server = Server::start_on(database, through_proxy).await;
        server.user("alice", &[]);
        let app = RelyingParty::register(&server, registration);
        let browser = Browser::new(&server);
        Self { server, proxy, app, browser }
    }

    /// Kills the server while this request's statement is stopped, and starts another one.
    async fn dies(
        &mut self,
        window: &str,
        moment: Moment,
        statement: &str,
        request: impl Future<Output = Answer>,
    ) -> Server {
        let stopped = self.proxy.stop(moment, statement);
        let mut request = pin!(request);
        tokio::select! {
            answer = &mut request => panic!("answered: {} {}", answer.status, answer.body),
            stopped = stopped => stopped.unwrap(),
        }
        self.server.signal("-KILL");
        self.server.wait(Duration::from_secs(5)).unwrap();
        self.server.replica(settings(window)).await
    }

    /// The generation in the only row, and whether it is revoked.
    async fn row(&self) -> (i32, bool) {
        let mut sql = self.server.database.sql().await;
        let row = sqlx::query("SELECT generation, revoked_at IS NOT NULL FROM grants");
        let row = row.fetch_one(&mut sql).await.unwrap();
        (row.get(0), row.get(1))
    }
}

fn settings(window: &str) -> Settings {
    Settings::default().with("GRANTOR_TOKENS_REFRESH_REUSE_WINDOW", window)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_whose_answer_was_lost_is_answered_by_another_process() {
    for moment in MOMENTS {
        for registration in [&[][..], &["--public"]] {
            let mut doomed = Doomed::start("30s", registration).await;
            let app = doomed.app.clone();
            let tokens = app.sign_in(&doomed.browser, "alice", &OFFLINE).await;
            let lost = app.refresh(tokens.refresh_token(), &[]);
            let other = doomed.dies("30s", moment, ROTATION, lost).await;
            assert_eq!(doomed.row().await, (i32::from(moment == Moment::AfterCommit), false), "{moment:?}");

            let app = app.at(&other);
            let next = app.refresh(tokens.refresh_token(), &[]).await.tokens();
            assert_eq!(generation_of(next.refresh_token()), 1, "one step, whether it was taken or not");
            assert_eq!(doomed.row().await, (1, false));
            let again = app.refresh(tokens.refresh_token(), &[]).await.tokens();
            assert_eq!(again.refresh_token(), next.refresh_token());
            app.refresh(next.refresh_token(), &[]).await.tokens();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_takes_the_second_use_for_theft_only_if_there_was_a_first() {
    for moment in MOMENTS {
        let mut doomed = Doomed::start("0s", &[]).await;
        let app = doomed.app.clone();
        let tokens = app.sign_in(&doomed.browser, "alice", &OFFLINE).await;
        let lost = app.refresh(tokens.refresh_token(), &[]);
        let other = doomed.dies("0s", moment, ROTATION, lost).await;
        let app = app.at(&other);
        let answer = app.refresh(tokens.refresh_token(), &[]).await;
        match moment {
            Moment::BeforeCommit => drop(answer.tokens()),
            Moment::AfterCommit => answer.assert_refused(400, "invalid_grant"),
        }
        assert_eq!(doomed.row().await, (1, moment == Moment::AfterCommit));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rotation_a_lost_answer_loses_nothing() {
    for moment in MOMENTS {
        let mut doomed = Doomed::start("0s", &["--rotate-refresh-tokens", "false"]).await;
        let app = doomed.app.clone();
        let tokens = app.sign_in(&doomed.browser, "alice", &OFFLINE).await;
        let lost = app.refresh(tokens.refresh_token(), &[]);
        let other = doomed.dies("0s", moment, ROTATION, lost).await;
        let app = app.at(&other);
        let again = app.refresh(tokens.refresh_token(), &[]).await.tokens();
        assert_eq!(again.refresh_token(), tokens.refresh_token());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_until_its_redemption_is_committed_and_no_longer() {
    for moment in MOMENTS {
        let mut doomed = Doomed::start("30s", &[]).await;
        let app = doomed.app.clone();
        let (code, verifier) = app.code(&doomed.browser, "alice", &OFFLINE).await;
        let lost = app.redeem(&code, &verifier, &[]);
        let other = doomed.dies("30s", moment, REDEMPTION, lost).await;
        let app = app.at(&other);
        let answer = app.redeem(&code, &verifier, &[]).await;
        match moment {
            Moment::BeforeCommit => drop(app.refresh(answer.tokens().refresh_token(), &[]).await.tokens()),
            // Case 26: who has the first answer is not to be told from who asks again. The person is still
            // signed in and has agreed: starting again shows no page.
            Moment::AfterCommit => answer.assert_refused(400, "invalid_grant"),
        }
        assert_eq!(doomed.row().await.1, moment == Moment::AfterCommit);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_done_or_may_be_asked_for_again() {
    for moment in MOMENTS {
        let mut doomed = Doomed::start("30s", &[]).await;
        let app = doomed.app.clone();
        let tokens = app.sign_in(&doomed.browser, "alice", &OFFLINE).await;
        let lost = app.revoke(tokens.refresh_token());
        let other = doomed.dies("30s", moment, REVOCATION, lost).await;
        let app = app.at(&other);
        let lives = moment == Moment::BeforeCommit;
        assert_eq!(app.introspect(tokens.access_token()).await["active"], lives, "{moment:?}");

        assert_eq!(app.revoke(tokens.refresh_token()).await.status, 200);
        assert_eq!(app.introspect(tokens.access_token()).await, json!({"active": false}));
        app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    }
}
