//! Latencies under full load while a large partition of past grants is detached and dropped, and without that, by turns.

use std::time::{Duration, Instant};

use grantor::config::DatabaseSource;
use grantor::secret::Secret;
use grantor::store::Database;
use grantor::time::Timestamp;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection};

use super::cleanup::{Endpoint, Loads, compare};
use crate::measure::median;
use crate::rows::Stage;
use crate::site::Site;

/// A partition holds so many days.
const DAYS: i64 = 28;

/// The load is under way by then.
const SOON: Duration = Duration::from_millis(500);

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    pub grants: u64,
    pub endpoints: Vec<Endpoint>,
    /// How long dropping it took.
    pub milliseconds: f64,
    pub rounds: usize,
}

pub async fn measure(stage: &Stage, grants: u64) -> Figures {
    let mut loads = Loads::new(stage).await;
    let (target, duration) = (stage.site.target(), stage.options.turn());
    loads.turn(target, duration);
    let (mut quiet, mut busy, mut took) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..stage.options.rounds {
        quiet.push(loads.turn(target, duration));
        make_past_partition(&mut stage.site.connect().await, grants).await;
        std::thread::scope(|scope| {
            let dropping = scope.spawn(|| drop_past(&stage.site));
            busy.push(loads.turn(target, duration));
            took.push(dropping.join().expect("dropping does not panic").as_secs_f64() * 1e3);
        });
    }
    Figures { grants, endpoints: compare(&quiet, &busy), rounds: took.len(), milliseconds: median(took) }
}

/// As the server's hourly job does it.
fn drop_past(site: &Site) -> Duration {
    std::thread::sleep(SOON);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let source = DatabaseSource::Url(Secret::new(site.database_url()));
        let database = Database::open(&source, site.directory(), &|_| {}).expect("the URL is sound");
        let store = database.store(1, Duration::from_secs(10));
        let began = Instant::now();
        let dropped = store.drop_past_partitions(Duration::from_secs(90 * 86_400), Timestamp::now()).await;
        let took = began.elapsed();
        assert!(dropped.expect("it can be dropped") > 0, "there was nothing to drop");
        took
    })
}

/// Copies grants into a partition whose last day is long past.
async fn make_past_partition(connection: &mut PgConnection, grants: u64) {
    let first_day = (Timestamp::now().unix_day() / DAYS - 3) * DAYS;
    let bound = |day: i64| format!("{day:04x}0000-0000-0000-0000-000000000000");
    let make = format!(
        "CREATE TABLE grants_d{first_day} (LIKE grants INCLUDING ALL);
         INSERT INTO grants_d{first_day}
         SELECT (grants_of_today).* FROM (
             SELECT jsonb_populate_record(g, jsonb_build_object('id',
                 '{first_day:04x}' || substr(g.id::text, 5))) AS grants_of_today
             FROM grants g LIMIT {grants}) AS copied
         ON CONFLICT DO NOTHING;
         ALTER TABLE grants ATTACH PARTITION grants_d{first_day} FOR VALUES FROM ('{}') TO ('{}')",
        bound(first_day),
        bound(first_day + DAYS)
    );
    sqlx::raw_sql(AssertSqlSafe(make)).execute(connection).await.expect("a partition can be made");
}
