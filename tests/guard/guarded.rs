//! The server whose requests are counted: the real one in its usual configuration, with one worker.

use std::fs::File;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::allocations::Allocations;
use super::connection::Connection;
use super::cost::Cost;
use super::harness::{MASTER_KEY, Server, free_port};
use super::instructions::Instructions;
use super::requests::{Kind, WARMING_UP};

/// How long the server may take to start, which takes its time under Valgrind.
const PATIENCE: Duration = Duration::from_secs(120);

/// Requests whose instructions are counted in one go: the order to count takes longer than they do.
const TOGETHER: usize = 8;

pub struct Guarded {
    process: Child,
    address: SocketAddr,
    counter: Counter,
    state: tempfile::TempDir,
}

enum Counter {
    Allocations(Allocations),
    Instructions(Instructions),
}

impl Guarded {
    /// One more process of `server`'s installation.
    pub fn start(cost: Cost, server: &Server) -> Self {
        let state = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = match cost {
            Cost::Allocations => Command::new(std::env::current_exe().unwrap()),
            Cost::Instructions => Instructions::command(state.path()),
        };
        let mut process = command
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .env("DATABASE_URL", server.database.url())
            .env("GRANTOR_ISSUER", &server.issuer)
            .env("GRANTOR_MASTER_KEY", MASTER_KEY)
            .env("GRANTOR_STATE_DIR", state.path())
            .env("GRANTOR_SERVER_METRICS_LISTEN", "127.0.0.1:0")
            .env("GRANTOR_SERVER_WORKERS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(state.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let counter = match cost {
            Cost::Allocations => Counter::Allocations(Allocations::of(&mut process)),
            Cost::Instructions => Counter::Instructions(Instructions::of(&process, state.path())),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut guarded = Self { process, address, counter, state };
        guarded.wait_until_it_listens();
        guarded
    }

    fn wait_until_it_listens(&mut self) {
        let started = Instant::now();
        while std::net::TcpStream::connect(self.address).is_err() {
            let ended = self.process.try_wait().unwrap();
            assert!(
                ended.is_none() && started.elapsed() < PATIENCE,
                "the server did not start:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.state.path().join("log")).unwrap()
    }

    /// What one request of this kind costs.
    pub fn cost_of(&mut self, kind: &Kind) -> u64 {
        let mut connection = Connection::open(self.address);
        let (warming_up, counted) = kind.requests.split_at(WARMING_UP);
        let mut exchange = |request: &Vec<u8>| connection.exchange(request, kind.status);
        warming_up.iter().for_each(&mut exchange);
        let counts = match &mut self.counter {
            Counter::Allocations(allocations) => {
                counted.iter().map(|request| allocations.during(|| exchange(request))).collect()
            }
            Counter::Instructions(instructions) => {
                let mean = |some: &[Vec<u8>]| {
                    instructions.during(kind.name, || some.iter().for_each(&mut exchange)) / some.len() as u64
                };
                counted.chunks(TOGETHER).map(mean).collect()
            }
        };
        lower_quartile(counts)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Now and then something else in the process costs too, and nothing ever costs less.
fn lower_quartile(mut counts: Vec<u64>) -> u64 {
    counts.sort_unstable();
    counts[counts.len() / 4]
}
