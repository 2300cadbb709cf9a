//! How much a worker has to do, and what it takes on.
//!
//! A worker that takes on everything answers everything too late: the clients are gone, and the work was for
//! nothing. So it refuses, cheaply and at once, what it cannot finish in time. There are two ways to be late.
//! Requests wait for the database: their number is bounded. Or they wait for the worker's own thread: a task that
//! queues like any other measures how long that takes.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How often the worker's queue is tried.
const PULSE: Duration = Duration::from_millis(20);

/// Who has waited longer for the thread is refused while the worker is overloaded. A request comes round a few
/// times, once after each statement.
const LONGEST_WAIT: Duration = Duration::from_millis(400);

/// So many slow rounds one after the other are an overload; one alone is a hiccup of the machine.
const SLOW_ROUNDS: u32 = 2;

/// The load of one worker.
pub struct Load {
    in_work: Cell<usize>,
    most: usize,
    /// When the queue last came round.
    came_round: Cell<Instant>,
    slow_rounds: Cell<u32>,
}

/// A request in work; it counts until it is dropped.
pub struct InWork(Rc<Load>);

impl Load {
    /// At most this many requests in work at once.
    pub fn new(most: usize) -> Rc<Self> {
        let (in_work, slow_rounds) = (Cell::new(0), Cell::new(0));
        Rc::new(Self { in_work, most, came_round: Cell::new(Instant::now()), slow_rounds })
    }

    /// Tries the queue again and again, as long as the worker lives.
    pub async fn watch(load: std::rc::Weak<Self>) {
        loop {
            tokio::time::sleep(PULSE).await;
            let Some(load) = load.upgrade() else { return };
            load.round_ends(Instant::now());
        }
    }

    /// Takes a request on, or not.
    pub fn take_on(self: &Rc<Self>) -> Option<InWork> {
        if self.in_work.get() >= self.most || self.is_late(Instant::now()) {
            return None;
        }
        self.in_work.set(self.in_work.get() + 1);
        Some(InWork(Rc::clone(self)))
    }

    fn round_ends(&self, now: Instant) {
        let slow = self.waited(now) > LONGEST_WAIT;
        self.slow_rounds.set(if slow { self.slow_rounds.get().saturating_add(1) } else { 0 });
        self.came_round.set(now);
    }

    /// What runs now was in the queue before the task that has not come round yet.
    fn is_late(&self, now: Instant) -> bool {
        self.slow_rounds.get() >= SLOW_ROUNDS && self.waited(now) > LONGEST_WAIT
    }

    fn waited(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.came_round.get()).saturating_sub(PULSE)
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        self.0.in_work.set(self.0.in_work.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_taken_on_than_can_be_and_who_is_done_makes_room() {
        let load = Load::new(2);
        let first = load.take_on();
        let second = load.take_on();
        assert!(first.is_some() && second.is_some() && load.take_on().is_none());
        drop(first);
        assert!(load.take_on().is_some());
    }

    #[test]
    fn one_hiccup_refuses_nobody_and_an_overload_only_those_who_waited() {
        let load = Load::new(9);
        let mut now = Instant::now();
        let mut round = |length: Duration| {
            now += length;
            load.round_ends(now);
            now
        };
        let (quick, slow) = (PULSE * 2, PULSE + LONGEST_WAIT * 2);
        let ended = round(slow);
        assert!(!load.is_late(ended + slow), "a hiccup");
        round(quick);
        round(slow);
        let ended = round(slow);
        assert!(!load.is_late(ended + quick), "the first of a round have not waited");
        assert!(load.is_late(ended + slow), "the last of it have");
        let ended = round(quick);
        assert!(!load.is_late(ended + slow), "the overload is over");
    }
}
