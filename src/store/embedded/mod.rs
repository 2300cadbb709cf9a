//! The private PostgreSQL of a first run, made from the system's programs.
//!
//! It lies in the state directory where possible, listens on a Unix socket in a directory that only its
//! account may enter, and needs no port and no password. All processes that use it hold a shared lock
//! on `cluster.lock`; the last to leave stops it. A process that was killed leaves it running, and the
//! next one uses it as it is.

mod account;
mod binaries;
mod cluster;
mod error;
mod place;
mod postmaster;
mod private;
mod settings;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use self::cluster::Cluster;
pub use self::error::EmbeddedError;
use self::place::Place;

/// Whether what was committed must survive a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It must.
    Full,
    /// It need not: for tests, which are several times faster so.
    None,
}

/// The right to use the private cluster of a state directory. Dropped, or better [`stop`](Self::stop)ped,
/// it stops the cluster if nobody else uses it.
#[derive(Debug)]
pub struct Embedded {
    cluster: Cluster,
    /// Locked shared while this process uses the cluster; `None` when it has left.
    users: Option<File>,
    lock_path: PathBuf,
}

impl Embedded {
    /// Makes (once) and starts (if it does not run) the cluster of this state directory, which is made,
    /// 0700, where it is missing. Blocks for about a second at the first time, a tenth of one at a
    /// later start, and a millisecond when the cluster runs. `progress` is told what takes a while.
    ///
    /// # Errors
    /// Each is one line that says what to do.
    pub fn start(
        state_directory: &Path,
        durability: Durability,
        progress: &dyn Fn(&str),
    ) -> Result<Self, EmbeddedError> {
        Self::start_with(state_directory, durability, &[], progress)
    }

    /// The same with settings of PostgreSQL's beside the modest ones, each as `name=value`: a measurement gives it the
    /// memory that a server of its own would have.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(
        state_directory: &Path,
        durability: Durability,
        settings: &'static [&'static str],
        progress: &dyn Fn(&str),
    ) -> Result<Self, EmbeddedError> {
        let state_directory = private::state_directory(state_directory)?;
        let place = {
            let _placing = locked(&state_directory, "cluster-place.lock")?;
            Place::of(&state_directory)?
        };
        // In the cluster's own directory: a copied state directory leads to the same cluster, and must not
        // stop it under the other's feet.
        let lock_path = place.directory.join("cluster.lock");
        let users = private::open_file(&place.directory, "cluster.lock")?;
        // Waits while the last user stops the cluster under its exclusive lock.
        users.lock_shared().map_err(EmbeddedError::io("lock", &lock_path))?;

        let _starting = locked(&place.directory, "cluster-start.lock")?;
        let cluster = Cluster { place, durability, settings };
        cluster.ensure_running(progress)?;
        Ok(Self { cluster, users: Some(users), lock_path })
    }

    /// How to connect to Grantor's database in the cluster.
    pub fn connect_options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.cluster.place.socket_directory)
            .port(5432)
            .username(cluster::NAME)
            .database(cluster::NAME)
            .ssl_mode(PgSslMode::Disable)
    }

    /// Where the cluster lies, for messages: data, log and mostly the socket.
    pub fn directory(&self) -> &Path {
        &self.cluster.place.directory
    }

    /// Leaves the cluster, and stops it if nobody else uses it. Connections should be closed before.
    ///
    /// # Errors
    /// If the server does not stop.
    pub fn stop(mut self) -> Result<(), EmbeddedError> {
        self.leave()
    }

    fn leave(&mut self) -> Result<(), EmbeddedError> {
        let Some(users) = self.users.take() else { return Ok(()) };
        users.unlock().map_err(EmbeddedError::io("unlock", &self.lock_path))?;
        match users.try_lock() {
            Ok(()) => self.cluster.stop(),
            Err(TryLockError::WouldBlock) => Ok(()),
            Err(TryLockError::Error(error)) => Err(EmbeddedError::io("lock", &self.lock_path)(error)),
        }
    }
}

/// Waits for a lock that one process at a time may hold, until the file is dropped.
fn locked(directory: &Path, name: &str) -> Result<File, EmbeddedError> {
    let file = private::open_file(directory, name)?;
    file.lock().map_err(EmbeddedError::io("lock", &directory.join(name)))?;
    Ok(file)
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Err(error) = self.leave() {
            tracing::warn!("{error}");
        }
    }
}
