//! A server under measurement: Grantor, or one that shows a limit.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use grantor::secret::random_bytes;

use super::cores::Cores;
use super::load::request;

/// How long a server may take to its first answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server's process. It is killed with this value.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to its first 200.
    pub started_in: Duration,
}

impl Process {
    /// Starts what will listen at this address on these cores, and waits until it answers a GET of this path with 200.
    pub fn start(command: &mut Command, cores: &Cores, address: SocketAddr, path: &str) -> Self {
        let begun = Instant::now();
        let child = cores
            .spawn(command.stdin(Stdio::null()).stdout(Stdio::null()))
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", command.get_program().display()));
        let mut process = Self { child, address, started_in: Duration::ZERO };
        let asked = request::get(&address.to_string(), path, &[("Connection", "close")]);
        while !is_answered(address, &asked) {
            let ended = process.child.try_wait().expect("it can be asked for");
            assert!(ended.is_none(), "the server has ended at its start: {ended:?}");
            assert!(begun.elapsed() < PATIENCE, "the server does not become ready");
            std::thread::sleep(Duration::from_millis(1));
        }
        process.started_in = begun.elapsed();
        process
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time so far, in user and system mode.
    pub fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("it runs");
        // After the name, which may hold anything, in brackets.
        let fields: Vec<&str> = stat.rsplit_once(')').expect("it has a name").1.split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
        Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Memory in KiB: `VmRSS` now, `VmHWM` at its peak.
    pub fn memory_kib(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let number = value.and_then(|value| value.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).expect("the kernel says so")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A free port of this machine, below those that the system gives to connections.
pub fn free_address() -> SocketAddr {
    let candidate =
        || SocketAddr::from(([127, 0, 0, 1], 20_000 + u16::from_be_bytes(random_bytes()) % 12_000));
    std::iter::repeat_with(candidate)
        .take(100)
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("one of a hundred ports is free")
}

fn is_answered(address: SocketAddr, request: &[u8]) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(request)?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok::<_, std::io::Error>(status.ends_with(b"200"))
    };
    ask().unwrap_or(false)
}
