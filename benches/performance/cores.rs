//! Which cores belong to whom: the first half to the servers, the rest to PostgreSQL and the load.

use std::process::{Child, Command};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// Some cores.
#[derive(Debug, Clone)]
pub struct Cores(Vec<usize>);

/// Ticks.
#[derive(Debug, Clone, Copy, Default)]
pub struct CoreTime {
    busy: u64,
    idle: u64,
}

impl CoreTime {
    /// The share of the time since then in which the cores worked.
    pub fn busy_since(self, before: Self) -> f64 {
        let (busy, idle) = (self.busy - before.busy, self.idle.saturating_sub(before.idle));
        busy as f64 / (busy + idle).max(1) as f64
    }
}

impl Cores {
    /// Those that this process was given, in two halves: for servers, and for load and database. A machine with one
    /// core has the same one twice.
    pub fn halves() -> (Self, Self) {
        // Once: a thread that is confined to its half would halve that again.
        static HALVES: OnceLock<(Cores, Cores)> = OnceLock::new();
        HALVES.get_or_init(Self::halve).clone()
    }

    fn halve() -> (Self, Self) {
        let allowed = sched_getaffinity(None).expect("the system says on which cores this runs");
        let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        if all.len() < 2 {
            return (Self(all.clone()), Self(all));
        }
        let (first, second) = all.split_at(all.len() / 2);
        (Self(first.to_vec()), Self(second.to_vec()))
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// As `taskset` writes them.
    pub fn list(&self) -> String {
        self.0.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
    }

    /// This thread, and what it starts from now on, runs on these alone.
    pub fn confine_this_thread(&self) {
        sched_setaffinity(None, &self.set()).expect("the cores exist");
    }

    /// How long each of them has worked and rested so far, in all, whoever they worked for.
    pub fn clock(&self) -> CoreTime {
        let stat = std::fs::read_to_string("/proc/stat").expect("the kernel says so");
        let of_core = |line: &str| {
            let (core, times) = line.strip_prefix("cpu")?.split_once(' ')?;
            let times: Vec<u64> = times.split_whitespace().filter_map(|time| time.parse().ok()).collect();
            // user, nice, system, idle, iowait, irq, softirq
            self.0.contains(&core.parse().ok()?).then(|| CoreTime {
                busy: times[..3].iter().chain(&times[5..7]).sum(),
                idle: times[3..5].iter().sum(),
            })
        };
        stat.lines().filter_map(of_core).fold(CoreTime::default(), |sum, core| CoreTime {
            busy: sum.busy + core.busy,
            idle: sum.idle + core.idle,
        })
    }

    fn set(&self) -> CpuSet {
        let mut set = CpuSet::new();
        self.0.iter().for_each(|core| set.set(*core));
        set
    }

    /// Starts a process on these.
    pub fn spawn(&self, command: &mut Command) -> std::io::Result<Child> {
        // A process inherits the cores of the thread that starts it.
        std::thread::scope(|scope| {
            let starting = scope.spawn(|| {
                self.confine_this_thread();
                command.spawn()
            });
            starting.join().expect("starting a process does not panic")
        })
    }
}

/// Processor time of this thread so far.
pub fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
