//! What `script/bench growth` prints.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, LineStyle, Table};

use super::GrowthReport;
use super::cleanup::Endpoint;
use super::lane::Figures;
use super::sizes::{Cluster, Found};

/// "Flat within 20 %", and p99 within twice of that without cleanup.
const FLAT: f64 = 0.8;
const LONGEST_P99: f64 = 2.0;

pub fn print(report: &GrowthReport) {
    let (machine, options) = (&report.machine, &report.options.options);
    println!("machine     {}; load average {}", machine.processor, machine.load_average);
    println!("cores       {}", machine.cores);
    println!("versions    {}, PostgreSQL {}, {}", machine.grantor, machine.postgresql, machine.rustc);
    println!(
        "run         {} rounds of {} s, {} connections; fsync and synchronous_commit on",
        options.rounds, options.seconds, options.connections
    );
    if let Some(sizes) = &report.sizes {
        print_sizes(sizes);
    }
    if let Some(cleanup) = &report.cleanup {
        println!(
            "\nCleanup of {} past rows of three kinds each under full load: {:.0} rows deleted a second; goal: p99 ≤ {LONGEST_P99} × quiet\n",
            cleanup.backlog_each, cleanup.deleted_per_second
        );
        println!("{}", latencies(&cleanup.endpoints, "cleanup"));
    }
    if let Some(drop) = &report.drop {
        println!(
            "\nDropping a partition of {} past grants under full load takes {:.0} ms\n",
            drop.grants, drop.milliseconds
        );
        println!("{}", latencies(&drop.endpoints, "drop"));
    }
    let rows = report.sizes.iter().flat_map(|sizes| &sizes.rows);
    for (row, error) in rows.filter_map(|row| Some((row, row.first_error.as_ref()?))) {
        println!("\nWRONG: {} at {} had {} errors; the first:\n{error}", row.row, row.grants, row.errors);
    }
}

fn print_sizes(sizes: &Found) {
    println!(
        "\nThe same work over more and more live tokens, by turns; ratio: to the smallest, goal ≥ {FLAT}"
    );
    for Cluster { grants, partitions_of_grants, partitions_of_codes, database_bytes } in &sizes.clusters {
        println!(
            "  {grants} live tokens: {:.0} MB, {partitions_of_grants} partitions of grants, {partitions_of_codes} of codes",
            *database_bytes as f64 / 1e6
        );
    }
    println!(
        "presented: different tokens, or people with an app for codes: the same number at all sizes, or spread over what is \
         there.\nThe smallest has no more to be spread over. CPU in µs of Grantor and of PostgreSQL, pages of PostgreSQL's \
         (those not\nin its memory), bytes of WAL: each for one answer. Codes make grants, so that the smallest grows \
         in the last rows.\n"
    );
    println!("{}", sizes_table(&sizes.rows));
}

fn sizes_table(figures: &[Figures]) -> Table {
    let mut table = new([
        "row",
        "live tokens",
        "presented",
        "/s",
        "ratio",
        "",
        "p50",
        "p99",
        "CPU",
        "of PostgreSQL",
        "pages",
        "not in memory",
        "WAL after checkpoint",
        "WAL later",
        "HOT",
        "bytes of a grant",
    ]);
    let dash = || "–".to_owned();
    for one in figures {
        table.add_row([
            one.row.to_owned(),
            one.grants.to_string(),
            one.tokens.to_string(),
            format!("{:.0}", one.per_second),
            format!("{:.2}", one.ratio),
            if one.ratio >= FLAT { "✓" } else { "MISSED" }.to_owned(),
            format!("{:.1}", one.closed.p50),
            format!("{:.1}", one.closed.p99),
            format!("{:.0}", one.server_micros),
            format!("{:.0}", one.database_micros),
            one.pages.map_or_else(dash, |pages| format!("{pages:.1}")),
            one.pages_read.map_or_else(dash, |pages| format!("{pages:.2}")),
            format!("{:.0}", one.wal_after_checkpoint),
            format!("{:.0}", one.wal_later),
            one.hot_share.map_or_else(dash, |share| format!("{:.1} %", 100.0 * share)),
            one.bytes_of_a_grant.map_or_else(dash, |bytes| format!("{bytes:.0}")),
        ]);
    }
    table
}

fn latencies(endpoints: &[Endpoint], during: &str) -> Table {
    let header = ["", "quiet p99 ms", &format!("p99 ms in the {during}"), "ratio", "", "quiet /s", "/s"];
    let mut table = new(header);
    for one in endpoints {
        table.add_row([
            one.name.to_owned(),
            format!("{:.1}", one.quiet_p99),
            format!("{:.1}", one.busy_p99),
            format!("{:.2}", one.ratio),
            if one.ratio <= LONGEST_P99 { "✓" } else { "MISSED" }.to_owned(),
            format!("{:.0}", one.quiet_per_second),
            format!("{:.0}", one.busy_per_second),
        ]);
    }
    table
}

fn new<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
