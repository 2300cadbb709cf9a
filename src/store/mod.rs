//! PostgreSQL: every statement that Grantor sends, one file per model.
//!
//! A write that must be atomic is one statement whose guard decides in the write itself.

use std::time::Duration;

use metrics::counter;
use sqlx::postgres::types::PgInterval;

use crate::model::Origin;
use crate::protocol::{AuthorizationError, BearerError, ClientRegistrationError, TokenError};
use crate::telemetry::metrics::DATABASE_POOL_TIMEOUTS;

mod access_tokens;
mod attributes;
mod audit;
mod authorization_codes;
mod authorizations;
mod claims;
mod client_assertions;
mod client_row;
mod clients;
mod connect;
mod connections;
mod consents;
pub mod embedded;
mod grant_looks;
mod grants;
mod initial_access_tokens;
mod installation;
mod leases;
mod logout_deliveries;
mod master_keys;
mod migrate;
mod own_sessions;
mod partitions;
mod passwords;
mod pool;
mod resource_servers;
mod retry;
mod roles;
mod scopes;
mod self_registration;
mod session_ends;
mod sessions;
mod set_password_links;
mod signing_keys;
mod throttle;
mod transaction;
mod trouble;
mod users;

pub use access_tokens::ClientToken;
pub use attributes::ChangingUser;
pub use audit::AuditQuery;
pub use authorization_codes::CodeView;
pub use authorizations::SignedIn;
pub use clients::ChangingClient;
pub use connect::{ConnectError, Database, PLAN_ONCE, Stores};
pub use embedded::EmbeddedError;
pub use grants::{FirstRefresh, GrantView, NewGrant, Rotation};
pub use initial_access_tokens::NewInitialAccessToken;
pub use installation::{InstallationSecret, Pulse};
pub use logout_deliveries::{LogoutDeliveryQuery, WaitingDeliveries};
pub use migrate::SchemaError;
pub use passwords::KeptSession;
pub use pool::with_patience;
pub use resource_servers::{ResourceServerDeletion, ResourceServerUse};
pub use self_registration::{Admission, Admitted};
pub use sessions::{NewSession, SessionStart};
pub use throttle::{ThrottleRule, Throttled};

use grant_looks::GrantLooks;
use pool::Pool;
use retry::in_transaction;
use transaction::Transaction;

const AWAY: &str = "the server cannot answer just now: try again in a moment";
const DEFECT: &str = "the server failed: its log says why";

/// The database, through one pool of connections, on somebody's behalf. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: Pool,
    looks: GrantLooks,
    /// On whose behalf it writes.
    origin: Origin,
    flood: audit::Flood,
}

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is away or has no connection to spare: try again later.
    #[error("the database is not available: {}", in_words(.0))]
    Unavailable(#[source] sqlx::Error),
    /// What was to be created exists already.
    #[error("{what} exists already")]
    Conflict {
        /// What exists, in words.
        what: &'static str,
    },
    /// Anything else, a defect of Grantor or of the database.
    #[error("the database refused a statement: {}", in_words(.0))]
    Database(#[source] sqlx::Error),
}

/// What the protocol's refusals say of it.
macro_rules! told_by {
    ($($refusal:ident),+) => {$(
        impl From<StoreError> for $refusal {
            fn from(error: StoreError) -> Self {
                match error {
                    StoreError::Unavailable(_) => Self::temporarily_unavailable(AWAY).with_source(error),
                    _ => Self::server_error(DEFECT).with_source(error),
                }
            }
        }
    )+};
}
told_by!(TokenError, AuthorizationError, BearerError, ClientRegistrationError);

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolTimedOut) {
            counter!(DATABASE_POOL_TIMEOUTS).increment(1);
        }
        if is_unavailable(&error) { Self::Unavailable(error) } else { Self::Database(error) }
    }
}

impl StoreError {
    /// The same for another one who waited for the same statement.
    fn again(&self) -> Self {
        let words = self.to_string();
        match self {
            Self::Unavailable(_) => Self::Unavailable(sqlx::Error::Io(std::io::Error::other(words))),
            Self::Conflict { what } => Self::Conflict { what },
            Self::Database(_) => Self::Database(sqlx::Error::Protocol(words)),
        }
    }

    /// Turns a unique violation into [`StoreError::Conflict`], everything else as usual.
    fn conflict(error: sqlx::Error, what: &'static str) -> Self {
        match error.as_database_error() {
            Some(database) if database.is_unique_violation() => Self::Conflict { what },
            _ => error.into(),
        }
    }
}

/// The database's own words where there are some, without the line of its source.
fn in_words(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |database| database.message().to_owned())
}

fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Io(_)
        | sqlx::Error::WorkerCrashed => true,
        // Class 08 connection exception, 53 insufficient resources, 57 operator intervention (a statement
        // timeout too), read-only transaction (a standby), lock timeout, deadlock, serialization failure.
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            ["08", "53", "57"].iter().any(|class| code.starts_with(class))
                || ["25006", "55P03", "40P01", "40001"].contains(&code.as_ref())
        }),
        _ => false,
    }
}

/// Tells all processes, which poll it, that clients, scopes, roles or keys have changed. Committed with the change.
async fn bump_version(transaction: &mut Transaction) -> Result<(), StoreError> {
    sqlx::query!("UPDATE installation SET version = version + 1").execute(&mut *transaction).await?;
    Ok(())
}

/// A duration as PostgreSQL's `interval`.
fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX) }
}

/// Commits a change of `rows` rows, with a new version if there was something to change.
async fn commit_change(mut transaction: Transaction, rows: u64) -> Result<bool, StoreError> {
    if rows > 0 {
        bump_version(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok(rows > 0)
}
