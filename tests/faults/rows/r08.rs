//! R8: a process whose clock jumps, beside one whose clock is right.

use std::time::Duration;

use crate::app::{App, Ask};
use crate::harness::{WrongClock, claims_of, free_port};
use crate::history::Outcome;
use crate::load::{Load, Traffic};
use crate::measure::{count, is_defect};
use crate::report::Report;
use crate::scale::Scale;
use crate::site::{Process, Site};

const WINDOW: Duration = Duration::from_secs(30);
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const ACCESS_TOKEN_LIFETIME: i64 = 600;

pub async fn run(scale: Scale) -> Report {
    let Some(clock) = WrongClock::new() else {
        return Report::skipped(
            "a C compiler (cc) is missing, or this is not Linux: no clock can be made wrong",
        );
    };
    let mut report = Report::default();
    let site = Site::new(&[]);
    let right = site.start().await;
    let variables = clock.variables();
    let wrong =
        site.spawn_at(free_port(), &variables.each_ref().map(|(name, value)| (*name, value.as_str())));
    wrong.ready().await;

    // A process that is an hour ahead takes every access token for expired, and redeems no code: what must go on is
    // refreshing, on both.
    let mut traffic = Traffic::at(vec![right.origin.clone(), wrong.origin.clone()]);
    (traffic.refreshes, traffic.ends, traffic.introspects) = (usize::MAX, false, false);
    let load = Load::start(&site, traffic).await;
    let ended = Ended::make(&site, load.app(), &right).await;
    let (mut alive, mut too_long, mut jumps) = (0, 0, 0);
    for jump in [90, -90, HOUR, -HOUR, DAY, -DAY] {
        clock.set(jump);
        let until = load.now() + scale.seconds(0.3, 1.5, 5.0);
        while load.now() < until {
            alive += ended.that_live_again(load.app(), &wrong).await;
            too_long += ended.tokens_that_live_too_long(&site, load.app(), &wrong).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        jumps += 1;
    }
    clock.set(0);
    // What was issued a day ago by its own clock has expired; everybody gets something new.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let aftermath = load.end(WINDOW).await;
    report.told("jumps (±90 s, ±1 h, ±1 day), one of two processes", jumps);
    report.exactly("used, rotated or revoked things that work again", alive, 0);
    report.exactly("tokens that live longer than they should by the database's clock", too_long, 0);
    report.exactly("answers that no fault excuses", count(&aftermath.history, is_defect), 0);
    aftermath.report(&mut report);
    report.exactly("panics", site.panics(), 0);
    report
}

/// What must stay dead, and something that lives.
struct Ended {
    code: crate::app::Code,
    tokens: [crate::app::Tokens; 2],
    lives: std::cell::RefCell<crate::app::Tokens>,
}

impl Ended {
    async fn make(site: &Site, app: &App, right: &Process) -> Self {
        let browser = app.browser(&site.issuer).await;
        let sign_in = async || {
            let code = app.code(&browser).await.unwrap();
            let (_, tokens) = app.exchange(&right.origin, app.journal.new_grant(), &code).await;
            (code, tokens.unwrap())
        };
        let (_, revoked) = sign_in().await;
        app.revoke(&right.origin, &revoked).await;
        // Redeemed twice, so that the grant is over.
        let (code, used) = sign_in().await;
        app.exchange(&right.origin, used.grant, &code).await;
        let (_, lives) = sign_in().await;
        Self { code, tokens: [revoked, used], lives: lives.into() }
    }

    async fn that_live_again(&self, app: &App, wrong: &Process) -> usize {
        let origin = &wrong.origin;
        let mut alive = usize::from(app.exchange(origin, self.tokens[1].grant, &self.code).await.1.is_some());
        for tokens in &self.tokens {
            alive += usize::from(app.introspect(origin, tokens).await == Outcome::Active(true));
            alive += usize::from(app.refresh(origin, tokens).await.1.is_some());
        }
        alive
    }

    async fn tokens_that_live_too_long(&self, site: &Site, app: &App, wrong: &Process) -> usize {
        let current = self.lives.borrow().clone();
        let Some(tokens) = app.ask(&wrong.origin, Ask::Refresh(&current)).await.1 else { return 0 };
        let expires = claims_of(&tokens.access_token)["exp"].as_i64().unwrap();
        self.lives.replace(tokens);
        let now: i64 = sqlx::query_scalar("SELECT extract(epoch FROM clock_timestamp())::bigint")
            .fetch_one(&mut site.postgres.connect().await)
            .await
            .unwrap();
        usize::from(expires > now + ACCESS_TOKEN_LIFETIME)
    }
}
