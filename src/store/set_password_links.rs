//! One-time links to set a password.

use std::time::Duration;

use super::audit::{self, audited};
use super::passwords::write_password;
use super::{Store, StoreError, in_transaction};
use crate::model::{Actor, AuditEvent, AuditEventKind, Details, EndReason, User, UserId};
use crate::secret::Secret;
use crate::time::Timestamp;

impl Store {
    /// Makes a link valid for `lifetime`; the person's earlier ones end.
    pub async fn insert_set_password_link(
        &self,
        user: UserId,
        token_hash: &[u8; 32],
        lifetime: Duration,
    ) -> Result<Timestamp, StoreError> {
        in_transaction!(self, |transaction| {
            let expires_at = sqlx::query_scalar!(
                "WITH earlier AS (DELETE FROM set_password_links WHERE user_id = $1)
                 INSERT INTO set_password_links (user_id, token_hash, expires_at)
                 VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
                 RETURNING expires_at",
                user.as_uuid(),
                token_hash.as_slice(),
                lifetime.as_secs_f64(),
            )
            .fetch_one(&mut transaction)
            .await?
            .into();
            let event = AuditEvent::about_user(AuditEventKind::SetPasswordLinkCreated, user)
                .with(Details::Until { expires_at });
            audit::record(&mut transaction, &self.origin, &[event]).await?;
            transaction.commit().await?;
            Ok(expires_at)
        })
    }

    /// Whose password a link may set; `None` when it is unknown, used or expired, or the account is switched off.
    pub async fn set_password_link_user(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let user = sqlx::query_scalar!(
            "SELECT user_id FROM set_password_links
             WHERE token_hash = $1 AND used_at IS NULL AND expires_at > greatest($2, clock_timestamp())",
            token_hash.as_slice(),
            now.to_datetime(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(user) = user else { return Ok(None) };
        Ok(self.user(user.into()).await?.filter(|user| user.disabled_at.is_none()))
    }

    /// Uses up a link and sets the password: all sessions and grants of the person end. Of several uses at
    /// once one wins; `false` for the others, and where [`Self::set_password_link_user`] says `None`.
    pub async fn use_set_password_link(
        &self,
        token_hash: &[u8; 32],
        password_hash: &Secret<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            // The account's row is locked before the link's, as in every other change of a password.
            let user = sqlx::query_scalar!(
                "SELECT users.id FROM users JOIN set_password_links ON user_id = users.id
                 WHERE token_hash = $1 AND disabled_at IS NULL
                 FOR NO KEY UPDATE OF users",
                token_hash.as_slice(),
            )
            .fetch_optional(&mut transaction)
            .await?;
            let Some(user) = user.map(UserId::from) else { return Ok(false) };
            // The link shows who holds it.
            let person = self.acting_as(Actor::User(user));
            let used = audited!(
                "written AS (
                     UPDATE set_password_links SET used_at = clock_timestamp()
                     WHERE token_hash = $2 AND used_at IS NULL AND expires_at > greatest($3, clock_timestamp())
                     RETURNING user_id
                 )",
                person.audit(&[AuditEvent::about_user(AuditEventKind::SetPasswordLinkUsed, user)]),
                token_hash.as_slice(),
                now.to_datetime(),
            )
            .execute(&mut transaction)
            .await?;
            if used.rows_affected() == 0 {
                return Ok(false);
            }
            write_password(&mut transaction, user, password_hash).await?;
            person.end_sessions_and_grants(&mut transaction, user, None, EndReason::PasswordChanged).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }
}

impl Store {
    /// Deletes up to `limit` links that have expired or were used; the number deleted.
    pub async fn delete_past_set_password_links(
        &self,
        limit: i64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            "DELETE FROM set_password_links WHERE token_hash IN (
                 SELECT token_hash FROM set_password_links
                 WHERE expires_at < $2 OR used_at IS NOT NULL LIMIT $1)",
            limit,
            now.to_datetime(),
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
