//! The partitions of `grants`, each with the days whose grants it holds.

use sqlx::{AssertSqlSafe, PgPool, Row};

use super::numbers::{DAYS_OF_ENDS, FIRST_END};
use crate::Result;

/// One partition.
#[derive(Debug, Clone)]
pub struct Partition {
    pub name: String,
    bound: String,
    /// Which of the [`DAYS_OF_ENDS`] it holds.
    pub ends: std::ops::Range<u64>,
}

impl Partition {
    /// Those that hold grants of a population that was begun on `first_day`.
    pub async fn all(pool: &PgPool, first_day: u64) -> Result<Vec<Self>> {
        let rows = sqlx::query(
            "SELECT part.relname::text AS name, pg_get_expr(part.relpartbound, part.oid) AS bound
             FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid
             WHERE inhparent = 'grants'::regclass ORDER BY 1",
        )
        .fetch_all(pool)
        .await?;
        let mut partitions = Vec::new();
        for row in rows {
            let bound: String = row.get("bound");
            let [from, to] = days(&bound).ok_or_else(|| format!("the bounds of a partition: {bound}"))?;
            let begin = first_day + FIRST_END;
            let ends = from.saturating_sub(begin)..to.saturating_sub(begin).min(DAYS_OF_ENDS);
            if ends.start < ends.end {
                partitions.push(Self { name: row.get("name"), bound, ends });
            }
        }
        let held: u64 = partitions.iter().map(|partition| partition.ends.end - partition.ends.start).sum();
        if held != DAYS_OF_ENDS {
            return Err(format!(
                "the partitions of grants hold {held} of {DAYS_OF_ENDS} days: has Grantor run?"
            )
            .into());
        }
        Ok(partitions)
    }

    pub async fn detach(&self, pool: &PgPool) -> Result<()> {
        run(pool, format!("ALTER TABLE grants DETACH PARTITION {}", self.name)).await
    }

    pub async fn attach(&self, pool: &PgPool) -> Result<()> {
        run(pool, format!("ALTER TABLE grants ATTACH PARTITION {} {}", self.name, self.bound)).await
    }
}

async fn run(pool: &PgPool, statement: String) -> Result<()> {
    sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    Ok(())
}

/// The days at the beginning of the two ids in `FOR VALUES FROM ('5120…') TO ('513c…')`.
fn days(bound: &str) -> Option<[u64; 2]> {
    let mut ids = bound.split('\'').skip(1).step_by(2);
    let mut day = || u64::from_str_radix(ids.next()?.get(..4)?, 16).ok();
    Some([day()?, day()?])
}
