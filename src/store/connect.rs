//! Ways to the database: one connection for the schema, pools for everything else.

use std::error::Error;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

use super::audit::Flood;
use super::connections::Connections;
use super::embedded::{Durability, Embedded, EmbeddedError};
use super::grant_looks::GrantLooks;
use super::pool::{Pool, within};
use super::retry::Attempts;
use super::trouble::Trouble;
use super::{Store, StoreError};
use crate::config::{DatabaseSource, Isolation};
use crate::model::Origin;

/// How long one attempt to connect, or a look at a few rows with it, may take before a command gives up.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// Who is cut off in the middle of a transaction must not keep its locks for as long as PostgreSQL believes in the
/// connection, which is two hours. Nothing waits for anything outside of the database in a transaction.
const END_IDLE_TRANSACTIONS: &str = "SET idle_in_transaction_session_timeout = '10s'";

/// Statements of requests look up by keys: they are planned once for a connection, not anew for each value, which would
/// take longer than doing them. A table that is small today must not be read as a whole tomorrow.
pub const PLAN_ONCE: [(&str, &str); 2] =
    [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off")];

/// The database of a configuration. As long as it lives, the private cluster (if it is that) runs.
#[derive(Debug)]
pub struct Database {
    options: PgConnectOptions,
    isolation: Isolation,
    embedded: Option<Embedded>,
    origin: Origin,
    /// One count for all pools.
    flood: Flood,
    /// What one pool finds out, all know.
    trouble: Trouble,
}

/// A job or a command may take long, but not for ever.
pub(super) const LONGEST_STATEMENT: Duration = Duration::from_secs(60);

/// Makes pools of connections to one database.
#[derive(Debug, Clone)]
pub struct Stores {
    options: PgConnectOptions,
    isolation: Isolation,
    statement_timeout: Duration,
    lock_timeout: Option<Duration>,
    origin: Origin,
    flood: Flood,
    trouble: Trouble,
}

impl Stores {
    /// Stores for requests: no statement takes longer than `statement_timeout`, and none waits longer than
    /// `lock_timeout` for somebody else's lock; one that is stuck gives its connection back.
    #[must_use]
    pub fn for_requests(self, statement_timeout: Duration, lock_timeout: Duration) -> Self {
        Self { statement_timeout, lock_timeout: Some(lock_timeout), ..self }
    }

    /// A pool that connects when it is first used.
    pub fn store(&self, max_connections: u32, acquire_timeout: Duration) -> Store {
        let statement_timeout = self.statement_timeout;
        // Zero is PostgreSQL's word for none.
        let lock_timeout = self.lock_timeout.unwrap_or_default();
        let mut settings = format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; {END_IDLE_TRANSACTIONS}; \
             SET default_transaction_isolation = '{}'",
            statement_timeout.as_millis(),
            lock_timeout.as_millis(),
            level(self.isolation)
        );
        if self.lock_timeout.is_some() {
            settings.extend(PLAN_ONCE.map(|(name, value)| format!("; SET {name} = {value}")));
        }
        let connections = Connections::new(self.options.clone(), settings, self.trouble.clone());
        let pool =
            Pool::new(connections, max_connections, acquire_timeout, statement_timeout, self.trouble.clone());
        Store { pool, looks: GrantLooks::default(), origin: self.origin.clone(), flood: self.flood.clone() }
    }
}

/// Why there is no way to the database.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is not one. It is not repeated, since it may hold a password.
    #[error("the database URL cannot be used: {0}")]
    Url(sqlx::Error),
    /// The private cluster does not start.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
}

impl Database {
    /// Reads the URL, or starts the private cluster of the state directory. `progress` is told what takes long.
    pub fn open(
        source: &DatabaseSource,
        state_directory: &Path,
        progress: &dyn Fn(&str),
    ) -> Result<Self, ConnectError> {
        let (options, embedded) = match source {
            DatabaseSource::Url(url) => {
                (PgConnectOptions::from_str(url.expose()).map_err(ConnectError::Url)?, None)
            }
            DatabaseSource::Embedded => {
                let embedded = Embedded::start(state_directory, Durability::Full, progress)?;
                (embedded.connect_options(), Some(embedded))
            }
        };
        let options = options.application_name("grantor");
        let isolation = Isolation::default();
        let (flood, trouble) = (Flood::new(), Trouble::new());
        Ok(Self { options, isolation, embedded, origin: Origin::SYSTEM, flood, trouble })
    }

    /// From now on all is done at this level, but for migrations, which have the database to themselves.
    #[must_use]
    pub fn isolated(self, isolation: Isolation) -> Self {
        Self { isolation, ..self }
    }

    /// From now on it is written to on this one's behalf.
    #[must_use]
    pub fn on_behalf_of(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// What makes pools of connections to this database, on whichever thread they are used.
    pub fn stores(&self) -> Stores {
        Stores {
            options: self.options.clone(),
            isolation: self.isolation,
            statement_timeout: LONGEST_STATEMENT,
            lock_timeout: None,
            origin: self.origin.clone(),
            flood: self.flood.clone(),
            trouble: self.trouble.clone(),
        }
    }

    /// A pool of connections to this database.
    pub fn store(&self, max_connections: u32, acquire_timeout: Duration) -> Store {
        self.stores().store(max_connections, acquire_timeout)
    }

    /// One connection of its own. Unlike a pool it says at once why it cannot be had.
    pub(super) async fn connection(&self) -> Result<PgConnection, StoreError> {
        let connecting = async {
            let mut connection = PgConnection::connect_with(&self.options).await?;
            sqlx::raw_sql(END_IDLE_TRANSACTIONS).execute(&mut connection).await?;
            Ok(connection)
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(connection) => connection.map_err(StoreError::Unavailable),
            Err(_) => Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut)),
        }
    }

    /// Looks at something small on a connection of its own, and gives up where the database falls silent.
    pub(super) async fn look<T, E: Error + From<sqlx::Error> + From<StoreError> + 'static>(
        &self,
        look: impl AsyncFn(&mut PgConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let looking = async {
            let mut attempts = Attempts::within(CONNECT_TIMEOUT);
            loop {
                let mut connection = self.connection().await?;
                let seen = look(&mut connection).await;
                let _ = connection.close().await;
                match seen {
                    Ok(seen) => return Ok(seen),
                    Err(error) => attempts.after(error).await?,
                }
            }
        };
        within(CONNECT_TIMEOUT, looking).await
    }

    /// Leaves the private cluster, which stops if nobody else uses it. Pools must be closed before.
    pub fn close(self) -> Result<(), EmbeddedError> {
        self.embedded.map_or(Ok(()), Embedded::stop)
    }
}

/// The level's name in SQL.
fn level(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadCommitted => "read committed",
        Isolation::Serializable => "serializable",
    }
}

impl Store {
    /// Closes the pool's connections.
    pub fn close(&self) {
        self.pool.close();
    }
}
