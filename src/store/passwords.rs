//! Setting passwords, and what ends with the old one.

use super::audit;
use super::{Store, StoreError, Transaction, in_transaction};
use crate::model::{Actor, AuditEvent, AuditEventKind, EndReason, SessionId, UserId};
use crate::secret::Secret;

/// The session in which a person changes the password.
pub struct KeptSession<'a> {
    /// Which.
    pub id: SessionId,
    /// SHA-256 of the cookie's value from now on.
    pub token_hash: &'a [u8],
}

impl Store {
    /// Sets a password by an operator's power: all sessions and grants end. Returns whether the account exists.
    pub async fn set_password(&self, user: UserId, hash: &Secret<String>) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            let set = write_password(&mut transaction, user, hash).await?;
            if set {
                let event = AuditEvent::about_user(AuditEventKind::PasswordSet, user);
                audit::record(&mut transaction, &self.origin, &[event]).await?;
            }
            self.end_sessions_and_grants(&mut transaction, user, None, EndReason::PasswordChanged).await?;
            transaction.commit().await?;
            Ok(set)
        })
    }

    /// Sets a password in place of `old`, the hash that the person's present password was checked against:
    /// all grants, and all sessions but `keep`, end. That one gets a new cookie: whoever has the old one is out, too.
    /// Returns `false` and does nothing when the password has been changed meanwhile or the account is switched off.
    pub async fn change_password(
        &self,
        user: UserId,
        old: &Secret<String>,
        new: &Secret<String>,
        keep: KeptSession<'_>,
    ) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            let unchanged = sqlx::query_scalar!(
                "SELECT id FROM users WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL FOR NO KEY UPDATE",
                user.as_uuid(),
                old.expose(),
            )
            .fetch_optional(&mut transaction)
            .await?;
            if unchanged.is_none() {
                return Ok(false);
            }
            write_password(&mut transaction, user, new).await?;
            let person = self.acting_as(Actor::User(user));
            let event = AuditEvent::about_user(AuditEventKind::PasswordChanged, user);
            audit::record(&mut transaction, &person.origin, &[event]).await?;
            let reason = EndReason::PasswordChanged;
            person.end_sessions_and_grants(&mut transaction, user, Some(keep.id), reason).await?;
            sqlx::query!(
                "UPDATE sessions SET token_hash = $3, previous_token_hash = NULL
                 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL",
                keep.id.as_uuid(),
                user.as_uuid(),
                keep.token_hash,
            )
            .execute(&mut transaction)
            .await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    /// Replaces the hash of the same password, made with newer parameters. Nothing ends.
    pub async fn rehash_password(
        &self,
        user: UserId,
        old: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
            user.as_uuid(),
            old.expose(),
            new.expose(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Ends all sessions of a person but `keep`, and all grants. The account's row is locked already. The order
    /// matters: an approval that still found its session alive is waited for by the first statement, and is
    /// therefore older than the instant that the second one writes.
    pub(super) async fn end_sessions_and_grants(
        &self,
        transaction: &mut Transaction,
        user: UserId,
        keep: Option<SessionId>,
        reason: EndReason,
    ) -> Result<(), StoreError> {
        self.end_sessions_beside_grants(transaction, user, keep, reason).await?;
        sqlx::query!("UPDATE users SET grants_valid_from = clock_timestamp() WHERE id = $1", user.as_uuid())
            .execute(&mut *transaction)
            .await?;
        Ok(())
    }
}

/// Writes the hash and ends outstanding links. The account's row is locked from here on.
pub(super) async fn write_password(
    transaction: &mut Transaction,
    user: UserId,
    hash: &Secret<String>,
) -> Result<bool, StoreError> {
    let written = sqlx::query!(
        "WITH written AS (
             UPDATE users
             SET password_hash = $2, updated_at = clock_timestamp()
             WHERE id = $1
             RETURNING id
         ),
         links AS (
             DELETE FROM set_password_links USING written WHERE user_id = written.id AND used_at IS NULL
         )
         SELECT id FROM written",
        user.as_uuid(),
        hash.expose(),
    )
    .fetch_optional(&mut *transaction)
    .await?;
    Ok(written.is_some())
}
