//! The load generator: keep-alive connections over HTTP/1.1, one event loop for each of its cores.
//!
//! It shares its cores with PostgreSQL, and so does next to nothing for each request: bytes are written as they come
//! from the [`RequestSource`], and of an answer only status and length are read.

mod connection;
mod event_loop;
mod pace;
pub mod request;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::cores::{Cores, thread_cpu_time};
use event_loop::EventLoop;
use pace::Pace;

/// What one connection asks for.
pub trait RequestSource: Send {
    /// Appends the bytes of the next request. `false`: there is nothing left to ask for.
    fn next(&mut self, request: &mut Vec<u8>) -> bool;

    /// Sees the answer to it.
    fn answered(&mut self, answer: &Answer<'_>) -> Progress;
}

impl<S: RequestSource + ?Sized> RequestSource for Box<S> {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        (**self).next(request)
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        (**self).answered(answer)
    }
}

/// What an answer means to who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A unit of work is done, and counts.
    Done,
    /// The unit of work needs another request.
    More,
    /// Nothing of the kind was expected.
    Wrong,
}

/// An answer as far as it is understood.
pub struct Answer<'a> {
    pub status: u16,
    /// From the status line on, with the empty line.
    pub head: &'a [u8],
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The value of the first header field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        connection::field(self.head, name.as_bytes()).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Whether the server is too busy, and says when to come again.
    fn is_refusal(&self) -> bool {
        self.status == 503 && self.header("retry-after").is_some()
    }

    /// Done where the status is this one.
    pub fn expect(&self, status: u16) -> Progress {
        if self.status == status { Progress::Done } else { Progress::Wrong }
    }
}

/// What came of a load.
pub struct Outcome {
    /// Units of work that were done in time.
    pub answers: u64,
    pub errors: u64,
    /// Units of work that the server sent away, because it has more to do than it can.
    pub refused: u64,
    /// The first answer that was not expected, or what happened instead of one.
    pub first_error: Option<String>,
    pub elapsed: Duration,
    /// Processor time of the load itself.
    pub cpu: Duration,
    /// Connections that had nothing left to ask for.
    pub exhausted: usize,
    /// Microseconds from when a unit was due to when it was done.
    pub histogram: Histogram<u64>,
}

impl Outcome {
    fn nothing() -> Self {
        // Two digits are more than two runs have in common; a minute is beyond every timeout.
        let mut histogram = Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are sound");
        histogram.auto(true);
        Self {
            answers: 0,
            errors: 0,
            refused: 0,
            first_error: None,
            elapsed: Duration::ZERO,
            cpu: Duration::ZERO,
            exhausted: 0,
            histogram,
        }
    }

    pub fn per_second(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64()
    }

    pub fn add(&mut self, other: Self) {
        self.answers += other.answers;
        self.errors += other.errors;
        self.refused += other.refused;
        self.exhausted += other.exhausted;
        self.cpu += other.cpu;
        self.first_error = self.first_error.take().or(other.first_error);
        self.elapsed = self.elapsed.max(other.elapsed);
        self.histogram.add(other.histogram).expect("the bounds are the same");
    }
}

/// Who is asked, and by which cores.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub address: SocketAddr,
    pub cores: &'a Cores,
}

/// Each source has a connection of its own and asks again as soon as it has its answer. The sources go on where they
/// are, so that another load may follow with them.
pub fn closed<S: RequestSource>(target: Target<'_>, sources: &mut [S], duration: Duration) -> Outcome {
    endless(run(target, sources, duration, |_, begin| Pace::closed(begin + duration)))
}

/// Until each source has nothing left to ask for.
pub fn all<S: RequestSource>(target: Target<'_>, sources: &mut [S]) -> Outcome {
    let for_ever = Duration::from_secs(3_600);
    run(target, sources, for_ever, |_, begin| Pace::closed(begin + for_ever))
}

/// Units of work are due at this rate, whatever becomes of those before; where all connections are busy, one waits for
/// the next that is free, and its latency counts from when it was due.
pub fn fixed_rate<S: RequestSource>(
    target: Target<'_>,
    sources: &mut [S],
    rate: f64,
    duration: Duration,
) -> Outcome {
    let loops = loops(target, sources.len());
    endless(run(target, sources, duration, |number, begin| {
        let first = begin + Duration::from_secs_f64(number as f64 / rate);
        Pace::fixed(first, rate / loops as f64, begin + duration)
    }))
}

/// Fewer connections than there should be are no measurement.
fn endless(mut outcome: Outcome) -> Outcome {
    if outcome.exhausted > 0 {
        outcome.errors += outcome.exhausted as u64;
        outcome.first_error.get_or_insert_with(|| "a connection had nothing left to ask for".to_owned());
    }
    outcome
}

fn loops(target: Target<'_>, connections: usize) -> usize {
    target.cores.count().min(connections)
}

fn run<S: RequestSource>(
    target: Target<'_>,
    sources: &mut [S],
    duration: Duration,
    pace: impl Fn(usize, Instant) -> Pace,
) -> Outcome {
    let share = sources.len().div_ceil(loops(target, sources.len()));
    let mut outcome = Outcome::nothing();
    let mut event_loops: Vec<_> =
        sources.chunks_mut(share).map(|some| EventLoop::connect(target.address, some)).collect();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let running: Vec<_> = event_loops
            .iter_mut()
            .enumerate()
            .map(|(number, event_loop)| {
                let pace = pace(number, begin);
                scope.spawn(move || {
                    target.cores.confine_this_thread();
                    let outcome = event_loop.run(pace);
                    Outcome { cpu: thread_cpu_time(), ..outcome }
                })
            })
            .collect();
        for one in running {
            outcome.add(one.join().expect("no event loop panics"));
        }
    });
    // What came after the end does not count, and what came before it came in this time.
    outcome.elapsed = duration;
    outcome
}
