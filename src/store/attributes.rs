//! What is known of people: changed under a lock, read for apps.

use serde_json::Value;

use super::audit;
use super::users::{UserRow, select_users, taken};
use super::{Store, StoreError, Transaction};
use crate::model::{AuditEvent, AuditEventKind, Details, FoldedName, Origin, User, UserId};
use crate::protocol::standard_claims::standard_claim;

/// Claims that nobody deletes until the transaction ends that has looked at them.
pub(super) struct HeldClaims(Vec<String>);

impl HeldClaims {
    /// Holds all claims that operators have added. It comes first in a transaction that writes values: who deletes a
    /// claim locks it before the people.
    pub(super) async fn hold(transaction: &mut Transaction) -> Result<Self, StoreError> {
        let names = sqlx::query_scalar!("SELECT name FROM claims ORDER BY name FOR KEY SHARE")
            .fetch_all(transaction)
            .await?;
        Ok(Self(names))
    }

    /// The first of the person's claims that there is not.
    pub(super) fn unknown_of(&self, user: &User) -> Option<String> {
        let is_unknown = |name: &&String| standard_claim(name).is_none() && !self.0.contains(name);
        user.claims.keys().find(is_unknown).cloned()
    }
}

/// A person whose row is locked until the change is written or given up.
pub struct ChangingUser<'a> {
    user: User,
    claims: HeldClaims,
    transaction: Transaction,
    origin: &'a Origin,
}

impl Store {
    /// Locks a person for a change of e-mail address and attributes; `None`: there is no such person.
    pub async fn change_user(&self, id: UserId) -> Result<Option<ChangingUser<'_>>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let claims = HeldClaims::hold(&mut transaction).await?;
        let row = select_users!("WHERE users.id = $1 FOR NO KEY UPDATE", id.as_uuid())
            .fetch_optional(&mut transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ChangingUser { user: row.into(), claims, transaction, origin: &self.origin }))
    }
}

impl ChangingUser<'_> {
    /// The person as they are.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Writes e-mail address and attributes, if one of them is another; the person as they are from now on. An error
    /// names a claim that there is not, and nothing was written.
    pub async fn write(mut self, user: User) -> Result<Result<User, String>, StoreError> {
        if let Some(unknown) = self.claims.unknown_of(&user) {
            return Ok(Err(unknown));
        }
        let changed = changes(&self.user, &user);
        if changed.is_empty() {
            return Ok(Ok(self.user));
        }
        let email_folded = FoldedName::new(&user.email);
        let updated_at = sqlx::query_scalar!(
            "UPDATE users SET email = $2, email_folded = $3, email_verified = $4, claims = $5,
                 updated_at = clock_timestamp()
             WHERE id = $1 RETURNING updated_at",
            user.id.as_uuid(),
            user.email,
            email_folded.as_str(),
            user.email_verified,
            Value::Object(user.claims.clone()),
        )
        .fetch_one(&mut self.transaction)
        .await
        .map_err(taken)?;
        let event = AuditEvent::about_user(AuditEventKind::UserChanged, user.id);
        let event = event.with(Details::Changed { changed });
        audit::record(&mut self.transaction, self.origin, &[event]).await?;
        self.transaction.commit().await?;
        Ok(Ok(User { updated_at: updated_at.into(), ..user }))
    }
}

/// Names of what is another, without the values.
fn changes(before: &User, after: &User) -> Vec<String> {
    let email = (before.email != after.email).then(|| "email".to_owned());
    let verified = (before.email_verified != after.email_verified).then(|| "email_verified".to_owned());
    let names = before.claims.keys().chain(after.claims.keys());
    let mut claims: Vec<String> =
        names.filter(|name| before.claims.get(*name) != after.claims.get(*name)).cloned().collect();
    claims.sort();
    claims.dedup();
    email.into_iter().chain(verified).chain(claims).collect()
}
