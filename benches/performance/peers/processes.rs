//! A server of several processes.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::process::Process;

/// A process and what it has started. They end with this value.
pub struct Processes(Process);

impl Processes {
    pub fn new(first: Process) -> Self {
        Self(first)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Seconds to the first answer.
    pub fn started_in(&self) -> f64 {
        self.0.started_in.as_secs_f64()
    }

    /// Processor time so far of all that run.
    pub fn cpu_time(&self) -> Duration {
        let ticks: u64 = self.ids().into_iter().map(ticks).sum();
        Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Memory, in which pages that some of them share count once.
    pub fn memory_mib(&self) -> f64 {
        self.ids().into_iter().map(proportional_kib).sum::<u64>() as f64 / 1024.0
    }

    /// The first one comes first.
    fn ids(&self) -> Vec<u32> {
        let mut ids = vec![self.0.id()];
        let mut next = 0;
        while let Some(&id) = ids.get(next) {
            ids.extend(children(id));
            next += 1;
        }
        ids
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // The first is killed before the others, so that it starts no new ones. It keeps its number until it is waited
        // for, which its own value does.
        for id in self.ids() {
            if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// Of all its threads.
fn children(id: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// In user and system mode; none for a process that has ended.
fn ticks(id: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// Its own memory and its share of what it shares.
pub fn proportional_kib(id: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|value| value.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
