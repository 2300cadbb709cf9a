//! A transaction each of whose statements ends in time, its commit too.

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Error, Execute, Executor, Postgres, SqlStr};

use super::pool::Watch;

/// It is rolled back if it is dropped.
#[derive(Debug)]
pub struct Transaction {
    begun: sqlx::Transaction<'static, Postgres>,
    watch: Watch,
}

impl Transaction {
    pub(super) fn new(begun: sqlx::Transaction<'static, Postgres>, watch: Watch) -> Self {
        Self { begun, watch }
    }

    /// Makes what was done last.
    pub async fn commit(self) -> Result<(), Error> {
        self.watch.over(self.begun.commit()).await
    }
}

impl<'c> Executor<'c> for &'c mut Transaction {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let all = self.watch.over((*self.begun).fetch_many(query).try_collect::<Vec<_>>());
        stream::once(all).map_ok(|steps| stream::iter(steps.into_iter().map(Ok))).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(self.watch.over((*self.begun).fetch_optional(query)))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(self.watch.over((*self.begun).prepare_with(sql, parameters)))
    }

    #[doc(hidden)]
    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(self.watch.over((*self.begun).describe(sql)))
    }
}
