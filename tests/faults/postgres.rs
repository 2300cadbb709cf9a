//! A PostgreSQL of its own, which writes through to the disk, and what can happen to it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use grantor::store::embedded::{Durability, Embedded};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A cluster. It ends with this value.
pub struct Postgres {
    state: PathBuf,
    running: Mutex<Embedded>,
    // Dropped last: the cluster lies in it.
    _directory: tempfile::TempDir,
}

impl Postgres {
    pub fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("grantor-faults-").tempdir().unwrap();
        // Open, so that the account that runs PostgreSQL for root can enter it.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let state = directory.path().join("state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
        let running = Mutex::new(run(&state));
        Self { state, running, _directory: directory }
    }

    pub fn options(&self) -> PgConnectOptions {
        self.running.lock().unwrap().connect_options()
    }

    /// The directory with the socket.
    pub fn socket(&self) -> PathBuf {
        self.options().get_socket().expect("it listens on a socket").clone()
    }

    pub fn url(&self) -> String {
        url_at(&self.socket().display().to_string())
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options()).await.unwrap()
    }

    pub async fn execute(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        sqlx::query(statement).execute(&mut self.connect().await).await.unwrap();
    }

    /// Kills one of the backends that work for Grantor, as a crash or the kernel would.
    pub async fn kill_backend(&self) {
        let mut connection = self.connect().await;
        let pid: i32 = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'grantor'
             ORDER BY state <> 'active', random() LIMIT 1",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    }

    /// The server and everything that it runs end at once, without writing anything.
    pub fn quit(&self) {
        self.end(Signal::SIGQUIT);
    }

    /// `pg_ctl restart -m fast`: connections are cut, everything is written, it starts again. How long nobody
    /// could have used it, at most.
    pub fn restart(&self) -> Duration {
        let began = Instant::now();
        self.end(Signal::SIGINT);
        self.start_again();
        began.elapsed()
    }

    /// Starts it after it has ended, and waits until it accepts connections.
    pub fn start_again(&self) {
        let again = run(&self.state);
        *self.running.lock().unwrap() = again;
    }

    fn end(&self, signal: Signal) {
        let pid = self.postmaster().expect("it runs");
        kill(pid, signal).unwrap();
        while kill(pid, None).is_ok() {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn postmaster(&self) -> Option<Pid> {
        let directory = self.running.lock().unwrap().directory().join("data/postmaster.pid");
        let pid = fs::read_to_string(directory).ok()?.lines().next()?.parse().ok()?;
        Some(Pid::from_raw(pid))
    }
}

fn run(state: &std::path::Path) -> Embedded {
    Embedded::start(state, Durability::Full, &|_| {}).unwrap()
}

/// The URL of the database behind the socket in this directory.
pub fn url_at(socket_directory: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(socket_directory.as_bytes()).collect();
    format!("postgres:///grantor?host={encoded}&user=grantor&sslmode=disable")
}
