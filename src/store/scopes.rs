//! Registered scopes.

use super::audit::{self, audited};
use super::{Store, StoreError, Transaction, bump_version, commit_change, in_transaction};
use crate::model::{AuditEvent, AuditEventKind, EndReason, Scope};
use crate::time::Timestamp;

/// Scopes that nobody deletes until the transaction ends that has looked at them.
pub(super) struct HeldScopes(Vec<String>);

impl HeldScopes {
    /// Holds all registered scopes. It comes first in a transaction: who deletes a scope locks it before all else
    /// that holds it.
    pub(super) async fn hold(transaction: &mut Transaction) -> Result<Self, StoreError> {
        let names = sqlx::query_scalar!("SELECT name FROM scopes ORDER BY name FOR KEY SHARE")
            .fetch_all(transaction)
            .await?;
        Ok(Self(names))
    }

    /// Those of the named scopes that are registered, in their order: what is written of a scope that was deleted
    /// meanwhile.
    pub(super) fn of(&self, names: &[String]) -> Vec<String> {
        names.iter().filter(|name| self.0.contains(name)).cloned().collect()
    }
}

impl Store {
    /// Registers a scope.
    pub async fn insert_scope(&self, scope: &Scope) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| {
            sqlx::query!(
                "INSERT INTO scopes (name, description, restricted) VALUES ($1, $2, $3)",
                scope.name,
                scope.description,
                scope.restricted,
            )
            .execute(&mut transaction)
            .await
            .map_err(|error| StoreError::conflict(error, "a scope with this name"))?;
            let event = AuditEvent::about(AuditEventKind::ScopeCreated, "scope", scope.name.as_str());
            audit::record(&mut transaction, &self.origin, &[event]).await?;
            bump_version(&mut transaction).await?;
            Ok(transaction.commit().await?)
        })
    }

    /// All scopes: the built-in ones first, then by name.
    pub async fn scopes(&self) -> Result<Vec<Scope>, StoreError> {
        let scopes = sqlx::query_as!(
            Scope,
            "SELECT name, description, restricted, built_in FROM scopes ORDER BY built_in DESC, name"
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(scopes)
    }

    /// Those of the named scopes that are registered, by name.
    pub async fn find_scopes(&self, names: &[String]) -> Result<Vec<Scope>, StoreError> {
        let scopes = sqlx::query_as!(
            Scope,
            "SELECT name, description, restricted, built_in FROM scopes WHERE name = ANY($1) ORDER BY name",
            names,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(scopes)
    }

    /// Whether all the named scopes are registered, and were at `instant`.
    pub async fn scopes_are_older(&self, names: &[String], instant: Timestamp) -> Result<bool, StoreError> {
        let older = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM scopes WHERE name = ANY($1) AND (built_in OR created_at <= $2)"#,
            names,
            instant.to_datetime(),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(usize::try_from(older) == Ok(names.len()))
    }

    /// Removes a scope that is neither built in nor carried by a role and releases no claim, also from clients, resource servers and
    /// consents, and ends the grants that hold it, so that a later scope of the same name is not granted by what was
    /// meant for this one. Returns whether that was done.
    pub async fn delete_scope(&self, name: &str) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            // Waits for whoever is writing the scope somewhere. What they wrote is seen by the statement after this one.
            sqlx::query!("SELECT name FROM scopes WHERE name = $1 AND NOT built_in FOR UPDATE", name)
                .fetch_optional(&mut transaction)
                .await?;
            // In the order in which others lock clients.
            sqlx::query!(
                "SELECT client_id FROM clients WHERE $1 = ANY(scopes) ORDER BY client_id FOR NO KEY UPDATE",
                name,
            )
            .fetch_all(&mut transaction)
            .await?;
            let gone = audited!(
                "written AS (
                     DELETE FROM scopes
                     WHERE name = $2 AND NOT built_in AND NOT EXISTS (SELECT FROM roles WHERE $2 = ANY(scopes))
                         AND NOT EXISTS (SELECT FROM claims WHERE scope = $2)
                     RETURNING name
                 ),
                 clients_without AS (
                     UPDATE clients SET scopes = array_remove(clients.scopes, written.name), updated_at = now()
                     FROM written WHERE written.name = ANY(clients.scopes)
                 ),
                 resource_servers_without AS (
                     UPDATE resource_servers SET scopes = array_remove(scopes, written.name), updated_at = now()
                     FROM written WHERE written.name = ANY(resource_servers.scopes)
                 ),
                 consents_without AS (
                     UPDATE consents SET scopes = array_remove(consents.scopes, written.name),
                         unasked_scopes = array_remove(consents.unasked_scopes, written.name)
                     FROM written WHERE written.name = ANY(consents.scopes)
                 )",
                self.audit(&[AuditEvent::about(AuditEventKind::ScopeDeleted, "scope", name)]),
                name,
            )
            .execute(&mut transaction)
            .await?;
            if gone.rows_affected() > 0 {
                self.revoke_grants_of_scope(&mut transaction, name).await?;
            }
            commit_change(transaction, gone.rows_affected()).await
        })
    }

    async fn revoke_grants_of_scope(
        &self,
        transaction: &mut Transaction,
        name: &str,
    ) -> Result<(), StoreError> {
        let reason = EndReason::ScopeDeleted;
        audited!(
            "written AS (
                 UPDATE grants SET revoked_at = clock_timestamp(), revoked_reason = $3
                 WHERE $2 = ANY(scopes) AND revoked_at IS NULL
                 RETURNING 'grant' AS target_kind, id AS target_id, user_id, client_id, id AS grant_id
             )",
            self.audit(&[AuditEvent::new(AuditEventKind::GrantRevoked).because(reason)]),
            name,
            reason.as_str(),
        )
        .execute(&mut *transaction)
        .await?;
        Ok(())
    }
}
