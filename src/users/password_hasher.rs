//! Argon2id on threads of its own, so that a flood of sign-ins slows nothing else down.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use metrics::gauge;
use tokio::sync::oneshot;

use super::argon2id::{Argon2id, Cost, CostError, Verdict};
use super::password::{MAX_BYTES, NewPassword, normalize};
use super::places::{Place, Places};
use crate::model::Network;
use crate::secret::Secret;
use crate::telemetry::metrics::PASSWORD_HASHES_WAITING;

/// How much the threads stand back behind those that answer requests, in the words of `nice(2)`.
const NICENESS: i32 = 10;

/// What waits for each thread at most. At 25 ms a hash the last in the queue waits less than a second.
const QUEUE_PER_THREAD: usize = 32;

/// The queue is full: try again in a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at this moment")]
pub struct Busy;

/// Why the hasher cannot start.
#[derive(Debug, thiserror::Error)]
pub enum HasherError {
    /// The cost is out of Argon2's range.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// The operating system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Hashes and checks passwords, as many at once as it has threads. Cheap to clone; the threads end with
/// the last clone.
#[derive(Debug, Clone)]
pub struct PasswordHasher {
    jobs: SyncSender<Job>,
    places: Places,
}

impl PasswordHasher {
    /// Starts the threads; without a number, half as many as the machine has cores.
    pub fn start(threads: Option<usize>, cost: Cost) -> Result<Self, HasherError> {
        let argon2id = Argon2id::new(cost)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.unwrap_or(cores / 2).max(1);
        let (jobs, queue) = sync_channel(threads * QUEUE_PER_THREAD);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let (queue, argon2id) = (queue.clone(), argon2id.clone());
            std::thread::Builder::new().name("password".to_owned()).spawn(move || work(argon2id, &queue))?;
        }
        Ok(Self { jobs, places: Places::new(threads * QUEUE_PER_THREAD) })
    }

    /// Takes a place before anything else is done: a flood beyond what can be hashed costs nothing else either.
    /// `stranger`: for a browser that is not known, from this network.
    pub fn queue_up(&self, stranger: Option<Network>) -> Result<Place, Busy> {
        self.places.take(stranger)
    }

    /// A PHC string of this password with a fresh salt.
    pub async fn hash(&self, password: NewPassword) -> Result<Secret<String>, Busy> {
        let (answer, receiver) = oneshot::channel();
        self.ask(Job::Hash { password, answer }, receiver).await
    }

    /// Checks a password against a stored PHC string. Without one (an unknown name, an account without a
    /// password) it takes as long, and the answer is [`Verdict::Wrong`].
    pub async fn verify(
        &self,
        password: &Secret<String>,
        stored: Option<Secret<String>>,
    ) -> Result<Verdict, Busy> {
        // None longer was ever accepted, so its text is not worth normalizing.
        let fits = password.expose().len() <= MAX_BYTES;
        let (password, stored) =
            if fits { (normalize(password), stored) } else { (Secret::new(String::new()), None) };
        let (answer, receiver) = oneshot::channel();
        self.ask(Job::Verify { password, stored, answer }, receiver).await
    }

    async fn ask<T>(&self, job: Job, answer: oneshot::Receiver<T>) -> Result<T, Busy> {
        self.jobs.try_send(job).map_err(|_| Busy)?;
        gauge!(PASSWORD_HASHES_WAITING).increment(1);
        answer.await.map_err(|_| Busy)
    }
}

enum Job {
    Hash { password: NewPassword, answer: oneshot::Sender<Secret<String>> },
    Verify { password: Secret<String>, stored: Option<Secret<String>>, answer: oneshot::Sender<Verdict> },
}

/// What each thread does until the last [`PasswordHasher`] is gone.
fn work(mut argon2id: Argon2id, queue: &Mutex<Receiver<Job>>) {
    // A system that does not allow it has all threads compete; everything works nevertheless.
    let _ = rustix::process::nice(NICENESS);
    loop {
        let Ok(job) = queue.lock().unwrap_or_else(PoisonError::into_inner).recv() else { return };
        gauge!(PASSWORD_HASHES_WAITING).decrement(1);
        // Who has gone away needs no answer. An answer that cannot be made is dropped, not made up.
        match job {
            Job::Hash { password, answer } if !answer.is_closed() => {
                if let Some(hash) = argon2id.hash(&password) {
                    let _ = answer.send(hash);
                }
            }
            Job::Verify { password, stored, answer } if !answer.is_closed() => {
                let _ = answer.send(argon2id.verify(&password, stored.as_ref()));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn new_password(text: &str) -> NewPassword {
        NewPassword::check(&secret(text), 8, "alice", "alice@example.com").unwrap()
    }

    #[tokio::test]
    async fn the_password_is_correct_and_nothing_else() {
        let hasher = PasswordHasher::start(Some(2), CHEAP).unwrap();
        let stored = hasher.hash(new_password("correct caf\u{e9}")).await.unwrap();
        assert!(stored.expose().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        let correct = Verdict::Correct { needs_rehash: false };
        for (password, verdict) in [
            ("correct caf\u{e9}", correct),
            ("correct cafe\u{301}", correct),
            ("Correct caf\u{e9}", Verdict::Wrong),
            ("correct caf\u{e9} ", Verdict::Wrong),
            ("correct", Verdict::Wrong),
            ("", Verdict::Wrong),
            ("correct caf\u{e9}\0", Verdict::Wrong),
            (&"x".repeat(5_000), Verdict::Wrong),
        ] {
            let answer = hasher.verify(&secret(password), Some(stored.clone())).await;
            assert_eq!(answer, Ok(verdict), "{password:?}");
        }
        assert_eq!(hasher.verify(&secret("correct caf\u{e9}"), None).await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn a_full_queue_is_said_at_once() {
        let slow = Cost { memory_kib: 65_536, ..CHEAP };
        let hasher = PasswordHasher::start(Some(1), slow).unwrap();
        let password = secret("password");
        let all = (0..2 * QUEUE_PER_THREAD).map(|_| hasher.verify(&password, None));
        let answers = futures_util::future::join_all(all).await;
        let busy = answers.iter().filter(|answer| **answer == Err(Busy)).count();
        assert!((QUEUE_PER_THREAD - 8..=QUEUE_PER_THREAD).contains(&busy), "{busy} were refused");
    }

    #[tokio::test]
    async fn who_gets_no_place_is_sent_away_before_anything_is_done() {
        let hasher = PasswordHasher::start(Some(1), CHEAP).unwrap();
        let mut places: Vec<_> = (0..QUEUE_PER_THREAD).map(|_| hasher.queue_up(None).unwrap()).collect();
        assert_eq!(hasher.queue_up(None).err(), Some(Busy));
        places.pop();
        assert!(hasher.queue_up(None).is_ok());
    }

    #[test]
    fn an_impossible_cost_is_refused() {
        let none = Cost { memory_kib: 1, ..CHEAP };
        assert!(matches!(PasswordHasher::start(Some(1), none), Err(HasherError::Cost(_))));
    }
}
