//! How large everything is, and in how many partitions.

use serde::Serialize;
use sqlx::{PgConnection, Row};

use super::Line;

/// Tables that grow, in the order of the table.
const TABLES: [&str; 7] = [
    "grants",
    "authorization_codes",
    "audit_events",
    "sessions",
    "revoked_access_tokens",
    "used_client_assertions",
    "sign_in_throttle",
];

/// Bytes with indexes, and partitions where there are.
#[derive(Debug, Clone, Serialize)]
pub struct Sizes {
    tables: Vec<(&'static str, i64, i64)>,
    database: i64,
}

impl Sizes {
    pub async fn look(connection: &mut PgConnection) -> Self {
        let mut tables = Vec::new();
        for table in TABLES {
            let row = sqlx::query(
                "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint AS bytes, count(*) AS parts
                 FROM pg_class WHERE relkind = 'r' AND (relname = $1 OR relname ~ ('^' || $1 || '_d[0-9]+$'))",
            )
            .bind(table)
            .fetch_one(&mut *connection)
            .await
            .expect("PostgreSQL knows its sizes");
            tables.push((table, row.get("bytes"), row.get("parts")));
        }
        let database = sqlx::query_scalar("SELECT pg_database_size(current_database())")
            .fetch_one(connection)
            .await
            .expect("PostgreSQL knows its sizes");
        Self { tables, database }
    }
}

pub fn print_head() {
    let tables: Vec<String> =
        TABLES.iter().map(|table| format!("{:>14}", &table[..table.len().min(13)])).collect();
    println!("MB, with partitions in brackets\n\n  hour  sign-ins {} {:>9}", tables.join(""), "database");
}

pub fn print(line: &Line) {
    let megabytes = |bytes: i64| bytes as f64 / 1e6;
    let tables: Vec<String> = line
        .sizes
        .tables
        .iter()
        .map(|(_, bytes, parts)| {
            let parts = if *parts > 1 { format!(" ({parts})") } else { String::new() };
            format!("{:>14}", format!("{:.1}{parts}", megabytes(*bytes)))
        })
        .collect();
    println!(
        "{:>6} {:>9} {} {:>9.1}",
        line.hour,
        line.flows,
        tables.join(""),
        megabytes(line.sizes.database)
    );
}
