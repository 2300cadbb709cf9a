//! People, the roles they hold, and their passwords' hashes.

use ::time::OffsetDateTime;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::attributes::HeldClaims;
use super::audit::{self, audited};
use super::{Store, StoreError, in_transaction};
use crate::model::{AuditEvent, AuditEventKind, Details, EndReason, FoldedName, SignInRecord, User, UserId};
use crate::secret::Secret;

/// The one list of columns that a [`UserRow`] has, with what follows `FROM users`.
macro_rules! select_users {
    ($tail:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            UserRow,
            r#"SELECT id, username, email, email_verified, claims, disabled_at, created_at, updated_at,
                      ARRAY(SELECT role_name FROM user_roles WHERE user_id = users.id ORDER BY role_name) AS "roles!"
               FROM users "# + $tail,
            $($argument),*
        )
    };
}

pub(super) use select_users;

macro_rules! select_sign_in {
    ($condition:literal, $argument:expr) => {
        sqlx::query_as!(
            SignInRow,
            "SELECT id, username, email, password_hash, disabled_at FROM users WHERE " + $condition,
            $argument
        )
    };
}

impl Store {
    /// Makes an account with its roles. [`StoreError::Conflict`] says whether the name or the address is taken; the
    /// error within names a claim that there is not.
    pub async fn insert_user(
        &self,
        user: &User,
        password_hash: Option<&Secret<String>>,
    ) -> Result<Result<(), String>, StoreError> {
        let (username, email) = (FoldedName::new(&user.username), FoldedName::new(&user.email));
        let event = AuditEvent::about_user(AuditEventKind::UserCreated, user.id)
            .with(Details::Roles { roles: user.roles.clone() });
        in_transaction!(self, |transaction| {
            if !user.claims.is_empty()
                && let Some(unknown) = HeldClaims::hold(&mut transaction).await?.unknown_of(user)
            {
                return Ok(Err(unknown));
            }
            sqlx::query!(
                "WITH created AS (
                     INSERT INTO users (id, username, username_folded, email, email_folded, password_hash, created_at,
                         email_verified, claims, updated_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $9, $10, $11) RETURNING id
                 )
                 INSERT INTO user_roles (user_id, role_name)
                 SELECT created.id, role.name FROM created, unnest($8::text[]) AS role (name)",
                user.id.as_uuid(),
                user.username,
                username.as_str(),
                user.email,
                email.as_str(),
                password_hash.map(|hash| hash.expose().as_str()),
                user.created_at.to_datetime(),
                &user.roles,
                user.email_verified,
                Value::Object(user.claims.clone()),
                user.updated_at.to_datetime(),
            )
            .execute(&mut transaction)
            .await
            .map_err(taken)?;
            audit::record(&mut transaction, &self.origin, std::slice::from_ref(&event)).await?;
            transaction.commit().await?;
            Ok(Ok(()))
        })
    }

    /// What a sign-in under this name is checked against, switched-off accounts included.
    pub async fn sign_in_record(&self, name: &FoldedName) -> Result<Option<SignInRecord>, StoreError> {
        let row = select_sign_in!("username_folded = $1", name.as_str()).fetch_optional(&self.pool).await?;
        Ok(row.map(SignInRecord::from))
    }

    /// The same for a person who is signed in and confirms the password.
    pub async fn sign_in_record_of(&self, user: UserId) -> Result<Option<SignInRecord>, StoreError> {
        let row = select_sign_in!("id = $1", user.as_uuid()).fetch_optional(&self.pool).await?;
        Ok(row.map(SignInRecord::from))
    }

    /// The person with this identifier.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = select_users!("WHERE users.id = $1", id.as_uuid()).fetch_optional(&self.pool).await?;
        Ok(row.map(User::from))
    }

    /// The person with this name.
    pub async fn user_by_name(&self, name: &FoldedName) -> Result<Option<User>, StoreError> {
        let row = select_users!("WHERE users.username_folded = $1", name.as_str())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(User::from))
    }

    /// All people, by name.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let rows = select_users!("ORDER BY users.username_folded").fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    /// Switches an account off: its sessions and grants end. Returns whether it exists.
    pub async fn disable_user(&self, user: UserId) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            let done = audited!(
                "written AS (
                     UPDATE users SET disabled_at = coalesce(disabled_at, clock_timestamp()),
                         updated_at = clock_timestamp()
                     WHERE id = $2 RETURNING id
                 )",
                self.audit(&[AuditEvent::about_user(AuditEventKind::UserDisabled, user)]),
                user.as_uuid(),
            )
            .execute(&mut transaction)
            .await?;
            self.end_sessions_and_grants(&mut transaction, user, None, EndReason::UserDisabled).await?;
            transaction.commit().await?;
            Ok(done.rows_affected() > 0)
        })
    }

    /// Switches an account on again; what ended stays ended. Returns whether it exists.
    pub async fn enable_user(&self, user: UserId) -> Result<bool, StoreError> {
        let done = audited!(
            "written AS (
                 UPDATE users SET disabled_at = NULL, updated_at = clock_timestamp() WHERE id = $2 RETURNING id
             )",
            self.audit(&[AuditEvent::about_user(AuditEventKind::UserEnabled, user)]),
            user.as_uuid(),
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Removes an account; its grants are dead without it. Returns whether it existed.
    pub async fn delete_user(&self, user: UserId) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            // An approval under way holds its session and wants the person's row: it is waited for in that order.
            sqlx::query!("SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE", user.as_uuid())
                .fetch_optional(&mut transaction)
                .await?;
            self.end_sessions_and_grants(&mut transaction, user, None, EndReason::UserDeleted).await?;
            let done = audited!(
                "written AS (DELETE FROM users WHERE id = $2 RETURNING id)",
                self.audit(&[AuditEvent::about_user(AuditEventKind::UserDeleted, user)]),
                user.as_uuid(),
            )
            .execute(&mut transaction)
            .await?;
            transaction.commit().await?;
            Ok(done.rows_affected() > 0)
        })
    }

    /// Replaces all roles that a person holds; the next refresh and introspection see it.
    pub async fn set_user_roles(&self, user: UserId, roles: &[String]) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| {
            // Two changes at once would otherwise leave the roles of both.
            sqlx::query!("SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE", user.as_uuid())
                .fetch_optional(&mut transaction)
                .await?;
            let changes = sqlx::query!(
                r#"WITH taken AS (
                     DELETE FROM user_roles WHERE user_id = $1 AND role_name <> ALL ($2) RETURNING role_name
                 ), granted AS (
                     INSERT INTO user_roles (user_id, role_name)
                     SELECT users.id, role.name FROM users, unnest($2::text[]) AS role (name) WHERE users.id = $1
                     ON CONFLICT DO NOTHING RETURNING role_name
                 )
                 SELECT role_name AS "role!", false AS "granted!" FROM taken
                 UNION ALL SELECT role_name, true FROM granted"#,
                user.as_uuid(),
                roles,
            )
            .fetch_all(&mut transaction)
            .await
            .map_err(taken)?;
            let events: Vec<_> = changes
                .into_iter()
                .map(|change| {
                    let (granted, taken) = (AuditEventKind::UserRoleGranted, AuditEventKind::UserRoleTaken);
                    AuditEvent::about_user(if change.granted { granted } else { taken }, user)
                        .with(Details::Role { role: change.role })
                })
                .collect();
            audit::record(&mut transaction, &self.origin, &events).await?;
            Ok(transaction.commit().await?)
        })
    }
}

/// Says which of the unique things is taken.
pub(super) fn taken(error: sqlx::Error) -> StoreError {
    let database = error.as_database_error();
    let what = match database.and_then(|database| database.constraint()) {
        Some("users_username_folded_key") => "a user with this name",
        Some("users_email_folded_key") => "a user with this e-mail address",
        _ => "this user",
    };
    StoreError::conflict(error, what)
}

pub(super) struct UserRow {
    pub(super) id: Uuid,
    pub(super) username: String,
    pub(super) email: String,
    pub(super) email_verified: bool,
    pub(super) claims: Value,
    pub(super) roles: Vec<String>,
    pub(super) disabled_at: Option<OffsetDateTime>,
    pub(super) created_at: OffsetDateTime,
    pub(super) updated_at: OffsetDateTime,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id.into(),
            username: row.username,
            email: row.email,
            email_verified: row.email_verified,
            claims: members(row.claims),
            roles: row.roles,
            disabled_at: row.disabled_at.map(Into::into),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// The column holds an object and nothing else.
fn members(claims: Value) -> Map<String, Value> {
    match claims {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

struct SignInRow {
    id: Uuid,
    username: String,
    email: String,
    password_hash: Option<String>,
    disabled_at: Option<OffsetDateTime>,
}

impl From<SignInRow> for SignInRecord {
    fn from(row: SignInRow) -> Self {
        Self {
            id: row.id.into(),
            username: row.username,
            email: row.email,
            password_hash: row.password_hash.map(Secret::new),
            disabled_at: row.disabled_at.map(Into::into),
        }
    }
}
