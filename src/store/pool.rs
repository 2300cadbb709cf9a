//! Connections, lent for a bounded time.
//!
//! A database that is gone without a word (a cable, a firewall that forgot) answers neither a statement nor the
//! driver's own questions, and the system notices after a quarter of an hour. So each statement has a limit on
//! this side too, and so has the way of a connection back into the pool: one that does not come back in time is
//! closed, and its place is free for a new one.

use std::cell::Cell;
use std::io;
use std::time::{Duration, Instant};

use deadpool::managed::{Object, PoolConfig, PoolError, QueueMode};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Connection, Describe, Either, Error, Execute, Executor, PgConnection, Postgres, SqlStr};

use super::connections::Connections;
use super::retry::Attempts;
use super::transaction::Transaction;
use super::trouble::Trouble;

/// How much later than the database this side gives up: as long as the database answers at all, it is the one
/// that ends a statement, and the connection stays good.
const GRACE: Duration = Duration::from_secs(1);

/// How long a connection may take to finish what it was left with and to say so. What it was doing is then
/// nobody's business any more; the database ends it by itself.
const LONGEST_RETURN: Duration = Duration::from_secs(5);

tokio::task_local! {
    /// How long the request under way may still wait for connections.
    static PATIENCE: Cell<Duration>;
}

/// Does `work`, whose waits for connections may take so long together: one that waits for each of its statements
/// would be answered far too late. Work without this waits for each as long as its pool says.
pub async fn with_patience<T>(patience: Duration, work: impl Future<Output = T>) -> T {
    PATIENCE.scope(Cell::new(patience), work).await
}

/// How long the work under way may still wait for connections; `None`: as long as its pool says.
pub fn patience() -> Option<Duration> {
    PATIENCE.try_with(Cell::get).ok()
}

/// The work under way has waited so long.
pub fn has_waited(waited: Duration) {
    let _ = PATIENCE.try_with(|left| left.set(left.get().saturating_sub(waited)));
}

/// Waits for a connection, no longer than there is patience left.
async fn patiently<T>(waiting: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let Some(patience) = patience() else { return waiting.await };
    let began = Instant::now();
    let waited = tokio::time::timeout(patience, waiting).await;
    has_waited(began.elapsed());
    waited.unwrap_or(Err(Error::PoolTimedOut))
}

/// What each statement goes through: it ends in time, and trouble is noticed.
#[derive(Debug, Clone)]
pub struct Watch {
    limit: Duration,
    trouble: Trouble,
}

impl Watch {
    /// The attempts that a statement or a transaction has.
    pub fn attempts(&self) -> Attempts {
        Attempts::within(self.limit)
    }

    /// Does `work`, or gives up when the limit of a statement is past.
    pub async fn over<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let done = within(self.limit, work).await;
        done.inspect_err(|error| self.trouble.notice(error))
    }
}

/// A pool each of whose statements ends in time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pool {
    connections: deadpool::managed::Pool<Connections>,
    acquire_timeout: Duration,
    watch: Watch,
}

impl Pool {
    /// At most so many connections, the first of which is made when it is needed. `statement_timeout` is what the
    /// connections are told as well.
    #[allow(clippy::expect_used, reason = "only a limit of the library's own could be without a runtime")]
    pub fn new(
        connections: Connections,
        max_connections: u32,
        acquire_timeout: Duration,
        statement_timeout: Duration,
        trouble: Trouble,
    ) -> Self {
        let config = PoolConfig {
            max_size: max_connections as usize,
            // The one that answered last is warm on both sides.
            queue_mode: QueueMode::Lifo,
            ..PoolConfig::default()
        };
        let connections = deadpool::managed::Pool::builder(connections).config(config).build();
        let connections = connections.expect("it has no such limit");
        Self { connections, acquire_timeout, watch: Watch { limit: statement_timeout + GRACE, trouble } }
    }

    /// Begins a transaction. It is rolled back if it is dropped.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let mut lent = self.lend().await?;
        lent.is_in_transaction = true;
        lent.run(&self.watch, async |connection| sqlx::raw_sql("BEGIN").execute(connection).await).await?;
        Ok(Transaction::new(lent, self.watch.clone()))
    }

    /// What work that has a connection of its own goes through too.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// How its connections are made.
    pub fn connect_options(&self) -> &PgConnectOptions {
        self.connections.manager().options()
    }

    /// Closes its connections as they come back. Nothing can be done with it any more.
    pub fn close(&self) {
        self.connections.close();
    }

    /// All that a statement yields. Each attempt is made on a connection of its own: nobody rests on one.
    async fn steps(&self, statement: Statement) -> Result<Vec<Either<PgQueryResult, PgRow>>, Error> {
        let mut attempts = self.watch.attempts();
        loop {
            let query = statement.again();
            let steps = async |connection: &mut PgConnection| {
                connection.fetch_many(query).try_collect::<Vec<_>>().await
            };
            match self.lend().await?.run(&self.watch, steps).await {
                Ok(steps) => return Ok(steps),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    /// The first row that it yields.
    async fn row(&self, statement: Statement) -> Result<Option<PgRow>, Error> {
        let mut attempts = self.watch.attempts();
        loop {
            let query = statement.again();
            let row = async |connection: &mut PgConnection| connection.fetch_optional(query).await;
            match self.lend().await?.run(&self.watch, row).await {
                Ok(row) => return Ok(row),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    /// A connection that has to be made is made even if nobody waits for it any more: the next one finds it.
    /// Otherwise none would ever be made where connecting takes longer than there is patience.
    pub async fn lend(&self) -> Result<Lent, Error> {
        let status = self.connections.status();
        let pool = self.clone();
        let lending = async move {
            let acquired = tokio::time::timeout(pool.acquire_timeout, pool.connections.get()).await;
            acquired.map_err(|_| Error::PoolTimedOut)?.map_err(not_lent)
        };
        let connection = if status.available == 0 && status.size < status.max_size {
            let connecting = tokio::spawn(lending);
            patiently(async { connecting.await.unwrap_or(Err(Error::WorkerCrashed)) }).await
        } else {
            patiently(lending).await
        };
        Ok(Lent { connection: Some(connection?), is_settled: true, is_in_transaction: false })
    }
}

/// A statement that can be sent more than once.
struct Statement {
    sql: SqlStr,
    arguments: Option<PgArguments>,
}

impl Statement {
    fn of<'q>(mut query: impl Execute<'q, Postgres>) -> Result<Self, Error> {
        let arguments = query.take_arguments().map_err(Error::Encode)?;
        Ok(Self { sql: query.sql(), arguments })
    }

    fn again(&self) -> (SqlStr, Option<PgArguments>) {
        (self.sql.clone(), self.arguments.clone())
    }
}

fn not_lent(error: PoolError<Error>) -> Error {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(_) => Error::PoolTimedOut,
        _ => Error::PoolClosed,
    }
}

/// A connection on loan. However it ends, answered or dropped in the middle, it goes back in time or is closed.
#[derive(Debug)]
pub struct Lent {
    connection: Option<Object<Connections>>,
    /// Whether the last statement was answered in full and without trouble.
    is_settled: bool,
    is_in_transaction: bool,
}

impl Lent {
    /// Does `statement`, within the limit of the watch.
    pub async fn run<T>(
        &mut self,
        watch: &Watch,
        statement: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(pooled) = &mut self.connection else { return Err(Error::PoolClosed) };
        self.is_settled = false;
        let done = watch.over(statement(&mut pooled.connection)).await;
        if done.is_ok() {
            pooled.answered_at = Instant::now();
            self.is_settled = true;
        }
        done
    }

    /// The transaction has ended, and nothing has to be undone.
    pub fn end_transaction(&mut self) {
        self.is_in_transaction = false;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if self.is_settled && !self.is_in_transaction {
            return;
        }
        let Some(mut connection) = self.connection.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            // Nothing can be asked of it any more: it is closed.
            return drop(Object::take(connection));
        };
        let is_in_transaction = self.is_in_transaction;
        runtime.spawn(async move {
            if within(LONGEST_RETURN, settle(&mut connection.connection, is_in_transaction)).await.is_err() {
                tracing::warn!("closed a connection to the database that had fallen silent or broken");
                drop(Object::take(connection));
            }
        });
    }
}

/// Waits for the end of what was under way, and undoes what was begun.
async fn settle(connection: &mut PgConnection, is_in_transaction: bool) -> Result<(), Error> {
    if is_in_transaction {
        sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await?;
    }
    connection.ping().await
}

/// Does `work`, or gives up when so much time is past.
pub async fn within<T, E: From<Error>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => {
            let late = io::Error::new(io::ErrorKind::TimedOut, "the database did not answer in time");
            Err(Error::Io(late).into())
        }
    }
}

/// As sqlx does it for its own pool, but each statement within the limit. No statement of Grantor's yields so many
/// rows that they should be read one by one.
impl<'p> Executor<'p> for &'_ Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (pool, statement) = (self.clone(), Statement::of(query));
        let all = async move { pool.steps(statement?).await };
        stream::once(all).map_ok(|steps| stream::iter(steps.into_iter().map(Ok))).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (pool, statement) = (self.clone(), Statement::of(query));
        Box::pin(async move { pool.row(statement?).await })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move {
            let statement =
                async |connection: &mut PgConnection| connection.prepare_with(sql, parameters).await;
            pool.lend().await?.run(&pool.watch, statement).await
        })
    }
    #[doc(hidden)]
    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move {
            let description = async |connection: &mut PgConnection| connection.describe(sql).await;
            pool.lend().await?.run(&pool.watch, description).await
        })
    }
}
