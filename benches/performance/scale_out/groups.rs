//! Processes that serve together.

use std::time::Duration;

use grantor::web::server::{JOB_CONNECTIONS, LEAST_CONNECTIONS_PER_WORKER};

use crate::load::{self, Outcome, Target};
use crate::process::{Process, free_address};
use crate::rows::Source;
use crate::site::Site;

/// Some processes on the cores of one, with the workers and the connections that one would have.
pub struct Group {
    processes: Vec<Process>,
}

impl Group {
    /// Starts so many, with these settings beyond the usual ones.
    pub fn start(site: &Site, count: usize, settings: &[(&str, &str)]) -> Self {
        let workers = (site.server_cores.count() / count).max(1).to_string();
        let share = site.request_connections().div_ceil(count as u32).max(LEAST_CONNECTIONS_PER_WORKER);
        let connections = (share + JOB_CONNECTIONS).to_string();
        let start = |_| {
            let address = free_address();
            let mut command = site.command(&["serve", "--listen", &address.to_string()]);
            command
                .env("GRANTOR_SERVER_WORKERS", &workers)
                .env("GRANTOR_DATABASE_MAX_CONNECTIONS", &connections)
                .envs(settings.iter().copied());
            Process::start(&mut command, &site.server_cores, address, "/health/ready")
        };
        Self { processes: (0..count).map(start).collect() }
    }

    /// A closed loop over all of them, each with its share of the connections.
    pub fn load(&self, site: &Site, sources: &mut [Source], duration: Duration) -> Outcome {
        let share = sources.len().div_ceil(self.processes.len());
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let start = |(process, sources): (&Process, &'_ mut [Source])| {
                let target = Target { address: process.address, cores: &site.other_cores };
                load::closed(target, sources, duration)
            };
            let running: Vec<_> = self
                .processes
                .iter()
                .zip(sources.chunks_mut(share))
                .map(|one| scope.spawn(move || start(one)))
                .collect();
            running.into_iter().map(|one| one.join().expect("no load panics")).collect()
        });
        let sum = outcomes.into_iter().reduce(|mut sum, outcome| {
            sum.add(outcome);
            sum
        });
        sum.expect("there is a process")
    }

    /// Processor time of all of them.
    pub fn cpu_time(&self) -> Duration {
        self.processes.iter().map(Process::cpu_time).sum()
    }
}
