//! The schema: brought up to date, or refused where it does not fit this release.

use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migrator};
use sqlx::{Connection, PgConnection};

use super::StoreError;
use super::connect::{CONNECT_TIMEOUT, Database, LONGEST_STATEMENT};
use super::retry::Attempts;
use crate::model::{AuditEvent, AuditEventKind, Details};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Why the schema cannot be used. Each is one line.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It is empty or older, and is not to be migrated.
    #[error("the database's schema is {found}, this release needs {needed}: run `grantor migrate`")]
    Older {
        /// Its version in words.
        found: String,
        /// The version of this release.
        needed: i64,
    },
    /// A later release has migrated it.
    #[error(
        "the database's schema is version {found}, newer than this release ({known}): use a newer Grantor"
    )]
    Newer {
        /// Its version.
        found: i64,
        /// The version of this release.
        known: i64,
    },
    /// The same version number means something else there.
    #[error("the database's schema version {0} was not made by a release of Grantor: restore or replace it")]
    Foreign(i64),
    /// A migration failed; nothing of it was kept.
    #[error("the schema cannot be migrated: {0}")]
    Failed(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SchemaError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Database {
    /// Brings an empty or older schema up to date, under a lock, so that of several processes one does it.
    /// Returns how many steps that took.
    pub async fn migrate(&self) -> Result<usize, SchemaError> {
        let before = self.look(applied).await?;
        if pending(&before)? == 0 {
            return Ok(0);
        }
        self.apply_migrations().await?;
        let after = self.look(applied).await?;
        let steps = after.len().saturating_sub(before.len());
        if steps > 0 {
            self.record_migrations(steps).await?;
        }
        Ok(steps)
    }

    /// A migration takes as long as the tables are large. Each is a transaction; the lock ends with the connection.
    async fn apply_migrations(&self) -> Result<(), SchemaError> {
        let mut attempts = Attempts::within(LONGEST_STATEMENT);
        loop {
            let mut connection = self.connection().await?;
            let applied = MIGRATIONS.run(&mut connection).await;
            let _ = connection.close().await;
            match applied {
                Ok(()) => return Ok(()),
                Err(error) => attempts.after(error).await.map_err(failed)?,
            }
        }
    }

    /// Not in the migrations' own transactions: before them there may be no table to record in.
    async fn record_migrations(&self, applied: usize) -> Result<(), StoreError> {
        let store = self.store(1, CONNECT_TIMEOUT);
        store.ensure_audit_partitions().await?;
        let event = AuditEvent::new(AuditEventKind::SchemaMigrated).with(Details::Migrations { applied });
        store.record(event).await?;
        store.close();
        Ok(())
    }

    /// Refuses any schema but that of this release.
    pub async fn check_schema(&self) -> Result<(), SchemaError> {
        let applied = self.look(applied).await?;
        if pending(&applied)? == 0 {
            return Ok(());
        }
        let found = applied.last().map_or("empty".to_owned(), |last| format!("version {}", last.version));
        Err(SchemaError::Older { found, needed: newest() })
    }
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<AppliedMigration>, SchemaError> {
    let exists = sqlx::query_scalar!(r#"SELECT to_regclass('_sqlx_migrations') IS NOT NULL AS "exists!""#)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        return Ok(Vec::new());
    }
    connection.list_applied_migrations(&MIGRATIONS.table_name).await.map_err(failed)
}

/// How many migrations are still to be applied; an error if what was applied is not of this release.
fn pending(applied: &[AppliedMigration]) -> Result<usize, SchemaError> {
    for row in applied {
        match MIGRATIONS.iter().find(|migration| migration.version == row.version) {
            Some(migration) if migration.checksum == row.checksum => {}
            None if row.version > newest() => {
                return Err(SchemaError::Newer { found: row.version, known: newest() });
            }
            _ => return Err(SchemaError::Foreign(row.version)),
        }
    }
    Ok(MIGRATIONS.iter().count().saturating_sub(applied.len()))
}

fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

fn failed(error: MigrateError) -> SchemaError {
    match error {
        MigrateError::Execute(error) => SchemaError::Store(error.into()),
        // A later release was faster.
        MigrateError::VersionMissing(found) => SchemaError::Newer { found, known: newest() },
        MigrateError::VersionMismatch(version) => SchemaError::Foreign(version),
        other => SchemaError::Failed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(version: i64, checksum: &[u8]) -> AppliedMigration {
        AppliedMigration { version, checksum: checksum.to_vec().into() }
    }

    #[test]
    fn what_was_applied_must_be_of_this_release() {
        let own: Vec<_> = MIGRATIONS.iter().map(|own| row(own.version, &own.checksum)).collect();
        assert_eq!(pending(&own).unwrap(), 0);
        assert_eq!(pending(&[]).unwrap(), own.len());
        assert!(matches!(pending(&[row(newest() + 1, b"x")]), Err(SchemaError::Newer { .. })));
        assert!(matches!(pending(&[row(newest(), b"x")]), Err(SchemaError::Foreign(_))));
        assert!(matches!(pending(&[row(-1, b"x")]), Err(SchemaError::Foreign(_))));
    }
}
