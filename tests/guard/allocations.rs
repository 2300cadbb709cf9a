//! Counting allocations: the server counts its own, and says how many there were when a line comes on standard input.

use std::alloc::System;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::time::Duration;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MARK: &str = "allocations so far: ";

/// What is done for a request after its answer is out, such as taking back a connection, is done by then.
const AFTERWORK: Duration = Duration::from_millis(4);

/// In the server: answers each line with the allocations since the start.
pub fn answer_on_standard_input() {
    std::thread::spawn(|| {
        for _ in std::io::stdin().lines() {
            let stats = ALLOCATOR.stats();
            println!("{MARK}{}", stats.allocations + stats.reallocations);
        }
    });
}

/// The server's count, as the guard reads it.
pub struct Allocations {
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Allocations {
    pub fn of(process: &mut Child) -> Self {
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { ask: process.stdin.take().unwrap(), answers }
    }

    /// The server's allocations while this is done.
    pub fn during(&mut self, work: impl FnOnce()) -> u64 {
        let before = self.so_far();
        // What asking has cost is in what is told the next time.
        let asking = self.so_far() - before;
        let before = before + asking;
        work();
        std::thread::sleep(AFTERWORK);
        self.so_far() - before - asking
    }

    fn so_far(&mut self) -> u64 {
        self.ask.write_all(b"\n").unwrap();
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "the server has ended");
            if let Some(count) = line.strip_prefix(MARK) {
                return count.trim().parse().unwrap();
            }
        }
    }
}
