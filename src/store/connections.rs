//! Making connections, and judging those that have rested.

use std::time::{Duration, Instant};

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Error, PgConnection};

use super::trouble::Trouble;

/// A connection that rested longer is tried before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(60);

/// An older one is replaced, so that what PostgreSQL has gathered for it does not stay for ever.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);

/// Between two attempts to connect to a database that is starting.
const BEFORE_RETRY: Duration = Duration::from_millis(20);

/// Makes the connections of a pool.
#[derive(Debug)]
pub struct Connections {
    options: PgConnectOptions,
    /// What each is told at its beginning.
    settings: String,
    trouble: Trouble,
}

/// A connection of a pool.
#[derive(Debug)]
pub struct Pooled {
    /// The connection.
    pub connection: PgConnection,
    /// When it last answered.
    pub answered_at: Instant,
}

impl Connections {
    /// `settings` are statements.
    pub fn new(options: PgConnectOptions, settings: String, trouble: Trouble) -> Self {
        Self { options, settings, trouble }
    }

    /// How they are made.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }
}

impl Manager for Connections {
    type Type = Pooled;
    type Error = Error;

    /// The way of a new connection is long, and would be carried about, some kilobytes, with every request.
    async fn create(&self) -> Result<Pooled, Error> {
        Box::pin(self.connect()).await
    }

    /// Trying each before each use would cost a round trip: one is that rested long, or while others were lost.
    async fn recycle(&self, pooled: &mut Pooled, metrics: &Metrics) -> RecycleResult<Error> {
        if metrics.age() > LONGEST_LIFE {
            return Err(RecycleError::message("it is old"));
        }
        let rested = pooled.answered_at.elapsed();
        if rested > TRUSTED_IDLE || self.trouble.is_within(rested) {
            Box::pin(pooled.connection.ping()).await?;
        }
        Ok(())
    }
}

impl Connections {
    /// A database that is starting is waited for, as long as the caller has time.
    async fn connect(&self) -> Result<Pooled, Error> {
        let mut connection = loop {
            match PgConnection::connect_with(&self.options).await {
                Err(error) if is_starting(&error) => tokio::time::sleep(BEFORE_RETRY).await,
                connected => break connected?,
            }
        };
        sqlx::raw_sql(AssertSqlSafe(self.settings.clone())).execute(&mut connection).await?;
        Ok(Pooled { connection, answered_at: Instant::now() })
    }
}

fn is_starting(error: &Error) -> bool {
    match error {
        Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    }
}
