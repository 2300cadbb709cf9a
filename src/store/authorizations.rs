//! What the authorization endpoint reads about the person in front of it.

use super::audit::audited;
use super::grants::roles;
use super::{Store, StoreError};
use crate::model::{AuditEvent, AuditEventKind, ClientId, Role, Session};
use crate::time::Timestamp;

/// The signed-in person, seen from one client's authorization request.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The person's roles of today.
    pub roles: Vec<Role>,
    /// Scopes on file for this client; `None`: there is nothing on file.
    pub consented_scopes: Option<Vec<String>>,
    /// Those of them that the person was not asked for: they count as long as the operator vouches for the client.
    pub unasked_scopes: Vec<String>,
    /// Claims beyond those of scopes that the person has agreed to for this client.
    pub consented_claims: Vec<String>,
}

impl SignedIn {
    /// Scopes on file that the person agreed to, and not the operator alone.
    pub fn agreed_scopes(&self) -> Vec<String> {
        let is_theirs = |scope: &&String| !self.unasked_scopes.contains(scope);
        self.consented_scopes.iter().flatten().filter(is_theirs).cloned().collect()
    }
}

impl Store {
    /// Session, person, roles and consent for this client in one statement; `None`: not signed in.
    pub async fn signed_in(
        &self,
        session_token_hash: &[u8],
        client_id: &ClientId,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let row = sqlx::query!(
            r#"SELECT s.id, s.user_id, u.username, s.auth_time, s.last_seen_at,
                   (SELECT roles FROM roles_of_users held WHERE held.user_id = s.user_id) AS roles,
                   k.scopes AS "consented_scopes?", k.unasked_scopes AS "unasked_scopes?",
                   k.claims AS "consented_claims?"
               FROM sessions s
               JOIN users u ON u.id = s.user_id AND u.disabled_at IS NULL
               LEFT JOIN consents k ON k.user_id = s.user_id AND k.client_id = $2
               WHERE s.token_hash = $1 AND s.ended_at IS NULL
                   AND least(s.idle_expires_at, s.expires_at) > greatest($3, clock_timestamp())"#,
            session_token_hash,
            client_id.as_str(),
            now.to_datetime(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(SignedIn {
            session: Session {
                id: row.id.into(),
                user_id: row.user_id.into(),
                username: row.username,
                auth_time: row.auth_time.into(),
                last_seen_at: row.last_seen_at.into(),
            },
            roles: roles(row.roles)?,
            consented_scopes: row.consented_scopes,
            unasked_scopes: row.unasked_scopes.unwrap_or_default(),
            consented_claims: row.consented_claims.unwrap_or_default(),
        }))
    }

    /// Records that the person of a living session did not agree to what a client asked for. That changes nothing.
    pub async fn deny_consent(
        &self,
        session_token_hash: &[u8],
        client_id: &ClientId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        audited!(
            "written AS (
                 SELECT user_id, 'user' AS actor_kind, user_id AS actor_id FROM sessions
                 WHERE token_hash = $2 AND ended_at IS NULL
                     AND least(idle_expires_at, expires_at) > greatest($3, clock_timestamp())
             )",
            self.audit(&[AuditEvent::about_client(AuditEventKind::ConsentDenied, client_id)]),
            session_token_hash,
            now.to_datetime(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
