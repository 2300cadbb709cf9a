//! The real binary as a process, and its command line.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::database::{MASTER_KEY, TestDatabase};
use super::port::free_port;

/// Settings of a server beyond the tests' usual ones, as environment variables.
#[derive(Default, Clone)]
pub struct Settings(Vec<(String, String)>);

impl Settings {
    /// For example `("GRANTOR_TOKENS_REFRESH_REUSE_WINDOW", "0s")`.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A running server. It ends with the test.
pub struct Server {
    pub issuer: String,
    /// Where this process answers: the issuer, but for a replica.
    pub origin: String,
    pub database: Arc<TestDatabase>,
    pub state: tempfile::TempDir,
    process: Child,
}

impl Server {
    /// A server with a fresh database.
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    pub async fn start_with(settings: Settings) -> Self {
        Self::start_on(Arc::new(TestDatabase::new().await), settings).await
    }

    /// One more server, or another one, on the same database.
    pub async fn start_on(database: Arc<TestDatabase>, settings: Settings) -> Self {
        tokio::task::spawn_blocking(move || Self::spawn(database, &settings, 0)).await.unwrap()
    }

    /// One more process of the same issuer on the same database, as if a proxy stood before both. Pages refuse
    /// its own address; programs may use it.
    pub async fn replica(&self, settings: Settings) -> Self {
        let settings = settings.with("GRANTOR_ISSUER", &self.issuer);
        let free = free_port();
        let database = Arc::clone(&self.database);
        let spawned = tokio::task::spawn_blocking(move || Self::spawn(database, &settings, free)).await;
        let mut replica = spawned.unwrap();
        replica.origin = format!("http://localhost:{free}");
        replica
    }

    fn spawn(database: Arc<TestDatabase>, settings: &Settings, port: u16) -> Self {
        let state = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(state.path().join("log")).unwrap();
        let mut process = command(&database, &state)
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .env("GRANTOR_LOG_FILTER", "debug")
            .env("GRANTOR_SERVER_METRICS_LISTEN", "127.0.0.1:0")
            .env("GRANTOR_DATABASE_MAX_CONNECTIONS", "9")
            .env("GRANTOR_PASSWORDS_MEMORY_KIB", "7168")
            .env("GRANTOR_PASSWORDS_ITERATIONS", "1")
            .envs(settings.0.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let issuer = lines.find_map(|line| line.ok()?.strip_prefix("ready: ").map(str::to_owned));
        let Some(issuer) = issuer else {
            let _ = process.wait();
            panic!(
                "the server did not start: {}",
                std::fs::read_to_string(state.path().join("log")).unwrap()
            );
        };
        Self { origin: issuer.clone(), issuer, database, state, process }
    }

    /// An address of this server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        let port = self.origin.rsplit(':').next().unwrap().parse().unwrap();
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    /// Everything that the server has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.state.path().join("log")).unwrap()
    }

    /// Runs a command on the server's database; its JSON.
    pub fn cli(&self, arguments: &[&str]) -> Value {
        let output = self.cli_output(arguments, "");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command, whatever comes of it.
    pub fn cli_output(&self, arguments: &[&str], input: &str) -> Output {
        self.run(&[arguments, &["--json"]].concat(), input)
    }

    /// The same as people run it, without JSON.
    pub fn plain(&self, arguments: &[&str]) -> Output {
        self.run(arguments, "")
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut process = command(&self.database, &self.state)
            .args(arguments)
            .env("GRANTOR_ISSUER", &self.issuer)
            .env("GRANTOR_PASSWORDS_MEMORY_KIB", "7168")
            .env("GRANTOR_PASSWORDS_ITERATIONS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        process.wait_with_output().unwrap()
    }

    /// Makes a person with this name, the password `correct horse NAME`, and these roles.
    pub fn user(&self, name: &str, roles: &[&str]) -> String {
        let email = format!("{name}@example.com");
        let mut arguments = vec!["user", "create", "--username", name, "--email", &email, "--password-stdin"];
        for role in roles {
            arguments.extend(["--role", role]);
        }
        let output = self.cli_output(&arguments, &format!("{}\n", password_of(name)));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let user: Value = serde_json::from_slice(&output.stdout).unwrap();
        user["id"].as_str().unwrap().to_owned()
    }

    /// Waits until a change made elsewhere must have arrived: two seconds are promised.
    pub async fn change_arrives(&self) {
        tokio::time::sleep(Duration::from_millis(2_000)).await;
    }

    /// Sends a signal, for example `-9` or `-TERM`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the process to end, at most this long; its exit code.
    pub fn wait(&mut self, at_most: Duration) -> Option<i32> {
        let started = Instant::now();
        while started.elapsed() < at_most {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code().or(Some(-1));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The password that [`Server::user`] gives.
pub fn password_of(name: &str) -> String {
    format!("correct horse {name}")
}

fn command(database: &TestDatabase, state: &tempfile::TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grantor"));
    command
        .env("DATABASE_URL", database.url())
        .envs(database.settings().iter().copied())
        .env("GRANTOR_MASTER_KEY", MASTER_KEY)
        .env("GRANTOR_STATE_DIR", state.path());
    command
}
