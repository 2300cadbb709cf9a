//! Registered scopes.

use super::{Store, StoreError, bump_version, commit_change};
use crate::model::Scope;

impl Store {
    /// Registers a scope.
    pub async fn insert_scope(&self, scope: &Scope) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "INSERT INTO scopes (name, description, restricted) VALUES ($1, $2, $3)",
            scope.name,
            scope.description,
            scope.restricted,
        )
        .execute(&mut *transaction)
        .await
        .map_err(|error| StoreError::conflict(error, "a scope with this name"))?;
        bump_version(&mut transaction).await?;
        Ok(transaction.commit().await?)
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

    /// Removes a scope that is neither built in nor carried by a role, also from clients and consents, and ends
    /// the grants that hold it, so that a later scope of the same name is not granted by what was meant for
    /// this one. Returns whether that was done.
    pub async fn delete_scope(&self, name: &str) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!(
            "WITH gone AS (
                 DELETE FROM scopes
                 WHERE name = $1 AND NOT built_in AND NOT EXISTS (SELECT FROM roles WHERE $1 = ANY(scopes))
                 RETURNING name
             ),
             clients_without AS (
                 UPDATE clients SET scopes = array_remove(clients.scopes, gone.name), updated_at = now()
                 FROM gone WHERE gone.name = ANY(clients.scopes)
             ),
             consents_without AS (
                 UPDATE consents SET scopes = array_remove(consents.scopes, gone.name)
                 FROM gone WHERE gone.name = ANY(consents.scopes)
             ),
             grants_with AS (
                 UPDATE grants SET revoked_at = clock_timestamp(), revoked_reason = 'scope deleted'
                 FROM gone WHERE gone.name = ANY(grants.scopes) AND revoked_at IS NULL
             )
             SELECT name FROM gone",
            name,
        )
        .fetch_all(&mut *transaction)
        .await?;
        commit_change(transaction, u64::from(!done.is_empty())).await
    }
}
