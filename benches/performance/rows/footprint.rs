//! Memory and the start, of a process of its own that begins with nothing; and the size of the binary.

use std::fs;
use std::time::Duration;

use serde::Serialize;

use super::{ROWS, Stage};
use crate::load::{self, Target};
use crate::measure::median;
use crate::process::Process;

pub const NAME: &str = "footprint";

/// What is asked of the process before anybody signs in.
const PROGRAMS: [&str; 6] = ["client_credentials", "code", "refresh", "introspect", "userinfo", "jwks"];
const SIGN_IN: &str = "sign_in";

/// Starts, whose median counts.
const STARTS: usize = 5;

/// Memory in KiB.
#[derive(Debug, Clone, Serialize)]
pub struct Footprint {
    /// Seconds from the start of the process to its first 200.
    pub start_seconds: f64,
    pub idle_kib: u64,
    /// The highest under the load of all endpoints for programs.
    pub peak_kib: u64,
    /// The highest when people have signed in too.
    pub peak_with_sign_ins_kib: u64,
    pub hashing_threads: u64,
    pub binary_bytes: u64,
    /// The first answer that was wrong.
    pub error: Option<String>,
}

impl Footprint {
    pub const START_GOAL: f64 = 0.3;
    const KIB_WITHOUT_SIGN_INS: u64 = 30 * 1000 * 1000 / 1024;
    const KIB_OF_A_HASHING_THREAD: u64 = 20 * 1024;

    /// How much there may be without sign-ins, and with them.
    pub fn goals(&self) -> (u64, u64) {
        let without = Self::KIB_WITHOUT_SIGN_INS;
        (without, without + self.hashing_threads * Self::KIB_OF_A_HASHING_THREAD)
    }
}

pub async fn measure(stage: &Stage) -> Footprint {
    let starts = (0..if stage.options.smoke { 1 } else { STARTS })
        .map(|_| stage.site.spawn().started_in.as_secs_f64());
    let start_seconds = median(starts.collect::<Vec<_>>());
    let process = stage.site.spawn();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut footprint = Footprint {
        start_seconds,
        idle_kib: process.memory_kib("VmRSS"),
        peak_kib: 0,
        peak_with_sign_ins_kib: 0,
        hashing_threads: stage.site.server_cores.count() as u64,
        binary_bytes: fs::metadata(stage.site.binary()).map_or(0, |file| file.len()),
        error: None,
    };
    for name in PROGRAMS {
        footprint.error = footprint.error.or(load(stage, &process, name).await);
    }
    footprint.peak_kib = process.memory_kib("VmHWM");
    footprint.error = footprint.error.or(load(stage, &process, SIGN_IN).await);
    footprint.peak_with_sign_ins_kib = process.memory_kib("VmHWM");
    footprint
}

/// A row's load for this process; what went wrong.
async fn load(stage: &Stage, process: &Process, name: &str) -> Option<String> {
    let row = ROWS.iter().find(|row| row.name == name)?;
    let mut contest = (row.prepare)(stage).await;
    let turn = Duration::from_secs_f64(stage.options.seconds);
    contest.refill(turn, None).await;
    let target = Target { address: process.address, cores: &stage.site.other_cores };
    load::closed(target, &mut contest.sources, turn).first_error
}
