//! What is measured: an endpoint, against what limits it.

pub mod access_tokens;
pub mod browser;
mod client_credentials;
pub mod code;
mod documents;
pub mod footprint;
mod presented;
pub mod refresh;
mod sign_in;
pub mod sources;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use super::limits::pgbench::PgBench;
use super::limits::signature::Signatures;
use super::limits::{Reached, password_hash};
use super::load::{self, RequestSource, Target};
use super::options::Options;
use super::population::Population;
use super::process::Process;
use super::site::Site;

/// One connection's requests.
pub type Source = Box<dyn RequestSource>;

/// Everything that rows share.
pub struct Stage {
    pub site: Site,
    pub population: Arc<Population>,
    pub signatures: Signatures,
    pub options: Options,
}

/// A line of the table.
pub struct Row {
    pub name: &'static str,
    /// What limits it, in words.
    pub limit: &'static str,
    /// Which share of the limit is wanted.
    pub goal: f64,
    pub prepare: for<'a> fn(&'a Stage) -> LocalBoxFuture<'a, Contest>,
}

/// A row that is ready to be measured.
pub struct Contest {
    /// What Grantor is asked, by each connection.
    pub sources: Vec<Source>,
    /// Makes what so many units of work use up, and how many a second nobody has seen.
    pub refill: Option<(Refill, u32)>,
    pub limits: Limits,
}

/// Called before each turn with the number of units of work that may come.
pub type Refill = Box<dyn Fn(u64) -> LocalBoxFuture<'static, ()>>;

/// What a row is held against: several limits that make one.
pub enum Limits {
    /// Each is reached by itself, and the lowest counts.
    Lowest(Vec<Limit>),
    /// A unit of work takes the time of all of them. Units of work overlap, so that less than the lowest is no law of
    /// nature.
    Sum(Vec<Limit>),
}

/// A limit that is measured.
pub enum Limit {
    /// So many signatures for each answer.
    Signatures(u32),
    /// One password hash for each answer.
    Hashes,
    /// The statements of each answer.
    Statements(PgBench),
    /// Another server on the same cores.
    Server { process: Process, sources: Vec<Source> },
}

/// Units of work at hand beyond those that are expected.
const SPARE: u64 = 100;

/// All rows, in the order of the table.
pub const ROWS: &[Row] = &[
    client_credentials::ROW,
    code::ROW,
    refresh::ROW,
    refresh::WITH_ID_TOKEN,
    presented::INTROSPECT,
    presented::USERINFO,
    documents::JWKS,
    documents::METADATA,
    sign_in::ROW,
];

impl Stage {
    /// A source for each connection.
    pub fn sources<S: RequestSource + 'static>(&self, make: impl Fn(u64) -> S) -> Vec<Source> {
        (0..self.options.connections as u64).map(|number| Box::new(make(number)) as Source).collect()
    }
}

impl Contest {
    /// Makes what this time uses up at this rate, if that is known.
    pub async fn refill(&self, duration: Duration, rate: Option<f64>) {
        if let Some((refill, most)) = &self.refill {
            let rate = rate.unwrap_or(f64::from(*most));
            refill((rate * duration.as_secs_f64()) as u64 + SPARE).await;
        }
    }
}

impl Limits {
    /// For what is held against something else.
    pub fn none() -> Self {
        Self::Lowest(Vec::new())
    }

    pub fn each(&mut self) -> &mut [Limit] {
        let (Self::Lowest(limits) | Self::Sum(limits)) = self;
        limits
    }

    /// What they have reached in one turn, as one.
    pub fn combined(&self, reached: &[Reached]) -> Reached {
        let lowest = reached.iter().min_by(|one, other| one.per_second.total_cmp(&other.per_second));
        let lowest = *lowest.expect("each row has a limit");
        match self {
            Self::Lowest(_) => lowest,
            Self::Sum(_) => {
                let seconds: f64 = reached.iter().map(|one| 1.0 / one.per_second).sum();
                Reached { per_second: 1.0 / seconds, ..lowest }
            }
        }
    }
}

impl Limit {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Signatures(_) => "signatures",
            Self::Hashes => "password hashes",
            Self::Statements(_) => "statements",
            Self::Server { .. } => "server",
        }
    }

    /// One turn.
    pub async fn measure(&mut self, stage: &Stage, duration: Duration) -> Reached {
        let cores = &stage.site.server_cores;
        match self {
            Self::Signatures(each) => {
                let each = f64::from(*each);
                let Reached { per_second, cpu_micros } = stage.signatures.measure(cores, duration);
                Reached { per_second: per_second / each, cpu_micros: cpu_micros.map(|micros| micros * each) }
            }
            Self::Hashes => password_hash::measure(cores, duration),
            Self::Statements(pgbench) => {
                let Stage { site, population, options, .. } = stage;
                let rate = pgbench.measure(site, population, options.connections as u64, duration).await;
                Reached { per_second: rate.per_second, cpu_micros: None }
            }
            Self::Server { process, sources } => {
                let target = Target { address: process.address, cores: &stage.site.other_cores };
                let before = process.cpu_time();
                let outcome = load::closed(target, sources, duration);
                let cpu = process.cpu_time() - before;
                assert!(outcome.errors == 0, "the limit fails: {}", outcome.first_error.unwrap_or_default());
                let cpu_micros = Some(cpu.as_secs_f64() * 1e6 / outcome.answers as f64);
                Reached { per_second: outcome.per_second(), cpu_micros }
            }
        }
    }
}
