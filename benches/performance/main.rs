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

mod cores;
mod limits;
mod load;
mod measure;
mod options;
mod population;
mod process;
mod report;
mod rows;
mod scale_out;
mod site;
mod statements;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use limits::signature::Signatures;
use options::{Arguments, Hidden, Options};
use population::Population;
use report::{Machine, Report, load_average};
use rows::{ROWS, Stage, footprint};
use site::{Site, SiteOptions};

/// Whatever goes wrong ends the run, and is told.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Hidden::LimitServer(server)) = arguments.hidden {
        limits::http::serve(&server).expect("the server runs");
        return ExitCode::SUCCESS;
    }
    let options = arguments.options.settled();
    if options.rows == [scale_out::NAME] {
        return scale_out::main(&options);
    }
    if let Some(unknown) = options.rows.iter().find(|name| !ROWS.iter().any(|row| row.name == name.as_str()))
    {
        let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        eprintln!("bench: there is no row {unknown}; rows: {}", names.join(" "));
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let report = runtime.block_on(run(&options));
    report.print();
    let file = options.json();
    report.write(&file).expect("the figures can be written");
    println!("\nJSON: {}", file.display());
    // A limit that was missed may be the fault of what else the machine does; a wrong answer never is.
    if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(options: &Options) -> Report {
    let passing = tempfile::Builder::new().prefix("grantor-bench-").tempdir().expect("a directory");
    let mut site = Site::start(SiteOptions {
        binary: options.binary.clone(),
        directory: options.directory().unwrap_or_else(|| passing.path().to_owned()),
        servers: 0,
        settings: Vec::new(),
    })
    .await;
    let population = Population::seed(&site, options.population.size()).await;
    site.serve(1);
    population.check(&site.origin()).await;
    let machine = Machine::look(&site).await;
    let population = Arc::new(population);
    let stage = Stage { site, population, signatures: Signatures::new(), options: options.clone() };
    let is_chosen = |name: &str| options.rows.is_empty() || options.rows.iter().any(|row| row == name);
    let mut rows = Vec::new();
    for row in ROWS.iter().filter(|row| is_chosen(row.name)) {
        eprintln!("{}", row.name);
        rows.push(measure::row(row, &stage).await);
    }
    let footprint = match is_chosen(footprint::NAME) {
        true => Some(footprint::measure(&stage).await),
        false => None,
    };
    Report {
        machine,
        settings: stage.site.settings(),
        options: stage.options,
        load_average_at_end: load_average(),
        rows,
        footprint,
    }
}
