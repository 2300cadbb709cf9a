//! Latencies under full load while the server's own cleanup works through a large backlog, and without one, by turns.

use std::time::{Duration, Instant};

use serde::Serialize;
use sqlx::PgConnection;

use super::sources;
use crate::load::{self, Outcome};
use crate::measure::{Latencies, median};
use crate::rows::{Source, Stage};

/// Cleanup runs each minute; it may be late where everything is busy.
const NEXT_RUN: Duration = Duration::from_secs(150);
/// How long the whole backlog may take.
const LONGEST: Duration = Duration::from_secs(900);

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
    /// Medians of the rounds in milliseconds, without and with cleanup.
    pub endpoints: Vec<Endpoint>,
    /// Rows that were deleted in a second under full load.
    pub deleted_per_second: f64,
    pub rounds: usize,
}

/// `/token` or `/introspect`.
#[derive(Debug, Clone, Serialize)]
pub struct Endpoint {
    pub name: &'static str,
    pub quiet_p99: f64,
    pub busy_p99: f64,
    pub quiet_per_second: f64,
    pub busy_per_second: f64,
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
        let [mut introspect, _] = sources::looks(stage).await;
        let mut refresh = sources::refreshes(stage).await;
        let half = stage.options.connections.div_ceil(2);
        introspect.truncate(half);
        refresh.truncate(half);
        Self { refresh, introspect }
    }

    /// Asks as fast as it is answered.
    pub fn turn(&mut self, stage: &Stage) -> Both {
        let (target, duration) = (stage.site.target(), Duration::from_secs_f64(stage.options.seconds));
        let ask = |sources| load::closed::<Source>(target, sources, duration);
        std::thread::scope(|scope| {
            let refresh = scope.spawn(|| ask(&mut self.refresh));
            let introspect = ask(&mut self.introspect);
            Both { refresh: refresh.join().expect("the load does not panic"), introspect }
        })
    }
}

pub async fn measure(stage: &Stage, backlog: u64) -> Figures {
    let mut loads = Loads::new(stage).await;
    loads.turn(stage);
    let (mut quiet, mut busy, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..stage.options.rounds {
        quiet.push(loads.turn(stage));
        let mut connection = stage.site.connect().await;
        fill(&mut connection, backlog).await;
        let there_were = left(&mut connection).await;
        wait_for_the_run(&mut connection, there_were).await;
        let before = (left(&mut connection).await, Instant::now());
        busy.push(loads.turn(stage));
        let now_left = left(&mut connection).await;
        deleted.push((before.0 - now_left) as f64 / before.1.elapsed().as_secs_f64());
        eprintln!("  cleanup round {}: {:.0} rows deleted a second under load", round + 1, deleted[round]);
        if now_left == 0 {
            eprintln!("  cleanup was done before the load: take a larger --backlog");
        }
        wait_until(&mut connection, LONGEST, |left| left == 0).await;
    }
    Figures {
        backlog_each: backlog,
        endpoints: compare(&quiet, &busy),
        deleted_per_second: median(deleted),
        rounds: quiet.len(),
    }
}

/// Latencies of quiet and busy turns.
pub fn compare(quiet: &[Both], busy: &[Both]) -> Vec<Endpoint> {
    type Of = fn(&Both) -> &Outcome;
    let of: [(&'static str, Of); 2] =
        [("/token refresh", |both| &both.refresh), ("/introspect", |both| &both.introspect)];
    let p99 = |turns: &[Both], of: Of| {
        median(turns.iter().map(|both| Latencies::from(&of(both).histogram).p99).collect::<Vec<_>>())
    };
    let rate =
        |turns: &[Both], of: Of| median(turns.iter().map(|both| of(both).per_second()).collect::<Vec<_>>());
    let endpoint = |(name, of): (&'static str, Of)| {
        let (quiet_p99, busy_p99) = (p99(quiet, of), p99(busy, of));
        let errors = quiet.iter().chain(busy).map(|both| of(both).errors).sum();
        if let Some(error) = quiet.iter().chain(busy).find_map(|both| of(both).first_error.as_ref()) {
            eprintln!("  WRONG: {name}: {error}");
        }
        Endpoint {
            name,
            quiet_p99,
            busy_p99,
            quiet_per_second: rate(quiet, of),
            busy_per_second: rate(busy, of),
            ratio: busy_p99 / quiet_p99,
            errors,
        }
    };
    of.into_iter().map(endpoint).collect()
}

async fn fill(connection: &mut PgConnection, backlog: u64) {
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

async fn wait_for_the_run(connection: &mut PgConnection, there_were: i64) {
    eprintln!("  waiting for the next run of cleanup");
    wait_until(connection, NEXT_RUN, |left| left < there_were).await;
}

async fn wait_until(connection: &mut PgConnection, at_most: Duration, is_so: impl Fn(i64) -> bool) {
    let began = Instant::now();
    while !is_so(left(connection).await) {
        assert!(began.elapsed() < at_most, "cleanup does not come about");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
