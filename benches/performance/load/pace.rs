//! When the next unit of work is due.

use std::time::{Duration, Instant};

/// The pace of one event loop.
pub struct Pace {
    kind: Kind,
    end: Instant,
}

enum Kind {
    /// Whoever is free asks.
    Closed,
    /// At these moments, whoever is free.
    Fixed { next: Instant, interval: Duration },
}

impl Pace {
    pub fn closed(end: Instant) -> Self {
        Self { kind: Kind::Closed, end }
    }

    pub fn fixed(first: Instant, rate: f64, end: Instant) -> Self {
        Self { kind: Kind::Fixed { next: first, interval: Duration::from_secs_f64(1.0 / rate) }, end }
    }

    /// The moment at which a unit was due that nobody has begun; it counts as begun now.
    pub fn take(&mut self, now: Instant) -> Option<Instant> {
        match &mut self.kind {
            Kind::Closed => (now < self.end).then_some(now),
            Kind::Fixed { next, interval } => {
                let due = *next;
                (due <= now && due < self.end).then(|| {
                    *next += *interval;
                    due
                })
            }
        }
    }

    /// When the next one is due; `None`: none is.
    pub fn next(&self, now: Instant) -> Option<Instant> {
        match self.kind {
            Kind::Closed => (now < self.end).then_some(now),
            Kind::Fixed { next, .. } => (next < self.end).then_some(next),
        }
    }

    /// Whether an answer of this moment counts: in a closed loop what comes after the end does not, at a fixed rate
    /// everything that was due before it does.
    pub fn counts(&self, now: Instant) -> bool {
        matches!(self.kind, Kind::Fixed { .. }) || now < self.end
    }
}
