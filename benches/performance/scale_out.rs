//! More processes on one database, and what moves the database's own limit: `script/bench scale-out`.
//!
//! The processes share the cores that one has elsewhere in this bench, and the load goes to all of them. What moves the
//! database is tried by turns, with Grantor and with PostgreSQL alone.

mod costs;
mod groups;
mod levers;
mod pgbouncer;
mod print;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use self::costs::Cost;
use self::groups::Group;
use self::levers::Moved;
use super::limits::signature::Signatures;
use super::load::Outcome;
use super::measure::median;
use super::options::Options;
use super::population::Population;
use super::report::Machine;
use super::rows::{Contest, ROWS, Stage};
use super::site::{Site, SiteOptions};

/// How it is asked for.
pub const NAME: &str = "scale-out";

/// What is looked at: each needs something else of the database.
const LOOKED_AT: [&str; 4] = ["client_credentials", "code", "refresh", "introspect"];

/// The one that presents access tokens, which is the last.
const PRESENTING: &str = LOOKED_AT[3];

/// The numbers of processes.
const PROCESSES: [usize; 3] = [1, 2, 4];

/// Caches fill, and a first rate is learned.
const WARM_UP: Duration = Duration::from_secs(1);

/// Everything that a run has found.
#[derive(Debug, Serialize)]
pub struct ScaleOut {
    machine: Machine,
    /// What one answer costs, where one process gives it.
    costs: Vec<Cost>,
    processes: Vec<Processes>,
    moved: Vec<Moved>,
    errors: u64,
    first_error: Option<String>,
}

/// A row with one process and with several.
#[derive(Debug, Serialize)]
struct Processes {
    row: &'static str,
    /// Medians of answers per second, for each number of [`PROCESSES`].
    per_second: Vec<f64>,
    /// Medians of the ratios to one process in the same round.
    ratios: Vec<f64>,
}

/// What a run goes through.
struct Run {
    stage: Stage,
    lanes: Vec<Lane>,
    errors: u64,
    first_error: Option<String>,
}

/// A row, whose connections go on from one turn to the next.
struct Lane {
    row: &'static str,
    contest: Contest,
    /// What was reached last.
    rate: Option<f64>,
}

/// Measures, prints and writes down.
pub fn main(options: &Options) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let found = runtime.block_on(run(options));
    found.print();
    let file = options.json.clone().unwrap_or_else(|| options.json().with_file_name("scale-out.json"));
    found.write(&file).expect("the figures can be written");
    println!("\nJSON: {}", file.display());
    if found.errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(options: &Options) -> ScaleOut {
    let passing = tempfile::Builder::new().prefix("grantor-bench-").tempdir().expect("a directory");
    let directory = options.directory().unwrap_or_else(|| passing.path().to_owned());
    let mut site = Site::start(SiteOptions {
        binary: options.binary.clone(),
        directory,
        servers: 0,
        settings: Vec::new(),
    })
    .await;
    let population = Arc::new(Population::seed(&site, options.population.size()).await);
    site.serve(1);
    let machine = Machine::look(&site).await;
    let stage = Stage { site, population, signatures: Signatures::new(), options: options.clone() };
    let mut run = Run { stage, lanes: Vec::new(), errors: 0, first_error: None };
    let costs = costs::measure(&mut run).await;
    let processes = run.processes().await;
    let mut moved = levers::measure(&mut run).await;
    moved.extend(pgbouncer::measure(&mut run).await);
    let Run { errors, first_error, .. } = run;
    ScaleOut { machine, costs, processes, moved, errors, first_error }
}

impl Run {
    /// Begins a part. Its access tokens are good for longer than it takes, but not for all parts.
    async fn begin(&mut self, part: &str) {
        eprintln!("{part}");
        let rows = ROWS.iter().filter(|row| LOOKED_AT.contains(&row.name));
        for (number, row) in rows.enumerate() {
            if self.lanes.get(number).is_some_and(|lane| lane.row != PRESENTING) {
                continue;
            }
            let lane = Lane { row: row.name, contest: (row.prepare)(&self.stage).await, rate: None };
            self.lanes.truncate(number);
            self.lanes.push(lane);
        }
    }

    async fn processes(&mut self) -> Vec<Processes> {
        self.begin("processes").await;
        let groups = PROCESSES.map(|count| Group::start(&self.stage.site, count, &[]));
        let groups = groups.each_ref();
        let mut all = Vec::new();
        for lane in 0..self.lanes.len() {
            let rounds = self.by_turns(lane, &groups).await;
            let of = |group: usize| median(rounds.iter().map(|round| round[group]));
            let ratio = |group: usize| median(rounds.iter().map(|round| round[group] / round[0]));
            let numbers = 0..groups.len();
            let (per_second, ratios) = (numbers.clone().map(of).collect(), numbers.map(ratio).collect());
            all.push(Processes { row: self.lanes[lane].row, per_second, ratios });
        }
        all
    }

    /// Answers per second of each group in each round.
    async fn by_turns(&mut self, lane: usize, groups: &[&Group]) -> Vec<Vec<f64>> {
        for group in groups {
            self.warm_up(lane, group).await;
        }
        let mut rounds = Vec::new();
        for number in 0..self.stage.options.rounds {
            let mut round = Vec::new();
            for group in groups {
                round.push(self.turn(lane, group).await);
            }
            eprintln!("  {} round {}: {round:.0?}", self.lanes[lane].row, number + 1);
            rounds.push(round);
        }
        rounds
    }

    /// A turn that does not count.
    async fn warm_up(&mut self, lane: usize, group: &Group) {
        self.outcome(lane, group, self.duration().min(WARM_UP)).await;
    }

    /// Answers per second of one group in one turn.
    async fn turn(&mut self, lane: usize, group: &Group) -> f64 {
        self.outcome(lane, group, self.duration()).await.per_second()
    }

    /// Makes what a turn uses up. More than twice what was reached last would be a surprise.
    async fn refill(&self, lane: usize) {
        let Lane { contest, rate, .. } = &self.lanes[lane];
        contest.refill(self.duration(), rate.map(|rate| 2.0 * rate)).await;
    }

    async fn outcome(&mut self, lane: usize, group: &Group, duration: Duration) -> Outcome {
        self.refill(lane).await;
        let Lane { contest, rate, .. } = &mut self.lanes[lane];
        let mut outcome = group.load(&self.stage.site, &mut contest.sources, duration);
        *rate = Some(outcome.per_second());
        self.errors += outcome.errors;
        self.first_error = self.first_error.take().or(outcome.first_error.take());
        outcome
    }

    /// Of each turn.
    fn duration(&self) -> Duration {
        self.stage.options.turn()
    }
}
