//! Faults, for real: processes are killed, the database vanishes, clocks jump, and afterwards a checker asks whether
//! anything was usable twice or anything acknowledged was lost. `script/faults` runs it.
//!
//!   faults [--smoke | --full] [ROW …]

#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a failed step is a failed row, and the tests' actors are not all needed here"
)]

mod app;
mod checker;
mod haproxy;
#[allow(unused_imports, reason = "the actors are shared with the integration tests")]
#[path = "../harness/mod.rs"]
mod harness;
mod history;
mod journal;
mod load;
mod measure;
mod offer;
mod postgres;
mod proxy;
mod report;
mod rows;
mod scale;
mod site;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use report::Report;
use rows::{ROWS, Row};
use scale::Scale;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, names): (Vec<_>, Vec<_>) = arguments.iter().partition(|one| one.starts_with("--"));
    let scale = match flags.as_slice() {
        [] => Scale::Short,
        [one] if *one == "--smoke" => Scale::Smoke,
        [one] if *one == "--full" => Scale::Full,
        _ => return wrong("the options are --smoke and --full"),
    };
    if let Some(unknown) = names.iter().find(|name| !ROWS.iter().any(|row| row.name == name.as_str())) {
        return wrong(&format!("there is no row {unknown}"));
    }
    let chosen = |row: &&Row| match names.is_empty() {
        true => scale != Scale::Smoke || row.in_smoke,
        false => names.iter().any(|name| *name == row.name),
    };
    run(ROWS.iter().filter(chosen), scale)
}

fn wrong(usage: &str) -> ExitCode {
    println!("faults: {usage}; rows: {}", ROWS.map(|row| row.name).join(" "));
    ExitCode::from(2)
}

fn run<'a>(rows: impl Iterator<Item = &'a Row>, scale: Scale) -> ExitCode {
    let (began, mut table, mut is_good) = (Instant::now(), String::new(), true);
    for row in rows {
        println!("{:4} {}", row.name, row.fault);
        let started = Instant::now();
        let report = run_row(row, scale);
        print!("{report}");
        println!("     {} after {:.0} s", report.word(), started.elapsed().as_secs_f64());
        is_good &= report.is_good();
        table.push_str(&report.table(row.name));
    }
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults.md");
    std::fs::write(&file, table).unwrap();
    println!(
        "{} after {:.0} s; the figures: {}",
        if is_good { "good" } else { "MISSED" },
        began.elapsed().as_secs_f64(),
        file.display()
    );
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a row on a runtime of its own: a panic ends the row, and what it started goes with it.
fn run_row(row: &Row, scale: Scale) -> Report {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let result = catch_unwind(AssertUnwindSafe(|| runtime.block_on((row.run)(scale))));
    runtime.shutdown_timeout(Duration::from_secs(5));
    result.unwrap_or_else(|_| {
        let mut report = Report::default();
        report.must("the row came to its end", false);
        report
    })
}
