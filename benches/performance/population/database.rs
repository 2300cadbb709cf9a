//! Ways to the database for who writes a population.

use std::time::Duration;

use grantor::config::DatabaseSource;
use grantor::secret::Secret;
use grantor::store::Database;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::numbers::LONGEST_LIFE;
use crate::Result;
use crate::site::Site;

/// Nobody waits for the disk: what is written may be lost with the machine. Foreign keys are kept by the numbers.
const SETTINGS: &str = "SET synchronous_commit = off; SET session_replication_role = replica;
    SET maintenance_work_mem = '256MB'; SET jit = off";

/// What a server's first minute does.
pub async fn make_partitions(site: &Site) -> Result<()> {
    let source = DatabaseSource::Url(Secret::new(site.database_url()));
    let database = Database::open(&source, site.directory(), &|_| {})?;
    let store = database.store(1, Duration::from_secs(10));
    store.ensure_partitions(Duration::from_secs(LONGEST_LIFE * 86_400)).await?;
    Ok(())
}

/// Connections for each core. Those of `everywhere` also run on the servers' cores, where no server runs yet.
pub async fn connect(site: &Site, everywhere: bool) -> Result<PgPool> {
    let connections = site.server_cores.count() + site.other_cores.count();
    let pool = PgPoolOptions::new()
        .max_connections(u32::try_from(connections)?)
        .acquire_timeout(Duration::from_secs(3_600))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(SETTINGS).execute(&mut *connection).await?;
                if everywhere {
                    free(sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await?);
                }
                Ok(())
            })
        })
        .connect_with(site.options())
        .await?;
    Ok(pool)
}

/// Lets a process run on all cores that the system gives it: those that it may not use anyway do not count.
fn free(process: i32) {
    let mut all = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|core| all.set(core));
    // On fewer cores it takes longer.
    let _ = sched_setaffinity(Pid::from_raw(process), &all);
}
