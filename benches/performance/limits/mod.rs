//! What the machine, the libraries and the database can do without Grantor.

pub mod http;
pub mod password_hash;
pub mod pgbench;
pub mod signature;

use std::time::{Duration, Instant};

use super::cores::{Cores, thread_cpu_time};

/// What a limit has reached in one turn.
#[derive(Debug, Clone, Copy)]
pub struct Reached {
    pub per_second: f64,
    /// Processor time for each on the server's cores.
    pub cpu_micros: Option<f64>,
}

/// Does the same work again and again, on each of these cores at once.
fn on_each_core<W: FnMut()>(cores: &Cores, duration: Duration, worker: impl Fn() -> W + Sync) -> Reached {
    let run = || {
        cores.confine_this_thread();
        let mut work = worker();
        work();
        let (begun, cpu_before, mut done) = (Instant::now(), thread_cpu_time(), 0_u64);
        while begun.elapsed() < duration {
            work();
            done += 1;
        }
        (done as f64 / begun.elapsed().as_secs_f64(), done, thread_cpu_time() - cpu_before)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..cores.count()).map(|_| scope.spawn(run)).collect();
        running.into_iter().map(|thread| thread.join().expect("no worker panics")).collect()
    });
    let done: u64 = results.iter().map(|(_, done, _)| done).sum();
    let cpu: Duration = results.iter().map(|(_, _, cpu)| *cpu).sum();
    Reached {
        per_second: results.iter().map(|(rate, ..)| rate).sum(),
        cpu_micros: Some(cpu.as_secs_f64() * 1e6 / done as f64),
    }
}
