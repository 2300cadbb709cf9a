//! A proxy before PostgreSQL that can fall silent, as a network does that has lost a route: nothing is closed,
//! nothing is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::database::TestDatabase;

/// A socket that leads to a test's database, or nowhere.
pub struct SilentProxy {
    directory: tempfile::TempDir,
    database: String,
    silent: Arc<watch::Sender<bool>>,
    /// Milliseconds that connecting takes.
    delay: Arc<AtomicU64>,
}

impl SilentProxy {
    pub async fn before(database: &TestDatabase) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let behind = database.options().get_socket().unwrap().join(".s.PGSQL.5432");
        let (silent, silence) = watch::channel(false);
        let delay = Arc::new(AtomicU64::new(0));
        let connecting = Arc::clone(&delay);
        tokio::spawn(async move {
            while let Ok((front, _)) = listener.accept().await {
                let (behind, silence) = (behind.clone(), silence.clone());
                let delay = Duration::from_millis(connecting.load(Ordering::Relaxed));
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    connection(front, behind, silence).await;
                });
            }
        });
        Self { directory, database: database.name.clone(), silent: Arc::new(silent), delay }
    }

    /// The database's URL through this proxy.
    pub fn url(&self) -> String {
        let socket = self.directory.path().display().to_string();
        let encoded: String = form_urlencoded::byte_serialize(socket.as_bytes()).collect();
        format!("postgres:///{}?host={encoded}&user=grantor&sslmode=disable", self.database)
    }

    /// From now on nothing is answered. Connections that were open stay dumb for ever.
    pub fn fall_silent(&self) {
        self.silent.send_replace(true);
    }

    /// From now on connecting takes so long.
    pub fn connect_slowly(&self, delay: Duration) {
        self.delay.store(u64::try_from(delay.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// New connections lead to the database again.
    pub fn speak(&self) {
        self.silent.send_replace(false);
    }
}

async fn connection(mut front: UnixStream, behind: std::path::PathBuf, mut silence: watch::Receiver<bool>) {
    if !*silence.borrow_and_update() {
        let mut behind = UnixStream::connect(&behind).await.unwrap();
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut front, &mut behind) => return,
            _ = silence.changed() => {}
        }
        // The database itself learns of it.
        let _ = behind.shutdown().await;
    }
    let mut swallowed = Vec::new();
    let _ = front.read_to_end(&mut swallowed).await;
}
