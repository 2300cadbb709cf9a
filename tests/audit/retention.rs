//! How long events stay.

use std::time::Duration;

use grantor::config::DatabaseSource;
use grantor::secret::Secret;
use grantor::store::Database;
use grantor::time::Timestamp;

use crate::harness::TestDatabase;

const DAY: Duration = Duration::from_secs(86_400);

/// A partition with an event of this many days ago.
async fn event_of(database: &TestDatabase, now: Timestamp, days_ago: i64) -> String {
    let day = (now.unix_day() - days_ago) / 7 * 7;
    let name = format!("audit_events_d{day}");
    let bound = |day: i64| format!("{day:04x}0000-0000-0000-0000-000000000000");
    for statement in [
        format!(
            "CREATE TABLE {name} PARTITION OF audit_events FOR VALUES FROM ('{}') TO ('{}')",
            bound(day),
            bound(day + 7)
        ),
        format!(
            "INSERT INTO audit_events (id, occurred_at, event, outcome, actor_kind)
             SELECT audit_event_id(at), at, 'sign_out', 'success', 'system'
             FROM (SELECT now() - interval '{days_ago} days' AS at) AS past"
        ),
    ] {
        database.execute(&statement).await;
    }
    name
}

#[tokio::test]
async fn partitions_are_made_ahead_and_dropped_after_the_retention() {
    let test = TestDatabase::new().await;
    let source = DatabaseSource::Url(Secret::new(test.url()));
    let database = Database::open(&source, "/".as_ref(), &|_| {}).unwrap();
    let store = database.store(2, Duration::from_secs(5));
    let now = Timestamp::now();
    let (old, kept) = (event_of(&test, now, 120).await, event_of(&test, now, 40).await);
    assert_eq!(store.drop_past_partitions(90 * DAY, now).await.unwrap(), 1);
    assert!(!exists(&test, &old).await && exists(&test, &kept).await);
    store.close();
    database.close().unwrap();
}

async fn exists(database: &TestDatabase, table: &str) -> bool {
    let look = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table);
    look.fetch_one(&mut database.sql().await).await.unwrap()
}
