//! The master keys that have written to this database.

use super::audit::audited;
use super::{Store, StoreError};
use crate::model::{AuditEvent, AuditEventKind, StoredMasterKey};
use crate::secret::base64url;

impl Store {
    /// All master keys on record, the oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn master_keys(&self) -> Result<Vec<StoredMasterKey>, StoreError> {
        Ok(sqlx::query_as!(
            StoredMasterKey,
            "SELECT id, check_value, source FROM master_keys ORDER BY created_at, id"
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Puts a key on record if every key there is one of `known`. Two processes with different keys
    /// that start at once do not both write: the lock lets the second see the first one's row.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn record_master_key(
        &self,
        key: &StoredMasterKey,
        known: &[Vec<u8>],
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("SELECT version FROM installation FOR UPDATE").fetch_one(&mut *transaction).await?;
        let event = AuditEvent::about(AuditEventKind::MasterKeyAdded, "master_key", base64url(&key.id));
        audited!(
            "written AS (
                 INSERT INTO master_keys (id, check_value, source)
                 SELECT $2, $3, $4
                 WHERE NOT EXISTS (SELECT FROM master_keys WHERE id <> ALL ($5::bytea[]))
                 ON CONFLICT (id) DO NOTHING
                 RETURNING source
             )",
            self.audit(&[event]),
            key.id,
            key.check_value,
            key.source,
            known
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}
