//! When the database was last in trouble, as any connection to it has found.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::Error;

/// What all pools of a process know of it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Trouble(Arc<Noticed>);

#[derive(Debug)]
struct Noticed {
    started: Instant,
    /// Milliseconds after `started`, rounded up; 0: never.
    last: AtomicU64,
}

impl Trouble {
    /// None so far.
    pub fn new() -> Self {
        Self(Arc::new(Noticed { started: Instant::now(), last: AtomicU64::new(0) }))
    }

    /// Notes what an error tells: a connection was lost, and others may be without knowing it.
    pub fn notice(&self, error: &Error) {
        if is_lost_connection(error) {
            self.0.last.fetch_max(self.milliseconds() + 1, Ordering::Relaxed);
        }
    }

    /// Whether there was any in this time.
    pub fn is_within(&self, past: Duration) -> bool {
        let past = u64::try_from(past.as_millis()).unwrap_or(u64::MAX);
        self.0.last.load(Ordering::Relaxed) > self.milliseconds().saturating_sub(past)
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Class 08 is a connection exception; 57P01 and those after it end all connections, in a shutdown or a crash.
fn is_lost_connection(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        Error::Database(database) => {
            database.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_lost_connection_makes_those_suspect_that_rested_meanwhile() {
        let trouble = Trouble::new();
        std::thread::sleep(Duration::from_millis(20));
        trouble.notice(&Error::PoolTimedOut);
        assert!(!trouble.is_within(Duration::from_secs(1)), "no connection was lost");
        trouble.notice(&Error::Io(io::ErrorKind::UnexpectedEof.into()));
        assert!(trouble.is_within(Duration::from_secs(1)));
        std::thread::sleep(Duration::from_millis(20));
        assert!(trouble.is_within(Duration::from_secs(10)));
        assert!(!trouble.is_within(Duration::from_millis(5)));
    }
}
