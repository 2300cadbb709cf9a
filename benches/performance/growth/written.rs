//! What PostgreSQL has written, and how large tables are.

use serde::Serialize;
use sqlx::PgConnection;

/// The state of what is counted.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    wal: i64,
    updates: i64,
    hot_updates: i64,
}

/// What was written in between.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Written {
    pub wal_bytes: f64,
    pub updates: f64,
    /// Of those, the ones that touched no index.
    pub hot_updates: f64,
}

impl Counts {
    pub async fn now(connection: &mut PgConnection) -> Self {
        let (wal, updates, hot_updates) = sqlx::query_as(
            "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, coalesce(sum(n_tup_upd), 0)::bigint,
                 coalesce(sum(n_tup_hot_upd), 0)::bigint
             FROM pg_stat_user_tables WHERE relname ~ '^(grants|authorization_codes)_d|^sessions$'",
        )
        .fetch_one(connection)
        .await
        .expect("PostgreSQL counts");
        Self { wal, updates, hot_updates }
    }

    pub fn since(self, before: Self) -> Written {
        Written {
            wal_bytes: (self.wal - before.wal) as f64,
            updates: (self.updates - before.updates) as f64,
            hot_updates: (self.hot_updates - before.hot_updates) as f64,
        }
    }
}

impl Written {
    pub fn add(&mut self, other: Self) {
        self.wal_bytes += other.wal_bytes;
        self.updates += other.updates;
        self.hot_updates += other.hot_updates;
    }

    /// The share of the updates that touched no index; `None`: there were none.
    pub fn hot_share(&self) -> Option<f64> {
        (self.updates > 0.0).then(|| self.hot_updates / self.updates)
    }
}

/// Bytes of grants, their indexes included, for each.
pub async fn bytes_of_a_grant(connection: &mut PgConnection, grants: u64) -> f64 {
    let bytes: i64 = sqlx::query_scalar(
        "SELECT sum(pg_total_relation_size(inhrelid))::bigint FROM pg_inherits WHERE inhparent = 'grants'::regclass",
    )
    .fetch_one(connection)
    .await
    .expect("PostgreSQL knows its sizes");
    bytes as f64 / grants as f64
}

/// From here on each page that is changed is first logged whole.
pub async fn checkpoint(connection: &mut PgConnection) {
    sqlx::raw_sql("CHECKPOINT").execute(connection).await.expect("PostgreSQL writes a checkpoint");
}
