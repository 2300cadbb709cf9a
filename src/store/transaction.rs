//! A transaction each of whose statements ends in time, its commit too.

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Error, Execute, Executor, PgConnection, Postgres, SqlStr};

use super::pool::{Lent, Watch};

/// It is rolled back if it is dropped.
#[derive(Debug)]
pub struct Transaction {
    begun: Lent,
    watch: Watch,
}

impl Transaction {
    pub(super) fn new(begun: Lent, watch: Watch) -> Self {
        Self { begun, watch }
    }

    /// Makes what was done last.
    pub async fn commit(mut self) -> Result<(), Error> {
        let commit = async |connection: &mut PgConnection| sqlx::raw_sql("COMMIT").execute(connection).await;
        self.begun.run(&self.watch, commit).await?;
        self.begun.end_transaction();
        Ok(())
    }
}

impl<'c> Executor<'c> for &'c mut Transaction {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let steps =
            async |connection: &mut PgConnection| connection.fetch_many(query).try_collect::<Vec<_>>().await;
        stream::once(self.begun.run(&self.watch, steps))
            .map_ok(|steps| stream::iter(steps.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(self.begun.run(&self.watch, async |connection| connection.fetch_optional(query).await))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(
            self.begun.run(&self.watch, async |connection| connection.prepare_with(sql, parameters).await),
        )
    }

    #[doc(hidden)]
    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(self.begun.run(&self.watch, async |connection| connection.describe(sql).await))
    }
}
