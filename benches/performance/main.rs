//! How near Grantor comes to what the machine can do. `script/bench` builds and runs it.
//!
//! Servers are pinned to the first half of the cores, the load and a PostgreSQL that writes through to the disk to the
//! rest. Each row holds one endpoint against its limit, by turns in the same run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a step that fails ends the run, and a report is printed"
)]
#![allow(missing_docs, reason = "nobody else builds on it")]

mod clock;
mod cores;
mod day;
mod growth;
mod limits;
mod load;
mod measure;
mod options;
mod peers;
mod population;
mod postmaster;
mod process;
mod report;
mod rows;
mod scale_out;
mod site;
mod statements;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use limits::signature::Signatures;
use options::{Arguments, Hidden, Options};
use population::Population;
use report::{Report, load_average};
use rows::{ROWS, Stage, footprint};
use site::{Site, SiteOptions};

/// Whatever goes wrong ends the run, and is told.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.hidden {
        Some(Hidden::LimitServer(server)) => {
            limits::http::serve(server).expect("the server runs");
            return ExitCode::SUCCESS;
        }
        Some(Hidden::Growth(options)) => return growth::main(options),
        Some(Hidden::Day(options)) => return day::main(options),
        None => {}
    }
    let options = arguments.options.settled();
    if options.rows == [scale_out::NAME] {
        return scale_out::main(&options);
    }
    let names: Vec<_> = ROWS.iter().map(|row| row.name).chain([footprint::NAME]).collect();
    if let Some(unknown) = options.rows.iter().find(|name| !names.contains(&name.as_str())) {
        eprintln!("bench: there is no row {unknown}; rows: {}", names.join(" "));
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let report = runtime.block_on(run(&options));
    report.print();
    println!("\nJSON: {}", options.json().display());
    // A limit that was missed may be the fault of what else the machine does; a wrong answer never is.
    if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(options: &Options) -> Report {
    let passing = tempfile::Builder::new().prefix("grantor-bench-").tempdir().expect("a directory");
    let stage = prepare(options, passing.path()).await;
    let mut report = Report::new(&stage).await;
    let is_chosen = |name: &str| options.rows.is_empty() || options.rows.iter().any(|row| row == name);
    if options.peers {
        report.peers = Some(peers::run(&stage, &report.machine.grantor, is_chosen).await);
    } else {
        measure_rows(&stage, &mut report, is_chosen).await;
    }
    report.load_average_at_end = load_average();
    report.write(&options.json()).expect("the figures can be written");
    report
}

async fn measure_rows(stage: &Stage, report: &mut Report, is_chosen: impl Fn(&str) -> bool) {
    for row in ROWS.iter().filter(|row| is_chosen(row.name)) {
        eprintln!("{}", row.name);
        report.rows.push(measure::row(row, stage).await);
        // What was measured stays, whatever becomes of the rest.
        report.write(&stage.options.json()).expect("the figures can be written");
    }
    if is_chosen(footprint::NAME) {
        eprintln!("{}", footprint::NAME);
        report.footprint = Some(footprint::measure(stage).await);
    }
}

/// A server over a population, in the directory of an earlier run or in one that passes.
async fn prepare(options: &Options, passing: &Path) -> Stage {
    let mut site = Site::start(SiteOptions {
        binary: options.binary.clone(),
        directory: options.directory().unwrap_or_else(|| passing.to_owned()),
        servers: 0,
        settings: Vec::new(),
    })
    .await;
    let population = Population::seed(&site, options.population.size()).await;
    site.serve(1);
    population.check(&site.origin()).await;
    Stage { site, population: Arc::new(population), signatures: Signatures::new(), options: options.clone() }
}
