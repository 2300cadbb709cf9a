//! What becomes of speed and size as there is more: the same work over 10⁴, 10⁶ and 10⁷ live tokens by turns, what is
//! written for it, and deleting under full load.

mod cleanup;
mod drop;
mod lane;
mod sizes;
mod sources;
mod table;
mod written;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use super::limits::signature::Signatures;
use super::options::{Options, Scale, directory_of, target};
use super::population::{Population, Size};
use super::report::{Machine, load_average};
use super::rows::Stage;
use super::site::{Site, SiteOptions};

/// Parts that can be named.
const PARTS: [&str; 3] = ["sizes", "cleanup", "drop"];

/// What to measure, and how. Of the rows that the other options speak of, there are the parts `sizes`, `cleanup` and
/// `drop`.
#[derive(Debug, Clone, Args, Serialize)]
pub struct GrowthOptions {
    #[command(flatten)]
    options: Options,
    /// Live refresh tokens of the clusters that take turns; with others than 10,000,000 they do not stay
    #[arg(long, value_delimiter = ',', default_value = "10000,1000000,10000000")]
    sizes: Vec<u64>,
    /// Rows whose time has passed that cleanup finds, of each kind, and grants of a partition that is dropped
    #[arg(long, default_value_t = 500_000)]
    backlog: u64,
}

/// Everything that a run has found.
#[derive(Debug, Serialize)]
struct GrowthReport {
    machine: Machine,
    options: GrowthOptions,
    load_average_at_end: String,
    sizes: Option<sizes::Found>,
    cleanup: Option<cleanup::Figures>,
    drop: Option<drop::Figures>,
}

/// Runs the command.
pub fn main(options: &GrowthOptions) -> ExitCode {
    let mut options = options.clone();
    options.options = options.options.settled();
    if options.options.smoke {
        (options.sizes, options.backlog) = (vec![4_000, 40_000], 3_000);
    }
    if let Some(unknown) = options.options.rows.iter().find(|part| !PARTS.contains(&part.as_str())) {
        eprintln!("bench growth: there is no part {unknown}; parts: {}", PARTS.join(" "));
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let report = runtime.block_on(run(options));
    table::print(&report);
    let file = report.options.options.json.clone().unwrap_or_else(|| target().join("growth.json"));
    let json = serde_json::to_vec_pretty(&report).expect("figures are JSON");
    std::fs::write(&file, json).expect("the figures can be written");
    println!("\nJSON: {}", file.display());
    // A goal that was missed may be the fault of what else the machine does; a wrong answer never is.
    if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl GrowthReport {
    /// Whether every answer was right.
    fn is_sound(&self) -> bool {
        let cleanup = self.cleanup.iter().flat_map(|cleanup| &cleanup.endpoints);
        let drop = self.drop.iter().flat_map(|drop| &drop.endpoints);
        let sizes = self.sizes.iter().flat_map(|sizes| &sizes.rows);
        sizes.into_iter().all(|one| one.errors == 0) && cleanup.chain(drop).all(|one| one.errors == 0)
    }
}

async fn run(options: GrowthOptions) -> GrowthReport {
    let is_chosen = |part: &str| {
        let parts = &options.options.rows;
        parts.is_empty() || parts.iter().any(|one| one == part)
    };
    let Options { smoke, population, .. } = options.options;
    let (kept, Size { users, clients, .. }) = (Scale::Full.size(), population.size());
    let mut wanted = options.sizes.clone();
    if !is_chosen("sizes") {
        // The rest happens in the largest.
        wanted = wanted.split_off(wanted.len().saturating_sub(1));
    }
    let mut stages = Vec::new();
    for grants in wanted {
        let size = Size { users, clients, grants };
        let place = if size == kept && !smoke { Place::Kept(directory_of(size)) } else { Place::passing() };
        stages.push(Grown {
            stage: stage(&options.options, size, place.path()).await,
            grants,
            _place: place,
        });
    }
    let machine = Machine::look(&stages[0].stage.site).await;
    let sizes = if is_chosen("sizes") { Some(sizes::measure(&stages).await) } else { None };
    let largest = &stages.last().expect("there is a size").stage;
    let cleanup =
        if is_chosen("cleanup") { Some(cleanup::measure(largest, options.backlog).await) } else { None };
    let drop = if is_chosen("drop") { Some(drop::measure(largest, options.backlog).await) } else { None };
    GrowthReport { machine, options, load_average_at_end: load_average(), sizes, cleanup, drop }
}

/// A stage, and where its cluster lies.
pub struct Grown {
    pub stage: Stage,
    pub grants: u64,
    // Dropped after the cluster has stopped.
    _place: Place,
}

enum Place {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

impl Place {
    fn passing() -> Self {
        std::fs::create_dir_all(target()).expect("the directory can be made");
        let directory = tempfile::Builder::new().prefix("growth-").tempdir_in(target());
        Self::Passing(directory.expect("a directory"))
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Kept(path) => path.clone(),
            Self::Passing(directory) => directory.path().to_owned(),
        }
    }
}

async fn stage(options: &Options, size: Size, directory: PathBuf) -> Stage {
    let site = SiteOptions { binary: options.binary.clone(), directory, servers: 0, settings: Vec::new() };
    let mut site = Site::start(site).await;
    let population = Arc::new(Population::seed(&site, size).await);
    site.serve(1);
    population.check(&site.origin()).await;
    Stage { site, population, signatures: Signatures::new(), options: options.clone() }
}
