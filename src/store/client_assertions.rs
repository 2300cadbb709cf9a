//! Client assertions that were used.

use super::{Store, StoreError};
use crate::time::Timestamp;

impl Store {
    /// Records that an assertion is used now. False: it was used before, in whichever process, or has expired by
    /// the database's clock.
    pub async fn use_client_assertion(
        &self,
        hash: &[u8; 32],
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let used = sqlx::query!(
            "INSERT INTO used_client_assertions (hash, expires_at)
             SELECT $1, $2 WHERE $2::timestamptz > clock_timestamp()
             ON CONFLICT DO NOTHING",
            hash.as_slice(),
            expires_at.to_datetime(),
        )
        .execute(&self.pool)
        .await?;
        Ok(used.rows_affected() == 1)
    }

    /// Deletes up to `limit` entries of assertions that have expired by themselves; the number deleted.
    pub async fn delete_past_client_assertions(&self, limit: i64, now: Timestamp) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            "DELETE FROM used_client_assertions WHERE hash IN (
                 SELECT hash FROM used_client_assertions
                 WHERE expires_at < $2::timestamptz - interval '5 minutes' ORDER BY expires_at LIMIT $1)",
            limit,
            now.to_datetime(),
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
