//! Roles. Who holds them is in `users`.

use super::audit::{self, audited};
use super::scopes::HeldScopes;
use super::{Store, StoreError, commit_change, in_transaction};
use crate::model::{AuditEvent, AuditEventKind, Details, Role};

impl Store {
    /// Makes a role. `false`: one of its scopes was deleted meanwhile, and nothing was written.
    pub async fn insert_role(&self, role: &Role) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            if HeldScopes::hold(&mut transaction).await?.of(&role.scopes) != role.scopes {
                return Ok(false);
            }
            let done =
                sqlx::query!("INSERT INTO roles (name, scopes) VALUES ($1, $2)", role.name, &role.scopes)
                    .execute(&mut transaction)
                    .await
                    .map_err(|error| StoreError::conflict(error, "a role with this name"))?;
            audit::record(&mut transaction, &self.origin, &[about(AuditEventKind::RoleCreated, role)])
                .await?;
            commit_change(transaction, done.rows_affected()).await
        })
    }

    /// All roles, by name.
    pub async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        let roles = sqlx::query_as!(Role, "SELECT name, scopes FROM roles ORDER BY name")
            .fetch_all(&self.pool)
            .await?;
        Ok(roles)
    }

    /// Replaces the scopes that a role carries. `false`: there is no such role, or one of the scopes was deleted
    /// meanwhile.
    pub async fn set_role_scopes(&self, role: &Role) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            if HeldScopes::hold(&mut transaction).await?.of(&role.scopes) != role.scopes {
                return Ok(false);
            }
            let done = audited!(
                "written AS (UPDATE roles SET scopes = $3 WHERE name = $2 RETURNING name)",
                self.audit(&[about(AuditEventKind::RoleChanged, role)]),
                role.name,
                &role.scopes,
            )
            .execute(&mut transaction)
            .await?;
            commit_change(transaction, done.rows_affected()).await
        })
    }

    /// Removes a role, and from everybody who holds it. Returns whether it existed.
    pub async fn delete_role(&self, name: &str) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            // Nobody is given the role from here on.
            sqlx::query!("SELECT name FROM roles WHERE name = $1 FOR UPDATE", name)
                .fetch_optional(&mut transaction)
                .await?;
            let taken =
                AuditEvent::new(AuditEventKind::UserRoleTaken).with(Details::Role { role: name.to_owned() });
            audited!(
                "written AS (
                     DELETE FROM user_roles WHERE role_name = $2
                     RETURNING user_id, 'user' AS target_kind, user_id AS target_id
                 )",
                self.audit(&[taken]),
                name,
            )
            .execute(&mut transaction)
            .await?;
            let done = audited!(
                "written AS (DELETE FROM roles WHERE name = $2 RETURNING name)",
                self.audit(&[AuditEvent::about(AuditEventKind::RoleDeleted, "role", name)]),
                name,
            )
            .execute(&mut transaction)
            .await?;
            commit_change(transaction, done.rows_affected()).await
        })
    }
}

fn about(kind: AuditEventKind, role: &Role) -> AuditEvent {
    AuditEvent::about(kind, "role", role.name.as_str()).with(Details::Scopes { scopes: role.scopes.clone() })
}
