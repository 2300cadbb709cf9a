//! A server whose clock is wrong, and jumps while it runs. The database's clock is right.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Browser, RelyingParty, Server, Settings, Tokens, WrongClock, claims_of};

const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A server, its clock, and the usual actors.
struct Actors {
    clock: WrongClock,
    server: Server,
    app: RelyingParty,
    browser: Browser,
}

impl Actors {
    async fn new(mut settings: Settings) -> Self {
        let clock = WrongClock::new().expect("a C compiler, which the build needs too, and Linux");
        for (name, value) in clock.variables() {
            settings = settings.with(name, &value);
        }
        let server = Server::start_with(settings).await;
        server.user("alice", &[]);
        let grants = ["authorization_code", "refresh_token", "client_credentials"];
        let app = RelyingParty::register(&server, &grants.map(|grant| ["--grant", grant]).concat());
        let browser = Browser::new(&server);
        Self { clock, server, app, browser }
    }

    async fn sign_in(&self) -> Tokens {
        self.app.sign_in(&self.browser, "alice", &OFFLINE).await
    }

    async fn assert_inactive(&self, token: &str) {
        assert_eq!(self.app.introspect(token).await, json!({"active": false}));
    }

    async fn assert_no_grant(&self, code: &str, verifier: &str) {
        self.app.redeem(code, verifier, &[]).await.assert_refused(400, "invalid_grant");
    }

    fn assert_no_panic(&self) {
        assert!(!self.server.log().contains("panic"), "{}", self.server.log());
    }
}

#[tokio::test]
async fn set_back_it_revives_nothing_that_has_expired() {
    let short = Settings::default()
        .with("GRANTOR_TOKENS_CODE_LIFETIME", "1s")
        .with("GRANTOR_TOKENS_ACCESS_TOKEN_LIFETIME", "1s")
        .with("GRANTOR_TOKENS_REFRESH_IDLE_LIFETIME", "1s")
        .with("GRANTOR_SESSIONS_IDLE_LIFETIME", "2s");
    let actors = Actors::new(short).await;
    let tokens = actors.sign_in().await;
    let own = actors.app.token(&[("grant_type", "client_credentials")]).await.tokens();
    let (code, verifier) = actors.app.code(&actors.browser, "alice", &OFFLINE).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;

    // Case 87.
    for back in [-90, -HOUR, -DAY] {
        actors.clock.set(back);
        actors.assert_no_grant(&code, &verifier).await;
        for expired in [tokens.access_token(), own.access_token(), tokens.refresh_token()] {
            actors.assert_inactive(expired).await;
        }
        let refreshed = actors.app.refresh(tokens.refresh_token(), &[]).await;
        refreshed.assert_refused(400, "invalid_grant");
        let page =
            actors.browser.follow(actors.browser.get(&actors.app.authorize_path(&"c".repeat(43), &[])).await);
        assert!(page.await.has_id("login-submit"), "the session lives again");
    }
    actors.assert_no_panic();
}

#[tokio::test]
async fn however_it_jumps_nothing_can_be_used_again() {
    let actors = Actors::new(Settings::default().with("GRANTOR_TOKENS_REFRESH_REUSE_WINDOW", "1s")).await;
    let (code, verifier) = actors.app.code(&actors.browser, "alice", &OFFLINE).await;
    let used = actors.app.redeem(&code, &verifier, &[]).await.tokens();
    let revoked = actors.sign_in().await;
    assert_eq!(actors.app.revoke(revoked.refresh_token()).await.status, 200);
    let rotated = actors.sign_in().await;
    let newest = actors.app.refresh(rotated.refresh_token(), &[]).await.tokens();
    tokio::time::sleep(Duration::from_millis(1_200)).await;

    // Case 87. A token of today is dead to a process that lives tomorrow, and good again when it does not; what was
    // used or revoked is dead to all.
    for jump in [-90, 90, -HOUR, HOUR, -DAY, DAY, 0] {
        actors.clock.set(jump);
        actors.assert_no_grant(&code, &verifier).await;
        for ended in [revoked.access_token(), revoked.refresh_token(), used.refresh_token()] {
            actors.assert_inactive(ended).await;
        }
        actors.app.refresh(revoked.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    }
    assert_eq!(actors.app.introspect(newest.access_token()).await["active"], true);
    actors.app.refresh(rotated.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    actors.assert_inactive(newest.access_token()).await;
    actors.assert_no_panic();
}

#[tokio::test]
async fn what_it_issues_lives_no_longer_than_it_should_by_the_databases_clock() {
    let actors = Actors::new(Settings::default()).await;
    let mut tokens = actors.sign_in().await;
    // At once, and when the process has noticed.
    for jump in [20, 90, HOUR, DAY, -20, -90, -HOUR, -DAY].into_iter().flat_map(|jump| [jump, jump]) {
        actors.clock.set(jump);
        tokens = actors.app.refresh(tokens.refresh_token(), &[]).await.tokens();
        let own = actors.app.token(&[("grant_type", "client_credentials")]).await.tokens();
        let mut all = vec![tokens.claims(), own.claims()];
        // A code is dead to a process that is further ahead than codes live.
        if jump < 60 {
            let signed_in = actors.sign_in().await;
            all.extend([signed_in.claims(), claims_of(signed_in.0["id_token"].as_str().unwrap())]);
        }
        let now = database_time(&actors.server).await;
        for claims in all {
            let expires = claims["exp"].as_i64().unwrap();
            assert!(expires <= now + 600, "{} s too long at {jump}", expires - now - 600);
            assert!(claims["iat"].as_i64().unwrap() <= now, "issued in the future at {jump}");
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    // Nor does what is stored.
    actors.clock.set(HOUR);
    let fresh = Browser::new(&actors.server);
    fresh.sign_in("alice").await;
    actors.app.code(&fresh, "alice", &OFFLINE).await;
    for too_long in [
        "SELECT FROM sessions WHERE expires_at > clock_timestamp() + interval '7 d'",
        "SELECT FROM sessions WHERE idle_expires_at > clock_timestamp() + interval '12 h'",
        "SELECT FROM grants WHERE idle_expires_at > clock_timestamp() + interval '30 d'",
        "SELECT FROM grants WHERE expires_at > clock_timestamp() + interval '90 d'",
        "SELECT FROM authorization_codes WHERE expires_at > clock_timestamp() + interval '60 s'",
    ] {
        assert_eq!(actors.server.database.execute(too_long).await, 0, "{too_long}");
    }
    actors.assert_no_panic();
}

#[tokio::test]
async fn two_processes_that_disagree_about_the_time_agree_about_tokens() {
    let actors = Actors::new(Settings::default()).await;
    let right = Arc::new(actors.server.replica(Settings::default()).await);
    let there = actors.app.at(&right);
    for apart in [-90, 90] {
        let tokens = there.sign_in(&actors.browser, "alice", &OFFLINE).await;
        actors.clock.set(apart);
        assert_eq!(actors.app.introspect(tokens.access_token()).await["active"], true, "{apart}");
        let next = actors.app.refresh(tokens.refresh_token(), &[]).await.tokens();
        assert_eq!(there.introspect(next.access_token()).await["active"], true, "{apart}");
        // A lost answer is given again, by whichever process is asked.
        let again = there.refresh(tokens.refresh_token(), &[]).await.tokens();
        assert_eq!(again.refresh_token(), next.refresh_token());
        let last = there.refresh(next.refresh_token(), &[]).await.tokens();
        actors.app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
        for app in [&actors.app, &there] {
            assert_eq!(app.introspect(last.access_token()).await, json!({"active": false}));
        }
        actors.clock.set(0);
    }
}

/// Seconds since 1970, by the clock that counts.
async fn database_time(server: &Server) -> i64 {
    let mut connection = server.database.sql().await;
    sqlx::query_scalar("SELECT extract(epoch FROM clock_timestamp())::bigint")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}
