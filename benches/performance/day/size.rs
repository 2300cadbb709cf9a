//! How large everything is, and in how many partitions.

use serde::Serialize;
use sqlx::{PgConnection, Row};

use super::Line;

/// Days of a partition of grants, the longest of all.
const PERIOD: i64 = 28;

/// At its peak the last period may have this share more than there was before, and so many bytes. Where nothing goes,
/// it has a fifth more: the traffic of 96 moments of the day and 70 days against that of 96 and 42.
const MORE: f64 = 1.05;
const MORE_BYTES: i64 = 65_536;

/// Tables that grow, in the order of the table.
const TABLES: [&str; 8] = [
    "grants",
    "authorization_codes",
    "audit_events",
    "sessions",
    "revoked_access_tokens",
    "used_client_assertions",
    "sign_in_throttle",
    "known_networks",
];

/// Grows with people and the apps that they have approved, and with nothing else: it is shown and not judged.
const KEPT: &str = "consents";

/// Bytes with indexes, and partitions where there are.
#[derive(Debug, Clone, Serialize)]
pub struct Sizes {
    tables: Vec<(&'static str, i64, i64)>,
    database: i64,
}

impl Sizes {
    pub async fn look(connection: &mut PgConnection) -> Self {
        let mut tables = Vec::new();
        for table in TABLES.into_iter().chain([KEPT]) {
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

/// What became of a table.
#[derive(Debug, Clone, Serialize)]
pub struct Growth {
    table: &'static str,
    /// The most bytes in the last period, and before it.
    last_peak: i64,
    peak_before: i64,
    is_bounded: bool,
}

/// Whether the last days have added to what there was before; nothing, where there were too few.
pub fn judge(lines: &[Line], days: i64) -> Vec<Growth> {
    let Some(end) = lines.last().map(|line| line.hour).filter(|_| days >= 2 * PERIOD) else {
        return Vec::new();
    };
    let (before, last): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.hour <= end - 24 * PERIOD);
    let peak = |lines: &[&Line], table: usize| {
        lines.iter().map(|line| line.sizes.tables[table].1).max().unwrap_or(0)
    };
    let growth = |(number, table)| {
        let (last_peak, peak_before) = (peak(&last, number), peak(&before, number));
        let most = (MORE * peak_before as f64) as i64 + MORE_BYTES;
        Growth { table, last_peak, peak_before, is_bounded: last_peak <= most }
    };
    TABLES.into_iter().enumerate().map(growth).collect()
}

pub fn print_verdicts(growth: &[Growth]) {
    if growth.is_empty() {
        println!("\nToo few days to say what is bounded: it takes {}", 2 * PERIOD);
        return;
    }
    println!("\nMB at the peak of the last {PERIOD} days, and before them");
    for Growth { table, last_peak, peak_before, is_bounded } in growth {
        let verdict = if *is_bounded { "bounded" } else { "GROWS" };
        let (last, before) = (*last_peak as f64 / 1e6, *peak_before as f64 / 1e6);
        println!("{table:>24} {last:>9.2} {before:>9.2}  {verdict}");
    }
}

pub fn print_head() {
    let tables = TABLES.iter().chain([&KEPT]);
    let tables: Vec<String> = tables.map(|table| format!("{:>14}", &table[..table.len().min(13)])).collect();
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
