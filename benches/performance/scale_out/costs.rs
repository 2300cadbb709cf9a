//! What one answer costs: of the server's cores, of the database's, of its log and its disk. Any larger installation is
//! worked out from these.

use std::time::Duration;

use serde::Serialize;
use sqlx::Row as _;

use super::groups::Group;
use super::{Run, median};
use crate::postmaster::Postmaster;
use crate::site::Site;

/// The costs of an answer of one row.
#[derive(Debug, Serialize)]
pub struct Cost {
    pub row: &'static str,
    pub per_second: f64,
    /// Processor time in microseconds.
    pub server_micros: f64,
    pub database_micros: f64,
    /// What the database wrote ahead.
    pub wal_bytes: f64,
    /// Answers for each time that it waited for the disk.
    pub answers_per_sync: Option<f64>,
}

/// What the database has used so far.
struct Used {
    cpu: Duration,
    wal_bytes: f64,
    syncs: f64,
}

/// Measures one process.
pub async fn measure(run: &mut Run) -> Vec<Cost> {
    run.begin("costs").await;
    let group = Group::start(&run.stage.site, 1, &[]);
    let mut costs = Vec::new();
    for lane in 0..run.lanes.len() {
        run.warm_up(lane, &group).await;
        let mut rounds = Vec::new();
        for _ in 0..run.stage.options.rounds {
            // Not at this answer's cost.
            run.refill(lane).await;
            let (used, server) = (Used::until_now(&run.stage.site).await, group.cpu_time());
            let outcome = run.outcome(lane, &group, run.duration()).await;
            let server = group.cpu_time() - server;
            let after = Used::until_now(&run.stage.site).await;
            let answers = outcome.answers.max(1) as f64;
            rounds.push([
                outcome.per_second(),
                server.as_secs_f64() * 1e6 / answers,
                (after.cpu - used.cpu).as_secs_f64() * 1e6 / answers,
                (after.wal_bytes - used.wal_bytes) / answers,
                (after.syncs - used.syncs) / answers,
            ]);
        }
        let of = |column: usize| median(rounds.iter().map(|round| round[column]));
        costs.push(Cost {
            row: run.lanes[lane].row,
            per_second: of(0),
            server_micros: of(1),
            database_micros: of(2),
            wal_bytes: of(3),
            answers_per_sync: Some(1.0 / of(4)).filter(|answers| *answers < 1_000.0),
        });
    }
    costs
}

impl Used {
    async fn until_now(site: &Site) -> Self {
        // Sessions tell what they have done within a second.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let mut connection = site.connect().await;
        let row = sqlx::query(
            "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8, wal_sync::float8 FROM pg_stat_wal",
        )
        .fetch_one(&mut connection)
        .await
        .expect("PostgreSQL counts what it writes");
        let cpu = Postmaster::of(&mut connection).await.cpu_time();
        Self { cpu, wal_bytes: row.get(0), syncs: row.get(1) }
    }
}
