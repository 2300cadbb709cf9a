//! A way to PostgreSQL that can be slow, or swallow everything.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::postgres::{Postgres, url_at};

/// What happens to the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Requests arrive so much later.
    Delayed(Duration),
    /// Nothing arrives, and nobody is told. Connections from that time are cut when it is over.
    Hole,
}

/// A socket that leads to a PostgreSQL.
pub struct Proxy {
    directory: tempfile::TempDir,
    way: watch::Sender<Way>,
}

impl Proxy {
    pub fn before(postgres: &Postgres) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let behind = postgres.socket().join(".s.PGSQL.5432");
        let (way, changes) = watch::channel(Way::Delayed(Duration::ZERO));
        tokio::spawn(async move {
            while let Ok((front, _)) = listener.accept().await {
                tokio::spawn(connection(front, behind.clone(), changes.clone()));
            }
        });
        Self { directory, way }
    }

    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    pub fn url(&self) -> String {
        url_at(&self.directory.path().display().to_string())
    }
}

async fn connection(front: UnixStream, behind: impl AsRef<Path>, way: watch::Receiver<Way>) {
    // In a hole not even the connection arrives.
    if *way.borrow() == Way::Hole {
        return over(way).await;
    }
    let Ok(behind) = UnixStream::connect(behind).await else { return };
    let ((from_front, to_front), (from_behind, to_behind)) = (front.into_split(), behind.into_split());
    tokio::select! {
        () = pass(from_front, to_behind, way.clone(), true) => {}
        () = pass(from_behind, to_front, way, false) => {}
    }
}

/// Passes on what comes, until one side has ended or a hole is over.
async fn pass(
    mut from: tokio::net::unix::OwnedReadHalf,
    mut to: tokio::net::unix::OwnedWriteHalf,
    way: watch::Receiver<Way>,
    delays: bool,
) {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let Ok(length @ 1..) = from.read(&mut bytes).await else { return };
        let now = *way.borrow();
        match now {
            Way::Hole => return over(way).await,
            Way::Delayed(delay) if delays && !delay.is_zero() => tokio::time::sleep(delay).await,
            Way::Delayed(_) => {}
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

async fn over(mut way: watch::Receiver<Way>) {
    let _ = way.wait_for(|way| *way != Way::Hole).await;
}
