//! Tables without their indexes while many rows are added: building one afterwards takes a fraction of the time that
//! keeping it does. What is put back is what was there, by PostgreSQL's own description.

use futures_util::future::try_join_all;
use sqlx::{AssertSqlSafe, PgPool, Row};

use crate::Result;

/// The indexes of one table, dropped.
pub struct Indexes(Vec<Index>);

struct Index {
    definition: String,
    /// `ALTER TABLE … ADD CONSTRAINT …`, where one rests on it.
    constraint: Option<String>,
}

impl Indexes {
    /// Drops all indexes but those that foreign keys rest on.
    pub async fn drop(pool: &PgPool, table: &str) -> Result<Self> {
        let rows = sqlx::query(
            "SELECT index.indexrelid::regclass::text AS name, pg_get_indexdef(index.indexrelid) AS definition,
                 own.conname::text AS constraint_name, own.contype = 'p' AS is_primary
             FROM pg_index index
             LEFT JOIN pg_constraint own ON own.conindid = index.indexrelid AND own.conrelid = index.indrelid
                 AND own.contype IN ('p', 'u')
             WHERE index.indrelid = $1::regclass
                 AND NOT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND conindid = index.indexrelid)",
        )
        .bind(table)
        .fetch_all(pool)
        .await?;
        let mut indexes = Vec::new();
        for row in rows {
            let name: String = row.get("name");
            let constraint: Option<String> = row.get("constraint_name");
            let drop = match &constraint {
                Some(constraint) => format!("ALTER TABLE {table} DROP CONSTRAINT {constraint}"),
                None => format!("DROP INDEX {name}"),
            };
            sqlx::query(AssertSqlSafe(drop)).execute(pool).await?;
            let kind =
                if row.get::<Option<bool>, _>("is_primary") == Some(true) { "PRIMARY KEY" } else { "UNIQUE" };
            let constraint = constraint
                .map(|it| format!("ALTER TABLE {table} ADD CONSTRAINT {it} {kind} USING INDEX {name}"));
            indexes.push(Index { definition: row.get("definition"), constraint });
        }
        Ok(Self(indexes))
    }

    /// Builds them anew, at the same time.
    pub async fn restore(self, pool: &PgPool) -> Result<()> {
        let build = |index: &Index| sqlx::query(AssertSqlSafe(index.definition.clone())).execute(pool);
        try_join_all(self.0.iter().map(build)).await?;
        for constraint in self.0.into_iter().filter_map(|index| index.constraint) {
            sqlx::query(AssertSqlSafe(constraint)).execute(pool).await?;
        }
        Ok(())
    }
}
