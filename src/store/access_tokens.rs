//! Revoked access tokens. The tokens themselves are not stored.

use super::audit::audited;
use super::{Store, StoreError};
use crate::model::{Actor, AuditEvent, AuditEventKind, ClientId, GrantId};
use crate::time::Timestamp;

/// What a client is registered for today.
#[derive(Debug, Clone)]
pub struct ClientToken {
    /// Scopes that it may have.
    pub scopes: Vec<String>,
    /// Resources that it may get tokens for.
    pub audiences: Vec<String>,
    /// Grants that it may use.
    pub grant_types: Vec<String>,
}

impl Store {
    /// Remembers that an access token is revoked, until it expires by itself.
    pub async fn revoke_access_token(
        &self,
        jti: &str,
        expires_at: Timestamp,
        client: &ClientId,
        grant: Option<GrantId>,
    ) -> Result<(), StoreError> {
        let event = AuditEvent::about(AuditEventKind::AccessTokenRevoked, "access_token", jti)
            .by(Actor::Client(client.clone()))
            .of_client(client)
            .of_grant(grant);
        audited!(
            "revoked AS (
                 INSERT INTO revoked_access_tokens (jti, expires_at) VALUES ($2, $3) ON CONFLICT DO NOTHING
                 RETURNING jti
             ),
             written AS (
                 SELECT (SELECT user_id FROM grants WHERE id = $4) AS user_id FROM revoked
             )",
            self.audit(&[event]),
            jti,
            expires_at.to_datetime(),
            grant.map(GrantId::as_uuid),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What stands behind an access token that a client got for itself; `None`: the token is revoked or has
    /// expired, or the client is switched off or gone.
    pub async fn client_token(
        &self,
        jti: &str,
        client_id: &ClientId,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<ClientToken>, StoreError> {
        let registered = sqlx::query_as!(
            ClientToken,
            "SELECT scopes, audiences, grant_types FROM clients
             WHERE client_id = $2 AND disabled_at IS NULL AND $3 > greatest($4, clock_timestamp())
                 AND NOT EXISTS (SELECT FROM revoked_access_tokens WHERE jti = $1)",
            jti,
            client_id.as_str(),
            expires_at.to_datetime(),
            now.to_datetime(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(registered)
    }

    /// Deletes up to `limit` entries of tokens that have expired by themselves; the number deleted.
    pub async fn delete_past_revocations(&self, limit: i64, now: Timestamp) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            "DELETE FROM revoked_access_tokens WHERE jti IN (
                 SELECT jti FROM revoked_access_tokens
                 WHERE expires_at < $2::timestamptz - interval '5 minutes' ORDER BY expires_at LIMIT $1)",
            limit,
            now.to_datetime(),
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
