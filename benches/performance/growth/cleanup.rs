//! Latencies under full load while the server's own cleanup works through a large backlog, and while it rests, by turns.
//!
//! Each round has a server of its own, with the right time while its cleanup rests, and a minute later when it is to run.
//! It ends in the middle of it: so one backlog is enough for all rounds.

use std::time::{Duration, Instant};

use serde::Serialize;
use sqlx::PgConnection;

use super::sources;
use crate::clock::Clock;
use crate::load::{self, Outcome, Target};
use crate::measure::{Latencies, median};
use crate::rows::{Source, Stage};

/// Cleanup runs each minute: so many seconds later it is its time.
const NEXT_RUN: i64 = 61;
/// The server looks every half second.
const PATIENCE: Duration = Duration::from_secs(10);

/// Different access tokens and refresh tokens, if there are so many.
const MOST_TOKENS: u64 = 8_192;
const MOST_CHAINS: u64 = 100_000;

/// Rows of each kind whose time has passed long ago. The first of them is the first to be deleted.
const BACKLOG: [&str; 3] = [
    "INSERT INTO used_client_assertions
     SELECT sha256(('past ' || n)::bytea), timestamptz '2001-01-01' + n * interval '1 ms' FROM generate_series(1, $1) n",
    "INSERT INTO revoked_access_tokens
     SELECT 'past ' || md5(n::text), timestamptz '2001-01-01' + n * interval '1 ms' FROM generate_series(1, $1) n",
    "INSERT INTO sign_in_throttle
     SELECT sha256(('past ' || n)::bytea), 1, timestamptz '2001-01-01' + n * interval '1 ms', '-infinity'
     FROM generate_series(1, $1) n",
];

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    pub backlog_each: u64,
    /// Without and with cleanup.
    pub endpoints: Vec<Endpoint>,
    /// Rows that were deleted in a second under full load.
    pub deleted_per_second: f64,
    pub rounds: usize,
}

/// `/token` or `/introspect`: medians of the rounds, latencies in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Endpoint {
    pub name: &'static str,
    pub quiet_p99: f64,
    pub busy_p99: f64,
    pub quiet_per_second: f64,
    pub busy_per_second: f64,
    /// Of p99, in the same round.
    pub ratio: f64,
    pub errors: u64,
}

/// What a load of both kinds came to.
pub struct Both {
    pub refresh: Outcome,
    pub introspect: Outcome,
}

/// Both loads, half of the connections each.
pub struct Loads {
    refresh: Vec<Source>,
    introspect: Vec<Source>,
}

impl Loads {
    pub async fn new(stage: &Stage) -> Self {
        let there_are = stage.population.for_load();
        let share = (there_are.end - there_are.start) / 24;
        let [mut introspect, _] = sources::looks(stage, share.min(MOST_TOKENS)).await;
        let mut refresh = sources::refreshes(stage, share.min(MOST_CHAINS)).await;
        let half = stage.options.connections.div_ceil(2);
        introspect.truncate(half);
        refresh.truncate(half);
        Self { refresh, introspect }
    }

    /// Asks as fast as it is answered.
    pub fn turn(&mut self, target: Target<'_>, duration: Duration) -> Both {
        let ask = |sources| load::closed::<Source>(target, sources, duration);
        std::thread::scope(|scope| {
            let refresh = scope.spawn(|| ask(&mut self.refresh));
            let introspect = ask(&mut self.introspect);
            Both { refresh: refresh.join().expect("the load does not panic"), introspect }
        })
    }
}

pub async fn measure(stage: &Stage, backlog: u64) -> Figures {
    let directory = tempfile::Builder::new().prefix("grantor-clock-").tempdir().expect("a directory");
    let clock = Clock::make(directory.path());
    let mut connection = stage.site.connect().await;
    // Nobody else's cleanup begins.
    keep_lease(&mut connection).await;
    fill(&mut connection, backlog).await;
    let mut loads = Loads::new(stage).await;
    let mut rounds = Vec::new();
    for number in 1..=stage.options.rounds {
        let round = Round::measure(stage, &clock, &mut loads, &mut connection).await;
        eprintln!(
            "  cleanup round {number}: {:.0} rows deleted a second under load",
            round.deleted_per_second
        );
        rounds.push(round);
    }
    empty(&mut connection).await;
    free_lease(&mut connection).await;
    let deleted: Vec<_> = rounds.iter().map(|round| round.deleted_per_second).collect();
    let (quiet, busy): (Vec<_>, Vec<_>) = rounds.into_iter().map(|round| (round.quiet, round.busy)).unzip();
    Figures {
        backlog_each: backlog,
        endpoints: compare(&quiet, &busy),
        rounds: deleted.len(),
        deleted_per_second: median(deleted),
    }
}

struct Round {
    quiet: Both,
    busy: Both,
    deleted_per_second: f64,
}

impl Round {
    async fn measure(stage: &Stage, clock: &Clock, loads: &mut Loads, connection: &mut PgConnection) -> Self {
        clock.set(0);
        // That its clock and the database's are apart need not be said.
        let quietly = ("GRANTOR_LOG_FILTER".to_owned(), "error".to_owned());
        let server = stage.site.spawn_with(&[&clock.variables()[..], &[quietly]].concat());
        let target = Target { address: server.address, cores: &stage.site.other_cores };
        let duration = stage.options.turn();
        // It remembers nothing yet.
        loads.turn(target, duration.min(Duration::from_secs(1)));
        let quiet = loads.turn(target, duration);
        let there_were = left(connection).await;
        free_lease(connection).await;
        clock.set(NEXT_RUN);
        wait_until_begun(connection, there_were).await;
        let before = (left(connection).await, Instant::now());
        let busy = loads.turn(target, duration);
        let (now_left, took) = (left(connection).await, before.1.elapsed());
        drop(server);
        keep_lease(connection).await;
        if now_left == 0 {
            eprintln!("  cleanup was done before the load: take a larger --backlog");
        }
        Self { quiet, busy, deleted_per_second: (before.0 - now_left) as f64 / took.as_secs_f64() }
    }
}

/// Latencies of quiet and busy turns.
pub fn compare(quiet: &[Both], busy: &[Both]) -> Vec<Endpoint> {
    type Of = fn(&Both) -> &Outcome;
    let of: [(&'static str, Of); 2] =
        [("/token refresh", |both| &both.refresh), ("/introspect", |both| &both.introspect)];
    let p99 = |both: &Both, of: Of| Latencies::from(&of(both).histogram).p99;
    let p99_of = |turns: &[Both], of: Of| median(turns.iter().map(|both| p99(both, of)).collect::<Vec<_>>());
    let rate =
        |turns: &[Both], of: Of| median(turns.iter().map(|both| of(both).per_second()).collect::<Vec<_>>());
    let endpoint = |(name, of): (&'static str, Of)| {
        let ratios = quiet.iter().zip(busy).map(|(quiet, busy)| p99(busy, of) / p99(quiet, of));
        let errors = quiet.iter().chain(busy).map(|both| of(both).errors).sum();
        if let Some(error) = quiet.iter().chain(busy).find_map(|both| of(both).first_error.as_ref()) {
            eprintln!("  WRONG: {name}: {error}");
        }
        Endpoint {
            name,
            quiet_p99: p99_of(quiet, of),
            busy_p99: p99_of(busy, of),
            quiet_per_second: rate(quiet, of),
            busy_per_second: rate(busy, of),
            ratio: median(ratios.collect::<Vec<_>>()),
            errors,
        }
    };
    of.into_iter().map(endpoint).collect()
}

async fn fill(connection: &mut PgConnection, backlog: u64) {
    // What a run that was broken off has left.
    empty(connection).await;
    for insert in BACKLOG {
        let inserting = sqlx::query(insert).bind(backlog.cast_signed());
        inserting.execute(&mut *connection).await.expect("rows can be written");
    }
    for tidy in
        ["VACUUM ANALYZE used_client_assertions, revoked_access_tokens, sign_in_throttle", "CHECKPOINT"]
    {
        sqlx::raw_sql(tidy).execute(&mut *connection).await.expect("PostgreSQL tidies up");
    }
}

async fn empty(connection: &mut PgConnection) {
    let all = "TRUNCATE used_client_assertions, revoked_access_tokens, sign_in_throttle";
    sqlx::raw_sql(all).execute(connection).await.expect("tables can be emptied");
}

/// No process may clean up for longer than this takes.
async fn keep_lease(connection: &mut PgConnection) {
    let keep = "INSERT INTO leases (name, holder, expires_at)
        VALUES ('cleanup', gen_random_uuid(), clock_timestamp() + interval '10 minutes')
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at";
    sqlx::raw_sql(keep).execute(connection).await.expect("the lease can be taken");
}

/// Any process may.
async fn free_lease(connection: &mut PgConnection) {
    let free = "DELETE FROM leases WHERE name = 'cleanup'";
    sqlx::raw_sql(free).execute(connection).await.expect("the lease can be given up");
}

/// Rows of the backlog.
async fn left(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM used_client_assertions WHERE expires_at < '2002-01-01')
             + (SELECT count(*) FROM revoked_access_tokens WHERE expires_at < '2002-01-01')
             + (SELECT count(*) FROM sign_in_throttle WHERE last_attempt_at < '2002-01-01')",
    )
    .fetch_one(connection)
    .await
    .expect("rows can be counted")
}

async fn wait_until_begun(connection: &mut PgConnection, there_were: i64) {
    let began = Instant::now();
    while left(connection).await == there_were {
        assert!(began.elapsed() < PATIENCE, "cleanup does not come about");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
