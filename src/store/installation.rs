//! The installation's one row: the version that tells processes to reload, and the database's clock.

use super::audit::audited;
use super::{Store, StoreError};
use crate::model::{AuditEvent, AuditEventKind};
use crate::time::Timestamp;

/// What a process polls.
#[derive(Debug, Clone, Copy)]
pub struct Pulse {
    /// Grows with every change of clients, scopes, roles or signing keys.
    pub version: i64,
    /// The database's clock.
    pub database_time: Timestamp,
    /// Whether an app is to be told now that a session has ended.
    pub logout_is_due: bool,
}

/// A random value of the installation, encrypted under a master key.
pub struct InstallationSecret {
    /// The ciphertext.
    pub wrapped: Vec<u8>,
    /// The id of the master key.
    pub master_key_id: Vec<u8>,
}

impl Store {
    /// Reads version and clock, and looks at the head of the queue of logout tokens.
    pub async fn pulse(&self) -> Result<Pulse, StoreError> {
        let row = sqlx::query!(
            r#"SELECT version, clock_timestamp() AS "now!",
                   coalesce((SELECT min(next_attempt_at) FROM logout_deliveries WHERE next_attempt_at IS NOT NULL)
                       <= clock_timestamp(), false) AS "logout_is_due!"
               FROM installation"#
        )
        .fetch_one(&self.pool)
        .await?;
        let (version, logout_is_due) = (row.version, row.logout_is_due);
        Ok(Pulse { version, database_time: row.now.into(), logout_is_due })
    }

    /// Claims the seeding of demo data, which happens once in an installation's life. Whether it is
    /// this caller's to do.
    pub async fn claim_demo_seeding(&self) -> Result<bool, StoreError> {
        let claimed = sqlx::query!(
            "UPDATE installation SET demo_seeded_at = clock_timestamp() WHERE demo_seeded_at IS NULL"
        )
        .execute(&self.pool)
        .await?;
        Ok(claimed.rows_affected() == 1)
    }

    /// A random value of the installation, as it is stored.
    pub async fn installation_secret(&self, name: &str) -> Result<Option<InstallationSecret>, StoreError> {
        let row = sqlx::query_as!(
            InstallationSecret,
            "SELECT wrapped_secret AS wrapped, master_key_id FROM installation_secrets WHERE name = $1",
            name,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row)
    }

    /// Stores the value if there is none of this name yet; the one that there is from now on.
    pub async fn ensure_installation_secret(
        &self,
        name: &str,
        secret: &InstallationSecret,
    ) -> Result<InstallationSecret, StoreError> {
        audited!(
            "written AS (
                 INSERT INTO installation_secrets (name, wrapped_secret, master_key_id) VALUES ($2, $3, $4)
                 ON CONFLICT (name) DO NOTHING
                 RETURNING name
             )",
            self.audit(&[about(AuditEventKind::InstallationSecretCreated, name)]),
            name,
            secret.wrapped,
            secret.master_key_id,
        )
        .execute(&self.pool)
        .await?;
        let row = sqlx::query_as!(
            InstallationSecret,
            "SELECT wrapped_secret AS wrapped, master_key_id FROM installation_secrets WHERE name = $1",
            name,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(row)
    }

    /// Replaces the ciphertext if it still is as it was `seen`. Whether it was.
    pub async fn rewrap_installation_secret(
        &self,
        name: &str,
        seen: &InstallationSecret,
        renewed: &InstallationSecret,
    ) -> Result<bool, StoreError> {
        let done = audited!(
            "written AS (
                 UPDATE installation_secrets SET wrapped_secret = $4, master_key_id = $5
                 WHERE name = $2 AND wrapped_secret = $3
                 RETURNING name
             )",
            self.audit(&[about(AuditEventKind::InstallationSecretRewrapped, name)]),
            name,
            seen.wrapped,
            renewed.wrapped,
            renewed.master_key_id,
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn about(kind: AuditEventKind, name: &str) -> AuditEvent {
    AuditEvent::about(kind, "installation_secret", name)
}
