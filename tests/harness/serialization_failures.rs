//! A proxy before PostgreSQL that answers some statements and commits with a serialization failure, as a database does
//! that runs all transactions as if one came after the other. What it answers so was not done.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use grantor::secret::random_bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;

use super::statements::body;

/// From one failure to the next there are up to so many statements: often enough to meet every flow, and seldom enough
/// that what is bounded ends well.
const LONGEST_GAP: usize = 24;

/// ErrorResponse with SQLSTATE 40001 (PostgreSQL's protocol 3.0).
const FAILURE: &[u8] = b"SERROR\0VERROR\0C40001\0Mcould not serialize access due to a test\0\0";

/// A socket that leads to a database. It runs on a thread of its own, so that a test may wait for a command.
pub struct SerializationFailures {
    directory: tempfile::TempDir,
    injected: Arc<Injected>,
    /// The proxy ends with it.
    _ends: oneshot::Sender<()>,
}

/// What is failed next, and what was.
#[derive(Default)]
struct Injected {
    /// Statements and commits until the next failure.
    until_next: AtomicUsize,
    statements: AtomicUsize,
    commits: AtomicUsize,
}

/// Each question that ends in ReadyForQuery: whether it is answered with a failure.
type Questions = Arc<Mutex<VecDeque<bool>>>;

impl SerializationFailures {
    /// In front of the cluster whose sockets lie in this directory.
    pub fn before(sockets: &std::path::Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let name = ".s.PGSQL.5432";
        let (behind, front) = (sockets.join(name), directory.path().join(name));
        let injected = Arc::new(Injected::default());
        let of_connections = Arc::clone(&injected);
        let listener = std::os::unix::net::UnixListener::bind(front).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (ends, ended) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.spawn(async move {
                let listener = UnixListener::from_std(listener).unwrap();
                while let Ok((front, _)) = listener.accept().await {
                    if let Ok(behind) = UnixStream::connect(&behind).await {
                        tokio::spawn(connection(front, behind, Arc::clone(&of_connections)));
                    }
                }
            });
            let _ = runtime.block_on(ended);
        });
        Self { directory, injected, _ends: ends }
    }

    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// How many statements and commits were failed.
    pub fn injected(&self) -> (usize, usize) {
        (self.injected.statements.load(Ordering::Relaxed), self.injected.commits.load(Ordering::Relaxed))
    }
}

impl Injected {
    /// Whether this one fails.
    fn fails(&self, kind: &AtomicUsize) -> bool {
        let next = |left: usize| Some(left.checked_sub(1).unwrap_or_else(random_gap));
        let left = self.until_next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap();
        if left == 0 {
            kind.fetch_add(1, Ordering::Relaxed);
        }
        left == 0
    }
}

fn random_gap() -> usize {
    usize::from(random_bytes::<1>()[0]) % LONGEST_GAP
}

async fn connection(front: UnixStream, behind: UnixStream, injected: Arc<Injected>) {
    let (mut from_front, to_front) = front.into_split();
    let (from_behind, mut to_behind) = behind.into_split();
    let questions = Questions::default();
    let answers = tokio::spawn(answers(from_behind, to_front, Arc::clone(&questions)));
    let _ = asked(&mut from_front, &mut to_behind, &questions, &injected).await;
    let _ = to_behind.shutdown().await;
    let _ = answers.await;
}

/// Passes the frontend's messages on. A statement that is to fail is not executed, and a commit becomes a rollback.
async fn asked(
    front: &mut OwnedReadHalf,
    behind: &mut OwnedWriteHalf,
    questions: &Questions,
    injected: &Injected,
) -> std::io::Result<()> {
    // The startup message has no type byte.
    let startup = body(front).await?;
    behind.write_all(&startup).await?;
    let mut fails = false;
    loop {
        let kind = front.read_u8().await?;
        let mut message = body(front).await?;
        match kind {
            b'E' => {
                fails = fails || injected.fails(&injected.statements);
                if fails {
                    continue;
                }
            }
            b'Q' => {
                let commits = message[4..].starts_with(b"COMMIT") && injected.fails(&injected.commits);
                if commits {
                    message = [&13_u32.to_be_bytes()[..], b"ROLLBACK\0"].concat();
                }
                questions.lock().unwrap().push_back(commits);
            }
            b'S' => questions.lock().unwrap().push_back(std::mem::take(&mut fails)),
            _ => {}
        }
        behind.write_u8(kind).await?;
        behind.write_all(&message).await?;
    }
}

/// Passes the backend's messages on; of the answer to what fails only its end, after the failure.
async fn answers(mut behind: OwnedReadHalf, mut front: OwnedWriteHalf, questions: Questions) {
    while let Ok(kind) = behind.read_u8().await {
        let Ok(message) = body(&mut behind).await else { break };
        let fails = questions.lock().unwrap().front().copied().unwrap_or(false);
        let mut passed = Vec::new();
        if kind == b'Z' {
            questions.lock().unwrap().pop_front();
            if fails {
                passed.push(b'E');
                passed.extend(u32::try_from(FAILURE.len() + 4).unwrap().to_be_bytes());
                passed.extend(FAILURE);
            }
        }
        if !fails || kind == b'Z' {
            passed.push(kind);
            passed.extend(message);
        }
        if front.write_all(&passed).await.is_err() {
            break;
        }
    }
    let _ = front.shutdown().await;
}
