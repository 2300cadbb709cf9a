//! The master keys that have written to this database.

use sqlx::{PgConnection, PgExecutor};

use super::audit::audited;
use super::transaction::Transaction;
use super::{Database, Store, StoreError, in_transaction};
use crate::model::{AuditEvent, AuditEventKind, StoredMasterKey, WrappedMasterKey};
use crate::secret::base64url;

impl Database {
    /// The master keys on record, whatever the schema's version; none in an empty database.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn recorded_master_keys(&self) -> Result<Vec<StoredMasterKey>, StoreError> {
        self.look(recorded_master_keys).await
    }
}

async fn recorded_master_keys(connection: &mut PgConnection) -> Result<Vec<StoredMasterKey>, StoreError> {
    let columns = sqlx::query_scalar!(
        r#"SELECT attname::text AS "name!" FROM pg_attribute WHERE attrelid = to_regclass('master_keys')"#
    )
    .fetch_all(&mut *connection)
    .await?;
    if columns.is_empty() {
        Ok(Vec::new())
    } else if columns.iter().any(|name| name == "wrapped_key") {
        select(connection).await
    } else {
        select_before_wrapping(connection).await
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
        in_transaction!(self, |transaction| {
            sqlx::query!("SELECT version FROM installation FOR UPDATE").fetch_one(&mut transaction).await?;
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
            .execute(&mut transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
    }

    /// Keeps every other master key on record encrypted under the current one, as `wrap` does it, and the current
    /// one under none: a key that took its place once shall not open it. How many were encrypted anew; `None`: there
    /// is one that `wrap` does not have, and nothing was changed. It is one transaction, under the lock of all
    /// changes of keys, so that of two with different current keys the later one wins whole.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn wrap_master_keys(
        &self,
        current: &[u8],
        wrap: impl Fn(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<Option<usize>, StoreError> {
        in_transaction!(self, |transaction| {
            sqlx::query!("SELECT version FROM installation FOR UPDATE").fetch_one(&mut transaction).await?;
            self.unwrap_master_key(&mut transaction, current).await?;
            let mut wrapped = 0;
            for row in select(&mut transaction).await? {
                let is_done = row.wrapped.as_ref().is_some_and(|wrapped| wrapped.wrapped_by == current);
                if row.id == current || is_done {
                    continue;
                }
                let Some(sealed) = wrap(&row.id) else { return Ok(None) };
                self.wrap_master_key(&mut transaction, &row.id, &sealed, current).await?;
                wrapped += 1;
            }
            transaction.commit().await?;
            Ok(Some(wrapped))
        })
    }

    async fn wrap_master_key(
        &self,
        transaction: &mut Transaction,
        id: &[u8],
        sealed: &[u8],
        wrapped_by: &[u8],
    ) -> Result<(), StoreError> {
        audited!(
            "written AS (
                 UPDATE master_keys SET wrapped_key = $3, wrapped_by = $4 WHERE id = $2 RETURNING source
             )",
            self.audit(&[about(AuditEventKind::MasterKeyWrapped, id)]),
            id,
            sealed,
            wrapped_by,
        )
        .execute(transaction)
        .await?;
        Ok(())
    }

    async fn unwrap_master_key(&self, transaction: &mut Transaction, id: &[u8]) -> Result<(), StoreError> {
        audited!(
            "written AS (
                 UPDATE master_keys SET wrapped_key = NULL, wrapped_by = NULL
                 WHERE id = $2 AND wrapped_by IS NOT NULL RETURNING source
             )",
            self.audit(&[about(AuditEventKind::MasterKeyUnwrapped, id)]),
            id
        )
        .execute(transaction)
        .await?;
        Ok(())
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
