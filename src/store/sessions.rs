//! Sessions: signed-in browsers, found by the hash of their cookie.

use std::time::Duration;

use super::audit::{self, audited};
use super::{Store, StoreError, interval};
use crate::model::{Actor, AuditEvent, AuditEventKind, EndReason, Session, SessionId, UserId};
use crate::time::Timestamp;

/// What a fresh session starts with.
pub struct NewSession<'a> {
    /// Its public identifier.
    pub id: SessionId,
    /// SHA-256 of the cookie's value.
    pub token_hash: &'a [u8],
    /// Who signed in.
    pub user_id: UserId,
    /// It ends when not used for this long.
    pub idle_lifetime: Duration,
    /// It ends after this long in any case.
    pub absolute_lifetime: Duration,
    /// Where the sign-in came from, for the person to recognise.
    pub address: Option<&'a str>,
    /// The browser's own description, for the person to recognise.
    pub user_agent: Option<&'a str>,
}

impl Store {
    /// Starts a session, unless the account was disabled or given another password meanwhile: then
    /// `false`. `auth_time` is the database's.
    pub async fn start_session(&self, new: NewSession<'_>, password_hash: &str) -> Result<bool, StoreError> {
        let event = AuditEvent::about_session(AuditEventKind::SignInSucceeded, new.id, new.user_id)
            .by(Actor::User(new.user_id));
        let started = audited!(
            "written AS (
                 INSERT INTO sessions
                     (id, token_hash, user_id, auth_time, last_seen_at, idle_expires_at, expires_at, address,
                      user_agent)
                 SELECT $2, $3, u.id, clock_timestamp(), clock_timestamp(), clock_timestamp() + $5::interval,
                     clock_timestamp() + $6::interval, $7, $8
                 FROM users u
                 WHERE u.id = $4 AND u.disabled_at IS NULL AND u.password_hash = $9
                 FOR SHARE OF u
                 RETURNING user_id
             )",
            self.audit(std::slice::from_ref(&event)),
            new.id.as_uuid(),
            new.token_hash,
            new.user_id.as_uuid(),
            interval(new.idle_lifetime),
            interval(new.absolute_lifetime),
            new.address,
            new.user_agent,
            password_hash,
        )
        .execute(&self.pool)
        .await?;
        Ok(audit::done(&started, &[event]))
    }

    /// The living session behind a cookie.
    pub async fn session(&self, token_hash: &[u8], now: Timestamp) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query!(
            "SELECT s.id, s.user_id, u.username, s.auth_time, s.last_seen_at
             FROM sessions s
             JOIN users u ON u.id = s.user_id AND u.disabled_at IS NULL
             WHERE s.token_hash = $1 AND s.ended_at IS NULL
                 AND least(s.idle_expires_at, s.expires_at) > greatest($2, clock_timestamp())",
            token_hash,
            now.to_datetime(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| Session {
            id: row.id.into(),
            user_id: row.user_id.into(),
            username: row.username,
            auth_time: row.auth_time.into(),
            last_seen_at: row.last_seen_at.into(),
        }))
    }

    /// A person signs out: the session behind the cookie ends, and with it the grants that hang on it.
    pub async fn sign_out(&self, token_hash: &[u8]) -> Result<(), StoreError> {
        self.end_session(token_hash, AuditEvent::new(AuditEventKind::SignOut)).await
    }

    /// The same, where the person signs in again instead.
    pub async fn replace_session(&self, token_hash: &[u8]) -> Result<(), StoreError> {
        let event = AuditEvent::new(AuditEventKind::SessionEnded).because(EndReason::SignedInAgain);
        self.end_session(token_hash, event).await
    }

    async fn end_session(&self, token_hash: &[u8], event: AuditEvent) -> Result<(), StoreError> {
        audited!(
            "written AS (
                 UPDATE sessions SET ended_at = clock_timestamp() WHERE token_hash = $2 AND ended_at IS NULL
                 RETURNING 'session' AS target_kind, id AS target_id, user_id, 'user' AS actor_kind,
                     user_id AS actor_id
             )",
            self.audit(&[event]),
            token_hash,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Deletes up to `limit` sessions that ended or expired; the number deleted.
    pub async fn delete_past_sessions(&self, limit: i64, now: Timestamp) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            "DELETE FROM sessions WHERE id IN (
                 SELECT id FROM sessions WHERE expires_at < $2 ORDER BY expires_at LIMIT $1)",
            limit,
            now.to_datetime(),
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
