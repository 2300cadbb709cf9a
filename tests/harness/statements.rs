//! A proxy before PostgreSQL that writes down each statement that is executed, as the wire shows it, and can stop
//! one on its way there or its answer on the way back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;

use super::database::TestDatabase;

/// The statements that went through, in order.
#[derive(Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

/// Where a statement is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// PostgreSQL never sees it.
    BeforeCommit,
    /// PostgreSQL has committed it, and who sent it never learns of that.
    AfterCommit,
}

/// What the next statement that begins so runs into.
struct Trap {
    beginning: String,
    moment: Moment,
    caught: oneshot::Sender<()>,
}

type SetTrap = Arc<Mutex<Option<Trap>>>;

/// Whether a connection's answers are passed on.
enum Way {
    Free,
    /// Nothing passes; this is told when PostgreSQL has committed.
    Awaiting(oneshot::Sender<()>),
    Closed,
}

type Answers = Arc<Mutex<Way>>;

/// A socket that leads to a test's database.
pub struct CountingProxy {
    directory: tempfile::TempDir,
    database: String,
    pub statements: Statements,
    trap: SetTrap,
}

impl Statements {
    /// Forgets what went through so far.
    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// What went through, but for the heartbeat, which comes without any request, and for what begins a
    /// connection, which a request now and then finds itself the first to need.
    pub fn of_requests(&self) -> Vec<String> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|one| !is_heartbeat(one) && !begins_connection(one)).cloned().collect()
    }

    /// Whether the heartbeat went through, which shows that the proxy sees anything at all.
    pub fn has_heartbeat(&self) -> bool {
        self.0.lock().unwrap().iter().any(|statement| is_heartbeat(statement))
    }

    fn add(&self, statement: &str) {
        self.0.lock().unwrap().push(in_one_line(statement));
    }
}

fn in_one_line(statement: &str) -> String {
    statement.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_heartbeat(statement: &str) -> bool {
    statement.starts_with("SELECT version, clock_timestamp()") && statement.ends_with("FROM installation")
}

fn begins_connection(statement: &str) -> bool {
    statement.starts_with("SET statement_timeout")
}

impl CountingProxy {
    pub async fn before(database: &TestDatabase) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let behind = database.options().get_socket().unwrap().join(".s.PGSQL.5432");
        let (statements, trap) = (Statements::default(), SetTrap::default());
        let (seen, set_trap) = (statements.clone(), Arc::clone(&trap));
        tokio::spawn(async move {
            while let Ok((front, _)) = listener.accept().await {
                // While PostgreSQL is away its clients are sent away too.
                if let Ok(behind) = UnixStream::connect(&behind).await {
                    tokio::spawn(connection(front, behind, seen.clone(), Arc::clone(&set_trap)));
                }
            }
        });
        Self { directory, database: database.name.clone(), statements, trap }
    }

    /// Stops the next statement that begins so, and its connection for good. Told when it has been stopped.
    pub fn stop(&self, moment: Moment, beginning: &str) -> oneshot::Receiver<()> {
        let (caught, receiver) = oneshot::channel();
        *self.trap.lock().unwrap() = Some(Trap { beginning: beginning.to_owned(), moment, caught });
        receiver
    }

    /// The database's URL through this proxy.
    pub fn url(&self) -> String {
        let socket = self.directory.path().display().to_string();
        let encoded: String = form_urlencoded::byte_serialize(socket.as_bytes()).collect();
        format!("postgres:///{}?host={encoded}&user=grantor&sslmode=disable", self.database)
    }
}

async fn connection(front: UnixStream, behind: UnixStream, seen: Statements, trap: SetTrap) {
    let (mut from_front, to_front) = front.into_split();
    let (from_behind, mut to_behind) = behind.into_split();
    let way = Arc::new(Mutex::new(Way::Free));
    let answers = tokio::spawn(answers(from_behind, to_front, Arc::clone(&way)));
    let _ = requests(&mut from_front, &mut to_behind, &seen, &trap, &way).await;
    let _ = to_behind.shutdown().await;
    let _ = answers.await;
}

/// Passes the backend's messages on, as long as nothing is withheld.
async fn answers(mut behind: OwnedReadHalf, mut front: OwnedWriteHalf, way: Answers) {
    while let Ok(kind) = behind.read_u8().await {
        let Ok(message) = body(&mut behind).await else { break };
        if !is_free(&mut way.lock().unwrap(), kind) {
            continue;
        }
        if front.write_all(&[&[kind], &message[..]].concat()).await.is_err() {
            break;
        }
    }
    let _ = front.shutdown().await;
}

/// `Z` is ReadyForQuery: what was asked is done, and committed.
fn is_free(way: &mut Way, kind: u8) -> bool {
    let is_free = matches!(way, Way::Free);
    if kind == b'Z'
        && !is_free
        && let Way::Awaiting(told) = std::mem::replace(way, Way::Closed)
    {
        let _ = told.send(());
    }
    is_free
}

/// Passes the frontend's messages on and reads them (PostgreSQL's protocol 3.0).
async fn requests(
    front: &mut (impl AsyncRead + Unpin),
    behind: &mut OwnedWriteHalf,
    seen: &Statements,
    trap: &SetTrap,
    way: &Answers,
) -> std::io::Result<()> {
    // The startup message has no type byte.
    let startup = body(front).await?;
    behind.write_all(&startup).await?;
    let (mut prepared, mut portals) = (HashMap::new(), HashMap::new());
    loop {
        let kind = front.read_u8().await?;
        let message = body(front).await?;
        let mut texts = message[4..].split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let mut text = || texts.next().unwrap_or_default().into_owned();
        match kind {
            b'P' => drop(prepared.insert(text(), text())),
            b'B' => drop(portals.insert(text(), text())),
            b'E' => {
                let statement: &String = &prepared[&portals[&text()]];
                seen.add(statement);
                match sprung(trap, statement) {
                    Some(Trap { moment: Moment::BeforeCommit, caught, .. }) => {
                        let _ = caught.send(());
                        // Nothing passes any more, until the frontend has left.
                        tokio::io::copy(front, &mut tokio::io::sink()).await?;
                        return Ok(());
                    }
                    Some(Trap { caught, .. }) => *way.lock().unwrap() = Way::Awaiting(caught),
                    None => {}
                }
            }
            b'Q' => seen.add(&text()),
            _ => {}
        }
        behind.write_u8(kind).await?;
        behind.write_all(&message).await?;
    }
}

fn sprung(trap: &SetTrap, statement: &str) -> Option<Trap> {
    trap.lock().unwrap().take_if(|trap| in_one_line(statement).starts_with(&trap.beginning))
}

/// A message's length and the rest of it.
pub(super) async fn body(front: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let length = front.read_u32().await?;
    let mut message = length.to_be_bytes().to_vec();
    message.resize(length as usize, 0);
    front.read_exact(&mut message[4..]).await?;
    Ok(message)
}
