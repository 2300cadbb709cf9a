//! Initial access tokens (RFC 7591 §3).

use std::time::Duration;

use uuid::Uuid;

use super::audit::audited;
use super::{Store, StoreError, interval};
use crate::model::{AuditEvent, AuditEventKind, InitialAccessToken};
use crate::time::Timestamp;

/// A token that is to be stored.
#[derive(Debug)]
pub struct NewInitialAccessToken<'a> {
    /// Its identifier.
    pub id: Uuid,
    /// SHA-256 of what it is made of.
    pub hash: [u8; 32],
    /// Whom or what it is for.
    pub name: &'a str,
    /// How many clients may be registered with it; `None`: any number.
    pub uses: Option<u32>,
    /// How long it is good.
    pub lifetime: Duration,
}

impl Store {
    /// Stores a token.
    pub async fn insert_initial_access_token(
        &self,
        token: &NewInitialAccessToken<'_>,
    ) -> Result<(), StoreError> {
        let kind = AuditEventKind::InitialAccessTokenCreated;
        audited!(
            "written AS (
                 INSERT INTO initial_access_tokens (id, token_hash, name, uses_left, created_at, expires_at)
                 VALUES ($2, $3, $4, $5, clock_timestamp(), clock_timestamp() + $6::interval)
                 RETURNING id AS target_id
             )",
            self.audit(&[AuditEvent::about(kind, "initial_access_token", token.id.to_string())]),
            token.id,
            token.hash.as_slice(),
            token.name,
            token.uses.map(|uses| i32::try_from(uses).unwrap_or(i32::MAX)),
            interval(token.lifetime),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// All tokens, the oldest first.
    pub async fn initial_access_tokens(&self) -> Result<Vec<InitialAccessToken>, StoreError> {
        let rows = sqlx::query!(
            "SELECT id, name, uses_left, created_at, expires_at FROM initial_access_tokens ORDER BY created_at, id"
        )
        .fetch_all(&self.pool)
        .await?;
        let token = rows.into_iter().map(|row| InitialAccessToken {
            id: row.id,
            name: row.name,
            uses_left: row.uses_left.and_then(|left| u32::try_from(left).ok()),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
        });
        Ok(token.collect())
    }

    /// Removes a token. Returns whether there was one.
    pub async fn revoke_initial_access_token(&self, id: Uuid) -> Result<bool, StoreError> {
        let kind = AuditEventKind::InitialAccessTokenRevoked;
        let gone = audited!(
            "written AS (DELETE FROM initial_access_tokens WHERE id = $2 RETURNING id AS target_id)",
            self.audit(&[AuditEvent::about(kind, "initial_access_token", id.to_string())]),
            id,
        )
        .execute(&self.pool)
        .await?;
        Ok(gone.rows_affected() > 0)
    }

    /// Whether a token with this hash lets a client in just now. It is used up when the client is written.
    pub async fn is_initial_access_token(&self, hash: &[u8; 32], now: Timestamp) -> Result<bool, StoreError> {
        let lets_in = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT FROM initial_access_tokens
                   WHERE token_hash = $1 AND expires_at > greatest($2, clock_timestamp())
                       AND (uses_left IS NULL OR uses_left > 0)
               ) AS "lets_in!""#,
            hash.as_slice(),
            now.to_datetime(),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(lets_in)
    }

    /// Deletes up to `limit` tokens that have ended; the number deleted.
    pub async fn delete_past_initial_access_tokens(
        &self,
        limit: i64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            "DELETE FROM initial_access_tokens WHERE id IN (
                 SELECT id FROM initial_access_tokens WHERE expires_at < $2 ORDER BY expires_at LIMIT $1)",
            limit,
            now.to_datetime(),
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
