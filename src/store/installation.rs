//! The installation's one row: the version that tells processes to reload, and the database's clock.

use super::{Store, StoreError};
use crate::time::Timestamp;

/// What a process polls.
#[derive(Debug, Clone, Copy)]
pub struct Pulse {
    /// Grows with every change of clients, scopes, roles or signing keys.
    pub version: i64,
    /// The database's clock.
    pub database_time: Timestamp,
}

impl Store {
    /// Reads version and clock.
    pub async fn pulse(&self) -> Result<Pulse, StoreError> {
        let row = sqlx::query!(r#"SELECT version, clock_timestamp() AS "now!" FROM installation"#)
            .fetch_one(&self.pool)
            .await?;
        Ok(Pulse { version: row.version, database_time: row.now.into() })
    }

    /// Claims the seeding of demo data, which happens once in an installation's life. Whether it is
    /// this caller's to do.
    pub async fn claim_demo_seeding(&self) -> Result<bool, StoreError> {
        let claimed = sqlx::query!(
            "UPDATE installation SET demo_seeded_at = clock_timestamp() WHERE demo_seeded_at IS NULL"
        )
        .execute(&self.pool)
        .await?;
        Ok(claimed.rows_affected() == 1)
    }
}
