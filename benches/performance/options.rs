//! The command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use grantor::secret::sha256;
use serde::Serialize;

use super::population::Size;

/// Measures Grantor against the limits of this machine, by turns.
#[derive(Debug, Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub hidden: Option<Hidden>,
    #[command(flatten)]
    pub options: Options,
    /// What cargo adds
    #[arg(long, hide = true, global = true)]
    pub bench: bool,
}

/// What the bench starts of itself.
#[derive(Debug, Subcommand)]
pub enum Hidden {
    /// A server that shows a limit
    #[command(hide = true)]
    LimitServer(crate::limits::http::ServerOptions),
    /// The same work over more and more rows, what is written for it, and cleanup under load
    Growth(crate::growth::GrowthOptions),
    /// A day of traffic, and two months after it, by a clock that is moved
    Day(crate::day::DayOptions),
}

/// What to measure, and how.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Options {
    /// Rows to measure; all if none is named
    pub rows: Vec<String>,
    /// Every row for a moment, with a tiny population
    #[arg(long)]
    pub smoke: bool,
    /// Rounds of each row, whose median counts
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Seconds of each turn
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
    /// Connections
    #[arg(long, default_value_t = 32)]
    pub connections: usize,
    /// Who is there
    #[arg(long, value_enum, default_value_t = Scale::Full)]
    pub population: Scale,
    /// Other servers, by turns with Grantor, in place of the limits
    #[arg(long)]
    pub peers: bool,
    /// Without latencies at fixed rates
    #[arg(long)]
    pub no_rates: bool,
    /// The binary to measure
    #[arg(long, default_value = env!("CARGO_BIN_EXE_grantor"))]
    pub binary: PathBuf,
    /// Where to write the figures as JSON [default: performance.json or peers.json in target/bench]
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Where the cluster lies and stays [default: below target/bench, by population and schema]
    #[arg(long)]
    pub keep: Option<PathBuf>,
}

/// How large the population is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// 1,000 users, 40 clients, 40,000 live refresh tokens
    Tiny,
    /// 100,000 users, 1,000 clients, 1,000,000 live refresh tokens
    Small,
    /// 1,000,000 users, 10,000 clients, 10,000,000 live refresh tokens
    Full,
}

impl Scale {
    pub fn size(self) -> Size {
        match self {
            Self::Tiny => Size { users: 1_000, clients: 40, grants: 40_000 },
            Self::Small => Size { users: 100_000, clients: 1_000, grants: 1_000_000 },
            Self::Full => Size { users: 1_000_000, clients: 10_000, grants: 10_000_000 },
        }
    }
}

impl Options {
    /// A smoke test is short, whatever else is asked for.
    pub fn settled(mut self) -> Self {
        if self.smoke {
            self.rounds = 1;
            self.seconds = 0.3;
            self.population = Scale::Tiny;
        }
        self
    }

    /// Where the cluster lies and stays, if it does: another population or schema has another.
    pub fn directory(&self) -> Option<PathBuf> {
        let kept = || (!self.smoke).then(|| directory_of(self.population.size()));
        self.keep.clone().or_else(kept)
    }

    /// How long each turn is.
    pub fn turn(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    pub fn json(&self) -> PathBuf {
        let name = if self.peers { "peers.json" } else { "performance.json" };
        self.json.clone().unwrap_or_else(|| target().join(name))
    }
}

/// Where the cluster of a population lies.
pub fn directory_of(Size { users, clients, grants }: Size) -> PathBuf {
    target().join(format!("{users}-{clients}-{grants}-{}", schema()))
}

/// `bench` in cargo's target directory.
pub fn target() -> PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().unwrap_or(tmp).join("bench")
}

/// A name for what the migrations make.
fn schema() -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("the migrations are there")
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    let contents: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).expect("a migration")).collect();
    sha256(&contents)[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}
