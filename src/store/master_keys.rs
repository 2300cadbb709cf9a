//! The master keys that have written to this database.

use sqlx::{Connection, PgExecutor};

use super::audit::audited;
use super::{Database, Store, StoreError};
use crate::model::{AuditEvent, AuditEventKind, StoredMasterKey, WrappedMasterKey};
use crate::secret::base64url;

impl Database {
    /// The master keys on record, whatever the schema's version; none in an empty database.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn recorded_master_keys(&self) -> Result<Vec<StoredMasterKey>, StoreError> {
        let mut connection = self.connection().await?;
        let columns = sqlx::query_scalar!(
            r#"SELECT attname::text AS "name!" FROM pg_attribute WHERE attrelid = to_regclass('master_keys')"#
        )
        .fetch_all(&mut connection)
        .await?;
        let keys = if columns.is_empty() {
            Vec::new()
        } else if columns.iter().any(|name| name == "wrapped_key") {
            select(&mut connection).await?
        } else {
            select_before_wrapping(&mut connection).await?
        };
        let _ = connection.close().await;
        Ok(keys)
    }
}

impl Store {
    /// All master keys on record, the oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn master_keys(&self) -> Result<Vec<StoredMasterKey>, StoreError> {
        select(&self.pool).await
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
        audited!(
            "written AS (
                 INSERT INTO master_keys (id, check_value, source)
                 SELECT $2, $3, $4
                 WHERE NOT EXISTS (SELECT FROM master_keys WHERE id <> ALL ($5::bytea[]))
                 ON CONFLICT (id) DO NOTHING
                 RETURNING source
             )",
            self.audit(&[about(AuditEventKind::MasterKeyAdded, &key.id)]),
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

    /// Puts a master key, encrypted under another one, beside its check value. Whether anything changed.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn wrap_master_key(&self, id: &[u8], wrapped: &WrappedMasterKey) -> Result<bool, StoreError> {
        let done = audited!(
            "written AS (
                 UPDATE master_keys SET wrapped_key = $3, wrapped_by = $4
                 WHERE id = $2 AND id <> $4 AND wrapped_by IS DISTINCT FROM $4 RETURNING source
             )",
            self.audit(&[about(AuditEventKind::MasterKeyWrapped, id)]),
            id,
            wrapped.sealed,
            wrapped.wrapped_by,
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets the encryption of a key that is written with: a key that took its place once shall not open it.
    /// Whether there was one.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn unwrap_master_key(&self, id: &[u8]) -> Result<bool, StoreError> {
        let done = audited!(
            "written AS (
                 UPDATE master_keys SET wrapped_key = NULL, wrapped_by = NULL
                 WHERE id = $2 AND wrapped_by IS NOT NULL RETURNING source
             )",
            self.audit(&[about(AuditEventKind::MasterKeyUnwrapped, id)]),
            id
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn about(kind: AuditEventKind, id: &[u8]) -> AuditEvent {
    AuditEvent::about(kind, "master_key", base64url(id))
}

async fn select(executor: impl PgExecutor<'_>) -> Result<Vec<StoredMasterKey>, StoreError> {
    let rows = sqlx::query!(
        "SELECT id, check_value, source, wrapped_key, wrapped_by FROM master_keys ORDER BY created_at, id"
    )
    .fetch_all(executor)
    .await?;
    let keys = rows.into_iter().map(|row| StoredMasterKey {
        id: row.id,
        check_value: row.check_value,
        source: row.source,
        wrapped: row
            .wrapped_key
            .zip(row.wrapped_by)
            .map(|(sealed, wrapped_by)| WrappedMasterKey { sealed, wrapped_by }),
    });
    Ok(keys.collect())
}

/// From the schema of a release before keys could be wrapped.
async fn select_before_wrapping(executor: impl PgExecutor<'_>) -> Result<Vec<StoredMasterKey>, StoreError> {
    let rows = sqlx::query!("SELECT id, check_value, source FROM master_keys ORDER BY created_at, id")
        .fetch_all(executor)
        .await?;
    let keys = rows.into_iter().map(|row| StoredMasterKey {
        id: row.id,
        check_value: row.check_value,
        source: row.source,
        wrapped: None,
    });
    Ok(keys.collect())
}
