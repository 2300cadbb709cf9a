//! Roles. Who holds them is in `users`.

use super::{Store, StoreError, bump_version, commit_change};
use crate::model::Role;

impl Store {
    /// Makes a role.
    pub async fn insert_role(&self, role: &Role) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("INSERT INTO roles (name, scopes) VALUES ($1, $2)", role.name, &role.scopes)
            .execute(&mut *transaction)
            .await
            .map_err(|error| StoreError::conflict(error, "a role with this name"))?;
        bump_version(&mut transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// All roles, by name.
    pub async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        let roles = sqlx::query_as!(Role, "SELECT name, scopes FROM roles ORDER BY name")
            .fetch_all(&self.pool)
            .await?;
        Ok(roles)
    }

    /// Replaces the scopes that a role carries. Returns whether the role exists.
    pub async fn set_role_scopes(&self, role: &Role) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!("UPDATE roles SET scopes = $2 WHERE name = $1", role.name, &role.scopes)
            .execute(&mut *transaction)
            .await?;
        commit_change(transaction, done.rows_affected()).await
    }

    /// Removes a role, and from everybody who holds it. Returns whether it existed.
    pub async fn delete_role(&self, name: &str) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!("DELETE FROM roles WHERE name = $1", name).execute(&mut *transaction).await?;
        commit_change(transaction, done.rows_affected()).await
    }
}
