//! Claims that operators add to the standard ones.

use super::audit::{self, audited};
use super::{Store, StoreError, bump_version, commit_change, in_transaction};
use crate::model::{AuditEvent, AuditEventKind, Claim};

impl Store {
    /// All claims that operators have added, by name.
    pub async fn claims(&self) -> Result<Vec<Claim>, StoreError> {
        let claims = sqlx::query_as!(Claim, "SELECT name, scope, description FROM claims ORDER BY name")
            .fetch_all(&self.pool)
            .await?;
        Ok(claims)
    }

    /// Adds a claim. `false`: its scope is not registered.
    pub async fn insert_claim(&self, claim: &Claim) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            // The scope stays until the claim is written: who deletes it waits, and then finds the claim.
            let scope =
                sqlx::query_scalar!("SELECT name FROM scopes WHERE name = $1 FOR KEY SHARE", claim.scope)
                    .fetch_optional(&mut transaction)
                    .await?;
            if scope.is_none() {
                return Ok(false);
            }
            sqlx::query!(
                "INSERT INTO claims (name, scope, description) VALUES ($1, $2, $3)",
                claim.name,
                claim.scope,
                claim.description,
            )
            .execute(&mut transaction)
            .await
            .map_err(|error| StoreError::conflict(error, "a claim with this name"))?;
            let event = AuditEvent::about(AuditEventKind::ClaimCreated, "claim", claim.name.as_str());
            audit::record(&mut transaction, &self.origin, &[event]).await?;
            bump_version(&mut transaction).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    /// Removes a claim, its values, and what was agreed to of it, so that a later claim of the same name begins
    /// without any. Whether it existed.
    pub async fn delete_claim(&self, name: &str) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            // Waits for whoever is writing a value. What they wrote is seen by the statement after this one.
            sqlx::query!("SELECT name FROM claims WHERE name = $1 FOR UPDATE", name)
                .fetch_optional(&mut transaction)
                .await?;
            let gone = audited!(
                "written AS (
                     DELETE FROM claims WHERE name = $2 RETURNING name
                 ),
                 people_without AS (
                     UPDATE users SET claims = users.claims - written.name, updated_at = clock_timestamp()
                     FROM written WHERE users.claims ? written.name
                 ),
                 consents_without AS (
                     UPDATE consents SET claims = array_remove(consents.claims, written.name)
                     FROM written WHERE written.name = ANY(consents.claims)
                 ),
                 grants_without AS (
                     UPDATE grants
                     SET claims = grants.claims #- ARRAY['userinfo', written.name] #- ARRAY['id_token', written.name]
                     FROM written
                     WHERE grants.claims -> 'userinfo' ? written.name OR grants.claims -> 'id_token' ? written.name
                 )",
                self.audit(&[AuditEvent::about(AuditEventKind::ClaimDeleted, "claim", name)]),
                name,
            )
            .execute(&mut transaction)
            .await?;
            commit_change(transaction, gone.rows_affected()).await
        })
    }
}
