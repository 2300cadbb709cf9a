//! What PostgreSQL takes of its cores.

use std::fs;
use std::time::Duration;

use sqlx::PgConnection;

/// The process whose children do the work.
#[derive(Debug, Clone, Copy)]
pub struct Postmaster(i32);

impl Postmaster {
    /// That of this connection.
    pub async fn of(connection: &mut PgConnection) -> Self {
        let backend = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await;
        Self(stat(backend.expect("it has a number")).expect("it runs").parent)
    }

    /// Processor time of all its processes, those that have ended among them.
    pub fn cpu_time(self) -> Duration {
        let processes = fs::read_dir("/proc").expect("the kernel lists processes");
        let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let running = ids.filter_map(stat).filter(|stat| stat.parent == self.0).map(|stat| stat.ticks);
        let ended = fields(self.0).map_or(0, |fields| ticks(&fields[13..15]));
        let ticks = running.sum::<u64>() + ended;
        Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }
}

/// What the kernel says of a process.
struct Stat {
    parent: i32,
    ticks: u64,
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
