//! Sessions: signed-in browsers, found by the hash of their cookie.

use std::time::Duration;

use super::audit::{self, audited};
use super::{Store, StoreError, in_transaction, interval};
use crate::model::{Actor, AuditEvent, AuditEventKind, Session, SessionId, UserId};
use crate::time::Timestamp;

/// The last use of a session is known this well.
const NOTED_EVERY: Duration = Duration::from_mins(5);

/// A sign-in form that was sent twice arrives twice within this time, even where checking passwords takes long.
const SENT_TWICE_WITHIN: Duration = Duration::from_secs(60);

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

/// Who signs in, and in which browser.
pub struct SessionStart<'a> {
    /// The session that begins, unless one goes on.
    pub new: NewSession<'a>,
    /// SHA-256 of the cookie that the browser came with.
    pub previous_token_hash: Option<&'a [u8]>,
    /// The hash that the password was checked against.
    pub password_hash: &'a str,
}

impl Store {
    /// A person has signed in. The session that the browser is in goes on if it is that person's own: it keeps its
    /// identifier, and the grants that hang on it live, but it has a new cookie, a new `auth_time` and new ends.
    /// Otherwise a new one starts, and the browser's old one, somebody else's, ends.
    ///
    /// Of a form that was sent twice, both copies come with the same cookie, and the second goes on in the session of
    /// the first. Else the browser would have a session of its own, and nobody could sign out of the one that its apps
    /// are in.
    ///
    /// `false`: the account was disabled or given another password meanwhile, and nothing was done. `auth_time` is the
    /// database's. What has expired stays dead, by the later of `now` and the database's clock.
    pub async fn start_session(&self, start: SessionStart<'_>, now: Timestamp) -> Result<bool, StoreError> {
        let SessionStart { new, previous_token_hash, password_hash } = start;
        let event = AuditEvent::new(AuditEventKind::SignInSucceeded).by(Actor::User(new.user_id));
        in_transaction!(self, |transaction| {
            let started = audited!(
                "account AS (
                     SELECT id FROM users
                     WHERE id = $4 AND disabled_at IS NULL AND password_hash = $9
                     FOR SHARE
                 ), continued AS (
                     UPDATE sessions s SET token_hash = $3, previous_token_hash = $10, auth_time = clock_timestamp(),
                         last_seen_at = clock_timestamp(), idle_expires_at = clock_timestamp() + $5::interval,
                         expires_at = clock_timestamp() + $6::interval, address = $7, user_agent = $8
                     FROM account
                     WHERE s.user_id = account.id AND s.ended_at IS NULL
                         AND (s.token_hash = $10
                             OR s.previous_token_hash = $10 AND s.auth_time > clock_timestamp() - $12::interval)
                         AND least(s.idle_expires_at, s.expires_at) > greatest($11, clock_timestamp())
                     RETURNING s.id
                 ), started AS (
                     INSERT INTO sessions
                         (id, token_hash, previous_token_hash, user_id, auth_time, last_seen_at, idle_expires_at,
                          expires_at, address, user_agent)
                     SELECT $2, $3, $10, account.id, clock_timestamp(), clock_timestamp(), clock_timestamp() + $5::interval,
                         clock_timestamp() + $6::interval, $7, $8
                     FROM account WHERE NOT EXISTS (SELECT FROM continued)
                     RETURNING id
                 ), written AS (
                     SELECT 'session' AS target_kind, id AS target_id, $4 AS user_id
                     FROM (SELECT id FROM continued UNION ALL SELECT id FROM started) AS session
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
                previous_token_hash,
                now.to_datetime(),
                interval(SENT_TWICE_WITHIN),
            )
            .execute(&mut transaction)
            .await?;
            if started.rows_affected() > 0
                && let Some(previous) = previous_token_hash
            {
                // A session that went on is no longer found by its old cookie.
                let person = self.acting_as(Actor::User(new.user_id));
                person.end_replaced_session(&mut transaction, previous, now).await?;
            }
            transaction.commit().await?;
            Ok(audit::done(&started, std::slice::from_ref(&event)))
        })
    }

    /// The living session behind a cookie. That it is used is noted, at most once in some minutes; its end stays.
    pub async fn session(&self, token_hash: &[u8], now: Timestamp) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query!(
            "WITH noted AS (
                 UPDATE sessions SET last_seen_at = clock_timestamp()
                 WHERE token_hash = $1 AND last_seen_at < clock_timestamp() - $3::interval AND ended_at IS NULL
                     AND least(idle_expires_at, expires_at) > greatest($2, clock_timestamp())
             )
             SELECT s.id, s.user_id, u.username, s.auth_time, s.last_seen_at
             FROM sessions s
             JOIN users u ON u.id = s.user_id AND u.disabled_at IS NULL
             WHERE s.token_hash = $1 AND s.ended_at IS NULL
                 AND least(s.idle_expires_at, s.expires_at) > greatest($2, clock_timestamp())",
            token_hash,
            now.to_datetime(),
            interval(NOTED_EVERY),
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
