//! A day of traffic in minutes, and two months after it: the clock of servers and database is moved, and each time there
//! is a moment of real traffic. What was written is bounded if it stops growing when as much expires as comes.

mod assertions;
mod clock;
mod person;
mod size;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::load::{self, Outcome};
use super::options::{Scale, target};
use super::population::Population;
use super::rows::Source;
use super::rows::sources::Supply;
use super::site::{Site, SiteOptions};
use assertions::Assertions;
use clock::Clock;
use person::Person;
use size::Sizes;

const HOUR: i64 = 3_600;

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
    #[arg(long, default_value_t = 10)]
    minutes: i64,
    /// Days after it, by each of which the clock moves at once
    #[arg(long, default_value_t = 70)]
    days: i64,
    /// Seconds of traffic each time
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Some hours and days, for a moment each
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
    flows: u64,
    assertions: u64,
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
        (options.hours, options.minutes, options.days, options.seconds) = (2, 60, 3, 0.3);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let report = runtime.block_on(run(options, clock));
    let file = report.options.json.clone().unwrap_or_else(|| target().join("day.json"));
    std::fs::write(&file, serde_json::to_vec_pretty(&report).expect("figures are JSON"))
        .expect("the figures can be written");
    println!("\n{} sign-ins with all that follows, {} client assertions", report.flows, report.assertions);
    println!("JSON: {}", file.display());
    match &report.first_error {
        None => ExitCode::SUCCESS,
        Some(error) => {
            println!("\nWRONG: {} errors; the first:\n{error}", report.errors);
            ExitCode::FAILURE
        }
    }
}

async fn run(options: DayOptions, clock: Clock) -> DayReport {
    let directory = tempfile::Builder::new().prefix("day-").tempdir_in(target()).expect("a directory");
    let settings = LIFETIMES.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut site = Site::start(SiteOptions {
        binary: options.binary.clone(),
        directory: directory.path().to_owned(),
        servers: 0,
        settings: settings.into_iter().chain(clock.variables()).collect(),
    })
    .await;
    let population = Arc::new(Population::seed(&site, Scale::Small.size()).await);
    site.serve(1);
    let mut traffic = Traffic::new(&site, population, &clock);
    let mut report =
        DayReport { options, lines: Vec::new(), flows: 0, assertions: 0, errors: 0, first_error: None };
    let (hours, minutes, days) = (report.options.hours, report.options.minutes, report.options.days);
    size::print_head();
    let steps = (1..=hours * 60 / minutes).map(|step| step * minutes * 60);
    let later = (1..=days).map(|day| hours * HOUR + day * 24 * HOUR);
    for now in steps.chain(later) {
        clock.set(now);
        tokio::time::sleep(JOBS).await;
        let outcomes = traffic.burst(&site, report.options.seconds).await;
        report.count(&outcomes);
        if now % HOUR == 0 {
            let sizes = Sizes::look(&mut site.connect().await).await;
            let line = Line { hour: now / HOUR, flows: report.flows, assertions: report.assertions, sizes };
            size::print(&line);
            report.lines.push(line);
        }
    }
    report
}

impl DayReport {
    fn count(&mut self, [people, assertions]: &[Outcome; 2]) {
        self.flows += people.answers;
        self.assertions += assertions.answers;
        for outcome in [people, assertions] {
            self.errors += outcome.errors;
            self.first_error = self.first_error.take().or_else(|| outcome.first_error.clone());
        }
    }
}

/// What happens each time.
struct Traffic {
    population: Arc<Population>,
    newcomers: Supply<super::population::Newcomer>,
    people: Vec<Source>,
    assertions: Vec<Source>,
}

/// More people than these do not sign in in a second.
const PEOPLE: f64 = 300.0;

impl Traffic {
    fn new(site: &Site, population: Arc<Population>, clock: &Clock) -> Self {
        let newcomers = Supply::new();
        let person = |_| Box::new(Person::new(Arc::clone(&population), newcomers.clone())) as Source;
        let people = (0..4 * site.server_cores.count()).map(person).collect();
        let assertions = Assertions::register(site, clock, 4);
        let assertions = assertions.into_iter().map(|one| Box::new(one) as Source).collect();
        Self { population, newcomers, people, assertions }
    }

    /// Both kinds of traffic for so long.
    async fn burst(&mut self, site: &Site, seconds: f64) -> [Outcome; 2] {
        let missing = self.newcomers.missing((PEOPLE * seconds) as u64 + 50);
        if missing > 0 {
            self.newcomers.add(self.population.newcomers(missing).await);
        }
        let (target, duration) = (site.target(), Duration::from_secs_f64(seconds));
        std::thread::scope(|scope| {
            let people = scope.spawn(|| load::closed(target, &mut self.people, duration));
            let assertions = load::closed(target, &mut self.assertions, duration);
            [people.join().expect("the load does not panic"), assertions]
        })
    }
}
