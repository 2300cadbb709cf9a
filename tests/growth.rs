//! What must not become larger as time goes on.

use std::time::Duration;

use grantor::config::DatabaseSource;
use grantor::secret::Secret;
use grantor::store::Database;
use grantor::time::Timestamp;

use crate::harness::{Server, Settings, TestDatabase, WrongClock};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn codes_are_dropped_a_week_after_their_last() {
    let test = TestDatabase::new().await;
    let source = DatabaseSource::Url(Secret::new(test.url()));
    let database = Database::open(&source, "/".as_ref(), &|_| {}).unwrap();
    let store = database.store(2, Duration::from_secs(5));
    let now = Timestamp::now();
    let today = now.unix_day();
    for day in [today - 9, today - 8] {
        let bound = |day: i64| format!("{day:04x}0000-0000-0000-0000-000000000000");
        let make = format!(
            "CREATE TABLE authorization_codes_d{day} PARTITION OF authorization_codes FOR VALUES FROM ('{}') TO ('{}')",
            bound(day),
            bound(day + 1)
        );
        test.execute(&make).await;
    }
    // A clock that is behind keeps what the database's would drop, and one that is ahead drops no more.
    for (clock, dropped) in [(now - 30 * DAY, 0), (now, 1), (now + 30 * DAY, 0)] {
        assert_eq!(store.drop_past_partitions(90 * DAY, clock).await.unwrap(), dropped);
    }
    let left: String = sqlx::query_scalar(
        "SELECT min(relname)::text FROM pg_class WHERE relname ~ '^authorization_codes_d[0-9]+$'",
    )
    .fetch_one(&mut test.sql().await)
    .await
    .unwrap();
    assert_eq!(left, format!("authorization_codes_d{}", today - 8));
    store.close();
    database.close().unwrap();
}

#[tokio::test]
async fn cleanup_goes_on_as_long_as_there_is_much_to_delete() {
    let clock = WrongClock::new().expect("a C compiler, which the build needs too, and Linux");
    let time_passes = Settings::default().with("WRONG_CLOCK_MONOTONIC", "1");
    let settings =
        clock.variables().iter().fold(time_passes, |settings, (name, value)| settings.with(name, value));
    let server = Server::start_with(settings).await;
    let past = "INSERT INTO used_client_assertions
                SELECT sha256(n::text::bytea), now() - interval '1 h' FROM generate_series(1, 60000) AS n";
    let live = "INSERT INTO used_client_assertions VALUES ('live', now() + interval '1 h')";
    for statement in [past, live] {
        server.database.execute(statement).await;
    }
    // The first run comes after a minute.
    clock.set(61);
    let mut connection = server.database.sql().await;
    let mut left: i64 = 0;
    let began = std::time::Instant::now();
    while left != 1 {
        assert!(began.elapsed() < Duration::from_secs(40), "{left} are left");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let count = sqlx::query_scalar("SELECT count(*) FROM used_client_assertions");
        left = count.fetch_one(&mut connection).await.unwrap();
    }
}
