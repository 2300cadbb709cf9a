//! Some connections on one core.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use super::connection::{Connection, Event};
use super::pace::Pace;
use super::{Answer, Outcome, Progress, RequestSource};

/// An answer that takes longer will not come.
const PATIENCE: Duration = Duration::from_secs(30);

const TIMER: Token = Token(usize::MAX);

/// Connections with their sources, and what came of them.
pub struct EventLoop<'a, S> {
    lanes: Vec<Lane<'a, S>>,
    poll: Poll,
    outcome: Outcome,
}

struct Lane<'a, S> {
    connection: Connection,
    source: &'a mut S,
    /// When the unit in work was due.
    due: Instant,
}

impl<'a, S: RequestSource> EventLoop<'a, S> {
    /// Connects for each source.
    pub fn connect(address: SocketAddr, sources: &'a mut [S]) -> Self {
        let poll = Poll::new().expect("the system has epoll");
        let lanes = sources
            .iter_mut()
            .enumerate()
            .map(|(number, source)| Lane {
                connection: Connection::open(address, poll.registry(), Token(number)),
                source,
                due: Instant::now(),
            })
            .collect();
        Self { lanes, poll, outcome: Outcome::nothing() }
    }

    /// Until nothing is due any more and all answers are there.
    pub fn run(&mut self, mut pace: Pace) -> Outcome {
        // epoll counts in milliseconds, and what is due needs better.
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK).expect("the system has timers");
        let fd = timer.as_raw_fd();
        self.poll
            .registry()
            .register(&mut SourceFd(&fd), TIMER, Interest::READABLE)
            .expect("the timer is new");
        let mut events = Events::with_capacity(256);
        let mut free: Vec<usize> = (0..self.lanes.len()).rev().collect();
        let mut heard = Instant::now();
        loop {
            let mut now = Instant::now();
            while let Some(&lane) = free.last() {
                let Some(due) = pace.take(now) else { break };
                free.pop();
                self.begin(lane, due);
                now = Instant::now();
            }
            let busy = self.lanes.iter().any(|lane| lane.connection.is_busy());
            let next = pace.next(now).filter(|_| !free.is_empty());
            if !busy && next.is_none() {
                break;
            }
            if busy && heard.elapsed() > PATIENCE {
                self.wrong("no answer in 30 s".to_owned());
                break;
            }
            if let Some(next) = next {
                wake_at(&timer, next.saturating_duration_since(now));
            }
            match self.poll.poll(&mut events, Some(Duration::from_secs(1))) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                other => other.expect("polling works"),
            }
            for event in events.iter().filter(|event| event.token() != TIMER) {
                heard = Instant::now();
                if self.proceed(event.token().0, &pace) {
                    free.push(event.token().0);
                }
            }
        }
        std::mem::replace(&mut self.outcome, Outcome::nothing())
    }

    fn begin(&mut self, lane: usize, due: Instant) {
        self.lanes[lane].due = due;
        self.ask(lane);
    }

    /// Where the source has nothing to ask for, the lane never becomes free again.
    fn ask(&mut self, lane: usize) {
        let Lane { connection, source, .. } = &mut self.lanes[lane];
        connection.request.clear();
        if !source.next(&mut connection.request) {
            self.outcome.exhausted += 1;
            return;
        }
        if let Err(error) = connection.send(self.poll.registry()) {
            self.wrong(format!("the request could not be sent: {error}"));
        }
    }

    /// Reads what is there. Whether the lane is free now.
    fn proceed(&mut self, number: usize, pace: &Pace) -> bool {
        let Lane { connection, source, due } = &mut self.lanes[number];
        if !connection.is_busy() {
            return false;
        }
        let complete = match connection.receive() {
            Event::Partial => return false,
            Event::Lost(why) => {
                self.wrong(why);
                return false;
            }
            Event::Complete(answer) => answer,
        };
        let answer = Answer {
            status: complete.status,
            head: &connection.received[..complete.head],
            body: &connection.received[complete.head..complete.end],
        };
        match source.answered(&answer) {
            Progress::More => {
                connection.rest();
                self.ask(number);
                return false;
            }
            Progress::Done => {
                let now = Instant::now();
                if pace.counts(now) {
                    self.outcome.answers += 1;
                    let micros = u64::try_from(now.duration_since(*due).as_micros()).unwrap_or(u64::MAX);
                    self.outcome.histogram.saturating_record(micros.max(1));
                }
                connection.rest();
            }
            Progress::Wrong if answer.is_refusal() => {
                self.outcome.refused += 1;
                connection.rest();
            }
            Progress::Wrong => {
                let shown = format!(
                    "{}{}",
                    String::from_utf8_lossy(answer.head),
                    String::from_utf8_lossy(&answer.body[..answer.body.len().min(600)])
                );
                connection.rest();
                self.wrong(shown);
            }
        }
        true
    }

    fn wrong(&mut self, what: String) {
        self.outcome.errors += 1;
        self.outcome.first_error.get_or_insert(what);
    }
}

fn wake_at(timer: &impl std::os::fd::AsFd, after: Duration) {
    // Zero would switch it off.
    let after = after.max(Duration::from_nanos(1));
    let once = Itimerspec {
        it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
        it_value: Timespec {
            tv_sec: after.as_secs().cast_signed(),
            tv_nsec: i64::from(after.subsec_nanos()),
        },
    };
    timerfd_settime(timer, TimerfdTimerFlags::empty(), &once).expect("the timer can be set");
}
