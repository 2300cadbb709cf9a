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

/// Who has waited longer for the thread is refused, where it was busy with others. A request comes round a few
/// times, once after each statement.
const LONGEST_WAIT: Duration = Duration::from_millis(400);

/// A round in which so many requests were taken on is long because of them; one with fewer is a hiccup of the machine.
const MANY: u32 = 256;

/// The load of one worker.
pub struct Load {
    in_work: Cell<usize>,
    most: usize,
    /// When the queue last came round.
    came_round: Cell<Instant>,
    /// Requests taken on since then.
    this_round: Cell<u32>,
}

/// A request in work; it counts until it is dropped.
pub struct InWork(Rc<Load>);

impl Load {
    /// At most this many requests in work at once.
    pub fn new(most: usize) -> Rc<Self> {
        let (in_work, this_round) = (Cell::new(0), Cell::new(0));
        Rc::new(Self { in_work, most, came_round: Cell::new(Instant::now()), this_round })
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
        self.this_round.set(self.this_round.get().saturating_add(1));
        Some(InWork(Rc::clone(self)))
    }

    fn round_ends(&self, now: Instant) {
        self.this_round.set(0);
        self.came_round.set(now);
    }

    /// What runs now was in the queue before the task that has not come round yet.
    fn is_late(&self, now: Instant) -> bool {
        let waited = now.saturating_duration_since(self.came_round.get()).saturating_sub(PULSE);
        self.this_round.get() >= MANY && waited > LONGEST_WAIT
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
    fn a_hiccup_refuses_nobody_and_an_overload_only_those_who_waited() {
        let load = Load::new(9);
        let ended = Instant::now();
        load.round_ends(ended);
        let (quick, slow) = (PULSE * 2, PULSE + LONGEST_WAIT * 2);
        let take_on = |count| (0..count).all(|_| load.take_on().is_some());
        assert!(take_on(MANY - 1) && !load.is_late(ended + slow), "a hiccup");
        assert!(take_on(1) && !load.is_late(ended + quick), "the first of a round have not waited");
        assert!(load.is_late(ended + slow), "the last of it have");
        load.round_ends(ended + slow);
        assert!(!load.is_late(ended + slow * 2), "the overload is over");
    }
}
