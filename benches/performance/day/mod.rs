//! A day of traffic in minutes, and two months after it: the clock of servers and database is moved, and each time there
//! is the same amount of real traffic. What was written is bounded if it stops growing when as much expires as comes.

mod assertions;
mod person;
mod size;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::clock::Clock;
use super::load::{self, Outcome};
use super::options::target;
use super::population::{Newcomer, Population, Size};
use super::rows::Source;
use super::rows::sources::Supply;
use super::site::{Site, SiteOptions};
use assertions::Assertions;
use person::Person;
use size::{Growth, Sizes};

const HOUR: i64 = 3_600;

/// Many people and apps, and next to nothing that they did before: what is there at the end is of these days.
const PEOPLE: Size = Size { users: 100_000, clients: 1_000, grants: 160 };
const PEOPLE_IN_SMOKE: Size = Size { users: 1_000, clients: 40, grants: 160 };

/// Jobs look every half second whether it is their time; the longest of what they do then takes some more.
const JOBS: Duration = Duration::from_millis(1_500);

/// Short enough that all of it ends within the day. Clients of the population have no lifetimes of their own.
const LIFETIMES: [(&str, &str); 5] = [
    ("GRANTOR_TOKENS_REFRESH_IDLE_LIFETIME", "1h"),
    ("GRANTOR_TOKENS_REFRESH_ABSOLUTE_LIFETIME", "4h"),
    ("GRANTOR_SESSIONS_IDLE_LIFETIME", "1h"),
    ("GRANTOR_SESSIONS_ABSOLUTE_LIFETIME", "4h"),
    ("GRANTOR_AUDIT_RETENTION", "7d"),
];

/// How the clock moves, and what happens meanwhile.
#[derive(Debug, Clone, Args, Serialize)]
pub struct DayOptions {
    /// The day's hours
    #[arg(long, default_value_t = 24)]
    hours: i64,
    /// Minutes by which the clock moves at a time in them
    #[arg(long, default_value_t = 15)]
    minutes: i64,
    /// Days after it, by each of which the clock moves at once
    #[arg(long, default_value_t = 70)]
    days: i64,
    /// People who sign in each time, and use what they get
    #[arg(long, default_value_t = 64)]
    people: u64,
    /// Requests each time of clients that authenticate with an assertion
    #[arg(long, default_value_t = 256)]
    assertions: u64,
    /// Some hours and days with a few people
    #[arg(long)]
    smoke: bool,
    /// The binary to measure
    #[arg(long, default_value = env!("CARGO_BIN_EXE_grantor"))]
    binary: PathBuf,
    /// Where to write the figures as JSON [default: target/bench/day.json]
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Everything that a run has found.
#[derive(Debug, Serialize)]
struct DayReport {
    options: DayOptions,
    lines: Vec<Line>,
    /// Of each table; empty where it was too short to tell.
    growth: Vec<Growth>,
    flows: u64,
    assertions: u64,
    /// Answers with 503 and a time to come again.
    refused: u64,
    errors: u64,
    first_error: Option<String>,
}

/// What there was at a time.
#[derive(Debug, Clone, Serialize)]
struct Line {
    hour: i64,
    flows: u64,
    assertions: u64,
    sizes: Sizes,
}

/// Runs the command, a second time as a process whose PostgreSQL has the moved clock.
pub fn main(options: &DayOptions) -> ExitCode {
    let Some(clock) = Clock::inherited() else { return Clock::run_again() };
    let mut options = options.clone();
    if options.smoke {
        (options.hours, options.minutes, options.days) = (2, 60, 3);
        (options.people, options.assertions) = (4, 16);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let report = runtime.block_on(run(options, clock));
    let file = report.options.json.clone().unwrap_or_else(|| target().join("day.json"));
    std::fs::write(&file, serde_json::to_vec_pretty(&report).expect("figures are JSON"))
        .expect("the figures can be written");
    report.print();
    println!("JSON: {}", file.display());
    if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(options: DayOptions, clock: Clock) -> DayReport {
    std::fs::create_dir_all(target()).expect("the directory can be made");
    let directory = tempfile::Builder::new().prefix("day-").tempdir_in(target()).expect("a directory");
    let settings = LIFETIMES.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut site = Site::start(SiteOptions {
        binary: options.binary.clone(),
        directory: directory.path().to_owned(),
        servers: 0,
        settings: settings.into_iter().chain(clock.variables()).collect(),
    })
    .await;
    let population =
        Arc::new(Population::seed(&site, if options.smoke { PEOPLE_IN_SMOKE } else { PEOPLE }).await);
    site.serve(1);
    let mut traffic = Traffic::new(&site, population, &clock);
    let mut report = DayReport::new(options);
    let DayOptions { hours, minutes, days, people, assertions, .. } = report.options;
    size::print_head();
    let steps = (1..=hours * 60 / minutes).map(|step| step * minutes * 60);
    let later = (1..=days).map(|day| hours * HOUR + day * 24 * HOUR);
    for now in steps.chain(later) {
        clock.set(now);
        tokio::time::sleep(JOBS).await;
        let outcomes = traffic.burst(&site, people, assertions).await;
        report.count(&outcomes);
        if now % HOUR == 0 {
            let sizes = Sizes::look(&mut site.connect().await).await;
            let line = Line { hour: now / HOUR, flows: report.flows, assertions: report.assertions, sizes };
            size::print(&line);
            report.lines.push(line);
        }
    }
    report.growth = size::judge(&report.lines, days);
    report
}

impl DayReport {
    fn new(options: DayOptions) -> Self {
        Self {
            options,
            lines: Vec::new(),
            growth: Vec::new(),
            flows: 0,
            assertions: 0,
            refused: 0,
            errors: 0,
            first_error: None,
        }
    }

    /// Whether every answer was right, and there was one to each kind of request.
    fn is_sound(&self) -> bool {
        self.errors == 0 && self.flows > 0 && self.assertions > 0
    }

    fn print(&self) {
        size::print_verdicts(&self.growth);
        println!(
            "\n{} sign-ins with all that follows, {} client assertions, {} refused",
            self.flows, self.assertions, self.refused
        );
        match &self.first_error {
            Some(error) => println!("\nWRONG: {} errors; the first:\n{error}", self.errors),
            None if !self.is_sound() => println!("\nWRONG: nobody has signed in, or no client"),
            None => {}
        }
    }

    fn count(&mut self, [people, assertions]: &[Outcome; 2]) {
        self.flows += people.answers;
        self.assertions += assertions.answers;
        for outcome in [people, assertions] {
            self.refused += outcome.refused;
            self.errors += outcome.errors;
            self.first_error = self.first_error.take().or_else(|| outcome.first_error.clone());
        }
    }
}

/// What happens each time.
struct Traffic {
    population: Arc<Population>,
    newcomers: Supply<Newcomer>,
    people: Vec<Source>,
    due: Supply<()>,
    assertions: Vec<Source>,
}

impl Traffic {
    fn new(site: &Site, population: Arc<Population>, clock: &Clock) -> Self {
        let (newcomers, due) = (Supply::new(), Supply::new());
        let person = |_| Box::new(Person::new(Arc::clone(&population), newcomers.clone())) as Source;
        let people = (0..4 * site.server_cores.count()).map(person).collect();
        let assertions = Assertions::register(site, clock, &due, 4);
        let assertions = assertions.into_iter().map(|one| Box::new(one) as Source).collect();
        Self { population, newcomers, people, due, assertions }
    }

    /// Both kinds of traffic, until all of it is answered.
    async fn burst(&mut self, site: &Site, people: u64, assertions: u64) -> [Outcome; 2] {
        self.newcomers.add(self.population.newcomers(people).await);
        self.due.add((0..assertions).map(|_| ()));
        let target = site.target();
        std::thread::scope(|scope| {
            let people = scope.spawn(|| load::all(target, &mut self.people));
            let assertions = load::all(target, &mut self.assertions);
            [people.join().expect("the load does not panic"), assertions]
        })
    }
}
