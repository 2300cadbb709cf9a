//! Writes down what clients ask for and what comes of it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::history::{Event, Operation, Outcome};

/// All requests of a run.
pub struct Journal {
    started: Instant,
    grants: AtomicU32,
    events: Mutex<Vec<Event>>,
    failed_pages: AtomicUsize,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            grants: AtomicU32::new(0),
            events: Mutex::default(),
            failed_pages: AtomicUsize::new(0),
        }
    }
}

impl Journal {
    /// A number for one more approval.
    pub fn new_grant(&self) -> u32 {
        self.grants.fetch_add(1, Ordering::Relaxed)
    }

    /// How long the journal runs.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Makes a request and writes down what came of it.
    pub async fn record(
        &self,
        grant: u32,
        operation: Operation,
        request: impl Future<Output = Outcome>,
    ) -> Outcome {
        let begin = self.now();
        let outcome = request.await;
        let event = Event { grant, operation, begin, end: self.now(), outcome };
        self.events.lock().unwrap().push(event);
        outcome
    }

    /// An authorization that gave no code. It has no history: the person asks again, and nothing was given.
    pub fn page_failed(&self) {
        self.failed_pages.fetch_add(1, Ordering::Relaxed);
    }

    pub fn failed_pages(&self) -> usize {
        self.failed_pages.load(Ordering::Relaxed)
    }

    /// Everything so far, by the end of the requests.
    pub fn history(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }
}

/// The history as lines, for whoever looks into a finding.
pub fn written(history: &[Event]) -> String {
    let line = |event: &Event| {
        format!(
            "{:>12} {:>12} grant {:<6} {:?} {:?}\n",
            event.begin.as_micros(),
            event.end.as_micros(),
            event.grant,
            event.operation,
            event.outcome
        )
    };
    history.iter().map(line).collect()
}
