//! What PostgreSQL has read and written, and how large tables are.

use sqlx::PgConnection;

/// The state of what is counted.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    updates: i64,
    hot_updates: i64,
    pages: i64,
    pages_read: i64,
}

/// What was done in between.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    updates: f64,
    /// Of those, the ones that touched no index.
    hot_updates: f64,
    pub pages: f64,
    /// Of those, the ones that were not in PostgreSQL's memory.
    pub pages_read: f64,
}

impl Counts {
    /// Sessions tell within ten seconds what they have done.
    pub async fn now(connection: &mut PgConnection) -> Self {
        let (updates, hot_updates, pages, pages_read) = sqlx::query_as(
            "SELECT coalesce(sum(n_tup_upd), 0)::bigint, coalesce(sum(n_tup_hot_upd), 0)::bigint,
                 max(blks_hit + blks_read), max(blks_read)
             FROM pg_stat_user_tables, pg_stat_database
             WHERE relname ~ '^(grants|authorization_codes)_d|^sessions$' AND datname = current_database()",
        )
        .fetch_one(connection)
        .await
        .expect("PostgreSQL counts");
        Self { updates, hot_updates, pages, pages_read }
    }

    pub fn since(self, before: Self) -> Done {
        Done {
            updates: (self.updates - before.updates) as f64,
            hot_updates: (self.hot_updates - before.hot_updates) as f64,
            pages: (self.pages - before.pages) as f64,
            pages_read: (self.pages_read - before.pages_read) as f64,
        }
    }
}

impl Done {
    /// The share of the updates that touched no index; `None`: there were none.
    pub fn hot_share(&self) -> Option<f64> {
        (self.updates > 0.0).then(|| self.hot_updates / self.updates)
    }
}

/// Bytes that were written ahead since the cluster was made.
pub async fn wal_bytes(connection: &mut PgConnection) -> f64 {
    let position = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8";
    sqlx::query_scalar(position).fetch_one(connection).await.expect("PostgreSQL counts")
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
