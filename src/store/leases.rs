//! Leases: which process runs a periodic job, until when. Rows rather than session locks, so that they
//! work behind every pooler.

use std::time::Duration;

use uuid::Uuid;

use super::{Store, StoreError, interval};

impl Store {
    /// Takes or renews the lease `name` for `holder`. `false`: another process holds it.
    pub async fn take_lease(&self, name: &str, holder: Uuid, lifetime: Duration) -> Result<bool, StoreError> {
        let taken = sqlx::query!(
            "INSERT INTO leases AS l (name, holder, expires_at)
             VALUES ($1, $2, clock_timestamp() + $3::interval)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
             WHERE l.holder = excluded.holder OR l.expires_at < clock_timestamp()",
            name,
            holder,
            interval(lifetime),
        )
        .execute(&self.pool)
        .await?;
        Ok(taken.rows_affected() == 1)
    }
}
