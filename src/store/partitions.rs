//! Partitions of the tables that grow: made ahead of the ids that will come, dropped when past.
//!
//! The ids of codes and grants begin with the day on which they end at the latest
//! ([`crate::model::GrantId`]), so a partition holds whole days of ends, and a past one is dead as a whole. Those of
//! events begin with the day on which they occurred.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{Store, StoreError, in_transaction};
use crate::model::first_id_of_day;
use crate::time::Timestamp;

/// Partitions reach this much further than the longest lifetime, for clocks that go wrong.
const MARGIN_DAYS: i64 = 7;

const DAY: Duration = Duration::from_secs(86_400);

/// A table partitioned by the day at the beginning of its ids.
struct Partitioned {
    table: &'static str,
    /// Days that one partition holds.
    days: i64,
    /// How full its pages are written: rows that change stay in their page while there is room.
    fillfactor: u8,
}

const CODES: Partitioned = Partitioned { table: "authorization_codes", days: 1, fillfactor: 80 };
const GRANTS: Partitioned = Partitioned { table: "grants", days: 28, fillfactor: 80 };
const AUDIT_EVENTS: Partitioned = Partitioned { table: "audit_events", days: 7, fillfactor: 100 };

/// How far the partitions of events reach. Without one nothing that is recorded can be done.
const AUDIT_DAYS: i64 = 28;

impl Partitioned {
    fn name(&self, first_day: i64) -> String {
        format!("{}_d{first_day}", self.table)
    }

    /// The first days of the partitions that must exist for ids ending between `today` and `last_day`.
    fn wanted(&self, today: i64, last_day: i64) -> impl Iterator<Item = i64> + use<> {
        let days = self.days;
        ((today / days)..=(last_day / days)).map(move |period| period * days)
    }

    fn first_day_of(&self, partition: &str) -> Option<i64> {
        partition.strip_prefix(self.table)?.strip_prefix("_d")?.parse().ok()
    }
}

impl Store {
    /// Makes the partitions for everything that can be issued with the configured and registered
    /// lifetimes, and [`MARGIN_DAYS`] more.
    pub async fn ensure_partitions(&self, refresh_absolute_lifetime: Duration) -> Result<(), StoreError> {
        let today = self.pulse().await?.database_time.unix_day();
        let registered: i32 = sqlx::query_scalar!(
            r#"SELECT coalesce(max(refresh_absolute_lifetime), 0) AS "longest!" FROM clients"#
        )
        .fetch_one(&self.pool)
        .await?;
        let registered = Duration::from_secs(u64::try_from(registered).unwrap_or(0));
        let longest = refresh_absolute_lifetime.max(registered);
        self.ensure_partitions_of(&CODES, today, today + 1 + MARGIN_DAYS).await?;
        self.ensure_partitions_of(&GRANTS, today, today + days(longest) + MARGIN_DAYS).await?;
        self.ensure_audit_partitions().await
    }

    /// Makes the partitions for the events to come. Commands need them too.
    pub async fn ensure_audit_partitions(&self) -> Result<(), StoreError> {
        let today = self.pulse().await?.database_time.unix_day();
        self.ensure_partitions_of(&AUDIT_EVENTS, today, today + AUDIT_DAYS).await
    }

    async fn ensure_partitions_of(
        &self,
        of: &Partitioned,
        today: i64,
        last_day: i64,
    ) -> Result<(), StoreError> {
        let existing: BTreeSet<String> = self.partitions_of(of).await?.into_iter().collect();
        // One day back, so that a clock that is behind still finds its partition.
        for first_day in of.wanted(today - 1, last_day) {
            if !existing.contains(&of.name(first_day)) {
                self.create_partition(of, first_day).await?;
            }
        }
        Ok(())
    }

    /// Creates the table by itself and attaches it, which does not block traffic as
    /// `CREATE TABLE … PARTITION OF` would. The lock on the installation's row makes processes take turns.
    async fn create_partition(&self, of: &Partitioned, first_day: i64) -> Result<(), StoreError> {
        let (table, name, fill) = (of.table, of.name(first_day), of.fillfactor);
        let (from, to) = (bound(first_day), bound(first_day + of.days));
        in_transaction!(self, |transaction| {
            sqlx::query!("SET LOCAL lock_timeout = '2s'").execute(&mut transaction).await?;
            sqlx::query!("SELECT version FROM installation FOR UPDATE").fetch_one(&mut transaction).await?;
            let exists = sqlx::query_scalar!(r#"SELECT to_regclass($1) IS NOT NULL AS "exists!""#, name)
                .fetch_one(&mut transaction)
                .await?;
            if !exists {
                let create =
                    format!("CREATE TABLE {name} (LIKE {table} INCLUDING ALL) WITH (fillfactor = {fill})");
                sqlx::query(AssertSqlSafe(create)).execute(&mut transaction).await?;
                let attach = format!(
                    "ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{from}') TO ('{to}')"
                );
                sqlx::query(AssertSqlSafe(attach)).execute(&mut transaction).await?;
            }
            transaction.commit().await?;
            Ok(())
        })
    }

    /// Detaches and drops the partitions whose last day is past by more than [`MARGIN_DAYS`], of events by more
    /// than `audit_retention`; their number.
    pub async fn drop_past_partitions(
        &self,
        audit_retention: Duration,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let today = self.pulse().await?.database_time.min(now).unix_day();
        let (mut dropped, mut failed) = (0, None);
        let audit_days = days(audit_retention).max(MARGIN_DAYS);
        for (of, kept) in [(&CODES, MARGIN_DAYS), (&GRANTS, MARGIN_DAYS), (&AUDIT_EVENTS, audit_days)] {
            for partition in self.partitions_of(of).await? {
                let past = of.first_day_of(&partition).is_some_and(|day| day + of.days + kept < today);
                if past {
                    // One that cannot be dropped now does not keep the others.
                    match self.drop_partition(of.table, &partition).await {
                        Ok(()) => dropped += 1,
                        Err(error) => failed = Some(error),
                    }
                }
            }
        }
        failed.map_or(Ok(dropped), Err)
    }

    async fn drop_partition(&self, table: &str, partition: &str) -> Result<(), StoreError> {
        Ok(self.pool.watch().over(self.detach_and_drop(table, partition)).await?)
    }

    async fn detach_and_drop(&self, table: &str, partition: &str) -> Result<(), sqlx::Error> {
        // A connection of its own: `CONCURRENTLY` allows no transaction, and the timeout must not outlive it.
        let mut connection = PgConnection::connect_with(self.pool.connect_options()).await?;
        sqlx::query!("SET lock_timeout = '2s'").execute(&mut connection).await?;
        let pending = sqlx::query_scalar!(
            "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass($1)",
            partition,
        )
        .fetch_optional(&mut connection)
        .await?;
        let how = match pending {
            Some(true) => Some("FINALIZE"),
            Some(false) => Some("CONCURRENTLY"),
            None => None,
        };
        if let Some(how) = how {
            let detach = format!("ALTER TABLE {table} DETACH PARTITION {partition} {how}");
            sqlx::query(AssertSqlSafe(detach)).execute(&mut connection).await?;
        }
        sqlx::query(AssertSqlSafe(format!("DROP TABLE {partition}"))).execute(&mut connection).await?;
        connection.close().await
    }

    /// Names of the table's partitions, detached ones that were not dropped yet among them.
    async fn partitions_of(&self, of: &Partitioned) -> Result<Vec<String>, StoreError> {
        let names = sqlx::query_scalar!(
            r#"SELECT relname::text AS "name!" FROM pg_class
               WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname ~ $1
               ORDER BY relname"#,
            format!("^{}_d[0-9]+$", of.table),
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(names)
    }
}

/// Whole days, rounded up.
fn days(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs().div_ceil(DAY.as_secs())).unwrap_or(0)
}

fn bound(day: i64) -> uuid::Uuid {
    first_id_of_day(u16::try_from(day).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_cover_today_and_the_last_day() {
        let wanted: Vec<i64> = GRANTS.wanted(20_013, 20_110).collect();
        assert_eq!(wanted, [19_992, 20_020, 20_048, 20_076, 20_104]);
        assert_eq!(CODES.wanted(5, 7).collect::<Vec<_>>(), [5, 6, 7]);
    }

    #[test]
    fn a_partition_names_its_first_day() {
        assert_eq!(GRANTS.first_day_of(&GRANTS.name(19_992)), Some(19_992));
        assert_eq!(GRANTS.first_day_of("grants_other"), None);
    }
}
