//! What one answer costs: of the server's cores, of the database's, of its log and its disk. Any larger installation is
//! worked out from these.

use std::fs;
use std::time::Duration;

use serde::Serialize;
use sqlx::Row as _;

use super::groups::Group;
use super::{Run, median};
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
    eprintln!("costs");
    let group = Group::start(&run.stage.site, 1, &[]);
    let mut costs = Vec::new();
    for lane in 0..run.lanes.len() {
        run.turn(lane, &group).await;
        let mut rounds = Vec::new();
        for _ in 0..run.stage.options.rounds {
            // Not at this answer's cost.
            run.refill(lane).await;
            let (used, server) = (Used::until_now(&run.stage.site).await, group.cpu_time());
            let outcome = run.outcome(lane, &group).await;
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
            "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8, wal_sync::float8, pg_backend_pid()
             FROM pg_stat_wal",
        )
        .fetch_one(&mut connection)
        .await
        .expect("PostgreSQL counts what it writes");
        let backend: i32 = row.get(2);
        let postmaster = stat(backend).expect("it runs").parent;
        Self { cpu: cpu_of_children(postmaster), wal_bytes: row.get(0), syncs: row.get(1) }
    }
}

/// What the kernel says of a process.
struct Stat {
    parent: i32,
    ticks: u64,
}

/// Processor time of all processes of a server, those that have ended among them.
fn cpu_of_children(postmaster: i32) -> Duration {
    let processes = fs::read_dir("/proc").expect("the kernel lists processes");
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let running = ids.filter_map(stat).filter(|stat| stat.parent == postmaster).map(|stat| stat.ticks);
    let ended = fields(postmaster).map_or(0, |fields| ticks(&fields[13..15]));
    let ticks = running.sum::<u64>() + ended;
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

fn stat(process: i32) -> Option<Stat> {
    let fields = fields(process)?;
    Some(Stat { parent: fields[1].parse().ok()?, ticks: ticks(&fields[11..13]) })
}

/// What follows the name, which may hold anything, in brackets.
fn fields(process: i32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

fn ticks(fields: &[String]) -> u64 {
    fields.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}
