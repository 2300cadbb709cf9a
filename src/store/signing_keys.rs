//! Signing keys.

use std::time::Duration;

use sqlx::PgExecutor;

use super::audit::{self, audited};
use super::{Store, StoreError, Transaction, bump_version, commit_change, in_transaction};
use crate::jose::Algorithm;
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
    pub async fn longest_client_token_lifetime(&self) -> Result<Duration, StoreError> {
        let seconds = sqlx::query_scalar!("SELECT max(access_token_lifetime) FROM clients")
            .fetch_one(&self.pool)
            .await?
            .and_then(|seconds| u64::try_from(seconds).ok());
        Ok(Duration::from_secs(seconds.unwrap_or(0)))
    }

    /// The algorithms that clients are registered for; RS256 need not be among them.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn registered_algorithms(&self) -> Result<Vec<Algorithm>, StoreError> {
        let names = sqlx::query_scalar!(
            r#"SELECT DISTINCT alg AS "alg!" FROM clients, unnest(ARRAY[access_token_signing_alg,
                   id_token_signed_response_alg, introspection_signed_response_alg, userinfo_signed_response_alg]) AS alg
               WHERE alg IS NOT NULL"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(names.iter().filter_map(|name| Algorithm::from_name(name)).collect())
    }

    /// Lets the keys remember that tokens may live as long as `configured`, or as clients have it of their
    /// own, before one of the two is lowered. All processes hear of it: who was configured for less has to
    /// publish a key for as long as this one's tokens live.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remember_token_lifetimes(&self, configured: Duration) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| {
            let keys = remember_token_lifetimes(&mut transaction, configured).await?;
            commit_change(transaction, keys).await?;
            Ok(())
        })
    }

    /// Puts another encryption of a private key in the place of this one; nothing is done if it has been
    /// replaced or erased meanwhile. Whether it was done.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn rewrap_signing_key(
        &self,
        key: &SigningKey,
        wrapped: &[u8],
        master_key_id: &[u8],
    ) -> Result<bool, StoreError> {
        let done = audited!(
            "written AS (
                 UPDATE signing_keys SET wrapped_private_key = $3, master_key_id = $4
                 WHERE kid = $2 AND wrapped_private_key = $5 RETURNING kid
             )",
            self.audit(&[about(AuditEventKind::SigningKeyRewrapped, &key.kid)]),
            key.kid,
            wrapped,
            master_key_id,
            key.wrapped_private_key,
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
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
        in_transaction!(self, |transaction| {
            bump_version(&mut transaction).await?;
            if fingerprint(&select(&mut transaction).await?) != fingerprint(seen) {
                return Ok(false);
            }
            if let Some(kid) = &change.retire {
                sqlx::query!(
                    "UPDATE signing_keys SET retired_at = clock_timestamp() WHERE kid = $1 AND retired_at IS NULL",
                    kid
                )
                .execute(&mut transaction)
                .await?;
            }
            if let Some(kid) = &change.activate {
                sqlx::query!("UPDATE signing_keys SET activates_at = clock_timestamp() WHERE kid = $1", kid)
                    .execute(&mut transaction)
                    .await?;
            }
            if let Some((key, activates_in)) = &change.insert {
                insert(&mut transaction, key, activates_in.as_secs_f64()).await?;
            }
            if !change.erase.is_empty() {
                // Empty rather than NULL, which the previous release could not read.
                sqlx::query!(
                    "UPDATE signing_keys
                     SET wrapped_private_key = '', retired_at = coalesce(retired_at, clock_timestamp())
                     WHERE kid = ANY ($1)",
                    &change.erase
                )
                .execute(&mut transaction)
                .await?;
            }
            audit::record(&mut transaction, &self.origin, &events(change)).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }
}

/// What a change of the keys is in the audit log.
fn events(change: &SigningKeyChange) -> Vec<AuditEvent> {
    let inserted =
        if change.imported { AuditEventKind::SigningKeyImported } else { AuditEventKind::SigningKeyCreated };
    let retired = change.retire.as_ref().map(|kid| about(AuditEventKind::SigningKeyRetired, kid));
    let activated = change.activate.as_ref().map(|kid| about(AuditEventKind::SigningKeyActivated, kid));
    let inserted = change.insert.as_ref().map(|(key, _)| about(inserted, &key.kid));
    let erased = change.erase.iter().map(|kid| about(AuditEventKind::SigningKeyErased, kid));
    [retired, activated, inserted].into_iter().flatten().chain(erased).collect()
}

fn about(kind: AuditEventKind, kid: &str) -> AuditEvent {
    AuditEvent::about(kind, "signing_key", kid)
}

/// To be called before a client is changed or removed: its tokens may live longer than those of its successor.
pub(super) async fn remember_clients_token_lifetimes(
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    remember_token_lifetimes(transaction, Duration::ZERO).await?;
    Ok(())
}

/// Keys that are withdrawn sign nothing more, and need to remember nothing. How many have something new to remember.
async fn remember_token_lifetimes(
    transaction: &mut Transaction,
    configured: Duration,
) -> Result<u64, StoreError> {
    // The lock of all changes of keys comes first, here as there.
    sqlx::query!("SELECT version FROM installation FOR UPDATE").fetch_one(&mut *transaction).await?;
    let keys = sqlx::query!(
        "UPDATE signing_keys SET longest_token_lifetime = longest
         FROM (SELECT greatest($1, max(access_token_lifetime)) AS longest FROM clients) AS tokens
         WHERE retired_at IS NULL AND longest_token_lifetime < longest",
        seconds(configured)
    )
    .execute(&mut *transaction)
    .await?;
    Ok(keys.rows_affected())
}

/// As the column holds it.
fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

/// What a decision about keys rests on.
fn fingerprint(keys: &[SigningKey]) -> Vec<(&str, Timestamp, Option<Timestamp>)> {
    keys.iter().map(|key| (key.kid.as_str(), key.activates_at, key.retired_at)).collect()
}

async fn select(executor: impl PgExecutor<'_>) -> Result<Vec<SigningKey>, StoreError> {
    let rows = sqlx::query!(
        "SELECT kid, alg, public_jwk, wrapped_private_key, master_key_id, longest_token_lifetime, created_at,
                activates_at, retired_at
         FROM signing_keys ORDER BY created_at, kid"
    )
    .fetch_all(executor)
    .await?;
    let keys = rows.into_iter().filter_map(|row| {
        Some(SigningKey {
            kid: row.kid,
            // An algorithm that a later release brought is not available in this one.
            alg: Algorithm::from_name(&row.alg)?,
            public_jwk: row.public_jwk,
            wrapped_private_key: row.wrapped_private_key,
            master_key_id: row.master_key_id,
            longest_token_lifetime: Duration::from_secs(
                u64::try_from(row.longest_token_lifetime).unwrap_or(0),
            ),
            created_at: row.created_at.into(),
            activates_at: row.activates_at.into(),
            retired_at: row.retired_at.map(Timestamp::from),
        })
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
        key.alg.name(),
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
