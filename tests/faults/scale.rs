//! How much of a row is run.

use std::time::Duration;

/// How long and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// A few seconds each, to show that the row works; any build, any machine.
    Smoke,
    /// All rows within a quarter of an hour.
    Short,
    /// As the table of faults has it.
    Full,
}

impl Scale {
    /// One of three, for the three scales.
    pub fn of<T>(self, smoke: T, short: T, full: T) -> T {
        match self {
            Self::Smoke => smoke,
            Self::Short => short,
            Self::Full => full,
        }
    }

    /// So many seconds, for the three scales.
    pub fn seconds(self, smoke: f64, short: f64, full: f64) -> Duration {
        Duration::from_secs_f64(self.of(smoke, short, full))
    }

    /// A bar in time. A debug build beside other work proves nothing about time, and a smoke is to find what is
    /// broken, not what is slow.
    pub fn bar(self, bar: Duration) -> Duration {
        self.of(bar * 5, bar, bar)
    }
}
