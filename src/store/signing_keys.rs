//! Signing keys.

use sqlx::PgExecutor;

use super::audit;
use super::{Store, StoreError, bump_version};
use crate::model::{AuditEvent, AuditEventKind, NewSigningKey, SigningKey, SigningKeyChange};
use crate::time::Timestamp;

impl Store {
    /// All signing keys, retired ones too, the oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        select(&self.pool).await
    }

    /// All signing keys, and what the database's clock says.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn signing_keys_and_time(&self) -> Result<(Vec<SigningKey>, Timestamp), StoreError> {
        let keys = select(&self.pool).await?;
        let now = sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#).fetch_one(&self.pool).await?;
        Ok((keys, now.into()))
    }

    /// The longest access token lifetime that a client has of its own.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn longest_client_token_lifetime(&self) -> Result<std::time::Duration, StoreError> {
        let seconds = sqlx::query_scalar!("SELECT max(access_token_lifetime) FROM clients")
            .fetch_one(&self.pool)
            .await?
            .and_then(|seconds| u64::try_from(seconds).ok());
        Ok(std::time::Duration::from_secs(seconds.unwrap_or(0)))
    }

    /// Changes the keys, provided that they still are as they were `seen`; `false` if not, and then
    /// nothing is done. All processes take the same lock, so that of several that decide the same at
    /// once only one acts.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn change_signing_keys(
        &self,
        seen: &[SigningKey],
        change: &SigningKeyChange,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        bump_version(&mut transaction).await?;
        if fingerprint(&select(&mut *transaction).await?) != fingerprint(seen) {
            return Ok(false);
        }
        if let Some(kid) = &change.retire {
            sqlx::query!(
                "UPDATE signing_keys SET retired_at = clock_timestamp() WHERE kid = $1 AND retired_at IS NULL",
                kid
            )
            .execute(&mut *transaction)
            .await?;
        }
        if let Some(kid) = &change.activate {
            sqlx::query!("UPDATE signing_keys SET activates_at = clock_timestamp() WHERE kid = $1", kid)
                .execute(&mut *transaction)
                .await?;
        }
        if let Some((key, activates_in)) = &change.insert {
            insert(&mut *transaction, key, activates_in.as_secs_f64()).await?;
        }
        audit::record(&mut *transaction, &self.origin, &events(change)).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// What a change of the keys is in the audit log.
fn events(change: &SigningKeyChange) -> Vec<AuditEvent> {
    let inserted =
        if change.imported { AuditEventKind::SigningKeyImported } else { AuditEventKind::SigningKeyCreated };
    let about = |kind, kid: &String| AuditEvent::about(kind, "signing_key", kid.as_str());
    let retired = change.retire.as_ref().map(|kid| about(AuditEventKind::SigningKeyRetired, kid));
    let activated = change.activate.as_ref().map(|kid| about(AuditEventKind::SigningKeyActivated, kid));
    let inserted = change.insert.as_ref().map(|(key, _)| about(inserted, &key.kid));
    [retired, activated, inserted].into_iter().flatten().collect()
}

/// What a decision about keys rests on.
fn fingerprint(keys: &[SigningKey]) -> Vec<(&str, Timestamp, Option<Timestamp>)> {
    keys.iter().map(|key| (key.kid.as_str(), key.activates_at, key.retired_at)).collect()
}

async fn select(executor: impl PgExecutor<'_>) -> Result<Vec<SigningKey>, StoreError> {
    let rows = sqlx::query!(
        "SELECT kid, alg, public_jwk, wrapped_private_key, master_key_id, created_at, activates_at, retired_at
         FROM signing_keys ORDER BY created_at, kid"
    )
    .fetch_all(executor)
    .await?;
    let keys = rows.into_iter().map(|row| SigningKey {
        kid: row.kid,
        alg: row.alg,
        public_jwk: row.public_jwk,
        wrapped_private_key: row.wrapped_private_key,
        master_key_id: row.master_key_id,
        created_at: row.created_at.into(),
        activates_at: row.activates_at.into(),
        retired_at: row.retired_at.map(Timestamp::from),
    });
    Ok(keys.collect())
}

async fn insert(
    executor: impl PgExecutor<'_>,
    key: &NewSigningKey,
    activates_in: f64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO signing_keys
             (kid, alg, public_jwk, wrapped_private_key, master_key_id, created_at, activates_at)
         SELECT $1, $2, $3, $4, $5, at, at + make_interval(secs => $6)
         FROM clock_timestamp() AS at",
        key.kid,
        key.alg,
        key.public_jwk,
        key.wrapped_private_key,
        key.master_key_id,
        activates_in
    )
    .execute(executor)
    .await
    .map_err(|error| StoreError::conflict(error, "the signing key"))?;
    Ok(())
}
