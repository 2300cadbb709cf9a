//! A proxy before PostgreSQL that writes down each statement that is executed, as the wire shows it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};

use super::database::TestDatabase;

/// The statements that went through, in order.
#[derive(Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

/// A socket that leads to a test's database.
pub struct CountingProxy {
    directory: tempfile::TempDir,
    database: String,
    pub statements: Statements,
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
        self.0.lock().unwrap().push(statement.split_whitespace().collect::<Vec<_>>().join(" "));
    }
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
        let statements = Statements::default();
        let seen = statements.clone();
        tokio::spawn(async move {
            while let Ok((front, _)) = listener.accept().await {
                let (behind, seen) = (UnixStream::connect(&behind).await.unwrap(), seen.clone());
                tokio::spawn(connection(front, behind, seen));
            }
        });
        Self { directory, database: database.name.clone(), statements }
    }

    /// The database's URL through this proxy.
    pub fn url(&self) -> String {
        let socket = self.directory.path().display().to_string();
        let encoded: String = form_urlencoded::byte_serialize(socket.as_bytes()).collect();
        format!("postgres:///{}?host={encoded}&user=grantor&sslmode=disable", self.database)
    }
}

async fn connection(front: UnixStream, behind: UnixStream, seen: Statements) {
    let (mut from_front, mut to_front) = front.into_split();
    let (mut from_behind, mut to_behind) = behind.into_split();
    let answers = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_behind, &mut to_front).await;
        let _ = to_front.shutdown().await;
    });
    let _ = requests(&mut from_front, &mut to_behind, &seen).await;
    let _ = to_behind.shutdown().await;
    let _ = answers.await;
}

/// Passes the frontend's messages on and reads them (PostgreSQL's protocol 3.0).
async fn requests(
    front: &mut (impl AsyncRead + Unpin),
    behind: &mut OwnedWriteHalf,
    seen: &Statements,
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
            b'E' => seen.add(&prepared[&portals[&text()]]),
            b'Q' => seen.add(&text()),
            _ => {}
        }
        behind.write_u8(kind).await?;
        behind.write_all(&message).await?;
    }
}

/// A message's length and the rest of it.
async fn body(front: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let length = front.read_u32().await?;
    let mut message = length.to_be_bytes().to_vec();
    message.resize(length as usize, 0);
    front.read_exact(&mut message[4..]).await?;
    Ok(message)
}
