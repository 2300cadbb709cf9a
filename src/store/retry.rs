//! What the database gave up for another's sake is done again.
//!
//! At SERIALIZABLE the database ends what it cannot bring into one order with the rest (SQLSTATE 40001), and at every
//! level what waits in a circle (40P01). Both say that nothing was written, also where they come as the answer to a
//! COMMIT. A connection that is lost says nothing of the kind, and what it was doing is never done again here.

use std::error::Error;
use std::time::{Duration, Instant};

use metrics::counter;

use super::Store;
use crate::secret::random_bytes;
use crate::telemetry::metrics::DATABASE_RETRIES;

/// How often the same work is begun at most.
const MOST_ATTEMPTS: u32 = 10;

/// The longest pause before the second attempt; each further one may be twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The attempts that work has, within so much time.
pub struct Attempts {
    made: u32,
    until: Instant,
}

impl Attempts {
    /// The first begins now.
    pub fn within(limit: Duration) -> Self {
        Self { made: 0, until: Instant::now() + limit }
    }

    /// Waits until it is time for the next attempt. An error that no other attempt is due to is given back.
    pub async fn after<E: Error + 'static>(&mut self, error: E) -> Result<(), E> {
        let Some(pause) = self.pause_after(&error) else { return Err(error) };
        drop(error);
        counter!(DATABASE_RETRIES).increment(1);
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// How long to wait before it; `None`: the error stands.
    fn pause_after(&mut self, error: &(dyn Error + 'static)) -> Option<Duration> {
        self.made += 1;
        if self.made == MOST_ATTEMPTS || !was_given_up(error) {
            return None;
        }
        let longest = (FIRST_PAUSE * 2_u32.pow(self.made - 1)).min(LONGEST_PAUSE);
        // Those that met would meet again if they waited equally long.
        let pause = longest.mul_f64(f64::from(u16::from_be_bytes(random_bytes())) / f64::from(u16::MAX));
        (Instant::now() + pause < self.until).then_some(pause)
    }
}

/// Whether the error, or what it came from, is a serialization failure or a deadlock.
fn was_given_up(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<sqlx::Error>() {
            let code = error.as_database_error().and_then(|error| error.code());
            return code.is_some_and(|code| code == "40001" || code == "40P01");
        }
        cause = error.source();
    }
    false
}

impl Store {
    /// Does `work` again from its beginning where the database gave up a statement or a transaction of it. All that it
    /// writes is one transaction, or none of it would know what the attempt before has left.
    pub async fn repeatedly<T, E: Error + 'static>(
        &self,
        work: impl AsyncFn() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut attempts = self.pool.watch().attempts();
        loop {
            match work().await {
                Ok(done) => return Ok(done),
                Err(error) => attempts.after(error).await?,
            }
        }
    }
}

/// `$work` in a transaction, which it commits itself where something is to last; and again from its beginning, where the
/// database gave it up. Until then it tells nobody of what it did. A block and no closure: what a closure borrows cannot go
/// to another thread.
macro_rules! in_transaction {
    ($store:expr, |$transaction:ident| $work:block) => {{
        let mut attempts = $store.pool.watch().attempts();
        loop {
            let attempt = async {
                let mut $transaction = $store.pool.begin().await?;
                $work
            };
            let done: Result<_, super::StoreError> = attempt.await;
            match done {
                Ok(done) => break Ok(done),
                Err(error) => attempts.after(error).await?,
            }
        }
    }};
}
pub(super) use in_transaction;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::error::{DatabaseError, ErrorKind};

    use super::super::StoreError;
    use super::*;

    /// What a database says with this SQLSTATE.
    #[derive(Debug, thiserror::Error)]
    #[error("the database says {0}")]
    struct Said(&'static str);

    impl DatabaseError for Said {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    fn said(code: &'static str) -> StoreError {
        sqlx::Error::Database(Box::new(Said(code))).into()
    }

    #[test]
    fn what_has_certainly_not_happened_is_done_again() {
        let mut attempts = Attempts::within(Duration::from_secs(60));
        assert!(attempts.pause_after(&said("40001")).is_some());
        assert!(attempts.pause_after(&said("40P01")).is_some());
        for code in ["23505", "55P03", "57014", "57P01", "40003"] {
            assert!(attempts.pause_after(&said(code)).is_none(), "{code}");
        }
        let lost = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        assert!(attempts.pause_after(&StoreError::from(sqlx::Error::Io(lost))).is_none());
    }

    #[test]
    fn attempts_and_their_time_are_bounded() {
        let mut attempts = Attempts::within(Duration::from_secs(60));
        let pauses: Vec<_> = std::iter::from_fn(|| attempts.pause_after(&said("40001"))).collect();
        assert_eq!(pauses.len(), 9, "after the first attempt");
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE));
        let mut late = Attempts::within(Duration::ZERO);
        assert!(late.pause_after(&said("40001")).is_none());
    }
}
