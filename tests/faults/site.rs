//! An installation under test: its PostgreSQL, its processes, an app and a person.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::harness::{MASTER_KEY, free_port, password_of};
use super::postgres::Postgres;

pub const PERSON: &str = "alice";
pub const REDIRECT_URI: &str = "https://app.example/callback";

/// How long anything may take to start or end before the row is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// An installation. Its processes are values of their own.
pub struct Site {
    pub postgres: Postgres,
    /// Where people and apps find it, as `http://localhost:PORT`.
    pub issuer: String,
    /// The port of the issuer.
    pub port: u16,
    pub client_id: String,
    pub client_secret: String,
    settings: Vec<(String, String)>,
    directory: tempfile::TempDir,
}

/// A server's process. It is killed with this value.
pub struct Process {
    /// Where this process answers programs.
    pub origin: String,
    child: Child,
    spawned: Instant,
}

impl Site {
    /// With an empty PostgreSQL, and `GRANTOR_` variables beyond the usual ones.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        let port = free_port();
        let mut site = Self {
            postgres: Postgres::start(),
            issuer: format!("http://localhost:{port}"),
            port,
            client_id: String::new(),
            client_secret: String::new(),
            settings: settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            directory: tempfile::Builder::new().prefix("grantor-faults-").tempdir().unwrap(),
        };
        let email = format!("{PERSON}@example.com");
        let user = ["user", "create", "--username", PERSON, "--email", &email, "--password-stdin"];
        site.json(&user, &format!("{}\n", password_of(PERSON)));
        let client = ["client", "create", "--name", "Faults", "--redirect-uri", REDIRECT_URI];
        let client = site.json(&client, "");
        site.client_id = client["client_id"].as_str().unwrap().to_owned();
        site.client_secret = client["client_secret"].as_str().unwrap().to_owned();
        site
    }

    /// A process at the issuer's own port.
    pub fn spawn(&self) -> Process {
        self.spawn_at(self.port, &[])
    }

    /// A process at this port, with more variables.
    pub fn spawn_at(&self, port: u16, more: &[(&str, &str)]) -> Process {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        let child = self
            .command(&["serve", "--listen", &format!("127.0.0.1:{port}")])
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Process { origin: format!("http://127.0.0.1:{port}"), child, spawned: Instant::now() }
    }

    /// A process that answers.
    pub async fn start(&self) -> Process {
        let process = self.spawn();
        process.ready().await;
        process
    }

    /// `processes` of them that answer, the first at the issuer's own port.
    pub async fn start_several(&self, processes: usize, more: &[(&str, &str)]) -> Vec<Process> {
        let ports = std::iter::once(self.port).chain(std::iter::repeat_with(free_port));
        let started: Vec<Process> = ports.take(processes).map(|port| self.spawn_at(port, more)).collect();
        for process in &started {
            process.ready().await;
        }
        started
    }

    /// Runs a command, whatever comes of it.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads no input may have ended.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs a command that succeeds.
    pub fn json(&self, arguments: &[&str], input: &str) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat(), input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A command in this installation's environment, and in no other.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grantor"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DATABASE_URL", self.postgres.url())
            .env("GRANTOR_ISSUER", &self.issuer)
            .env("GRANTOR_MASTER_KEY", MASTER_KEY)
            .env("GRANTOR_STATE_DIR", self.directory.path())
            .env("GRANTOR_SERVER_METRICS_LISTEN", "127.0.0.1:0")
            .env("GRANTOR_LOG_FILTER", "warn")
            .envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// A directory for whatever a row needs.
    pub fn directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// How often a process of this installation has panicked.
    pub fn panics(&self) -> usize {
        self.log().lines().filter(|line| line.contains("panic")).count()
    }

    /// What the processes have logged: warnings and errors.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

impl Process {
    /// Waits for the first 200; the time from the start of the process to then.
    pub async fn ready(&self) -> Duration {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(1)).build().unwrap();
        loop {
            let asked = http.get(format!("{}/health/ready", self.origin)).send().await;
            if asked.is_ok_and(|answer| answer.status() == 200) {
                return self.spawned.elapsed();
            }
            assert!(self.spawned.elapsed() < PATIENCE, "the server at {} does not become ready", self.origin);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Kills it, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; the exit code (`None`: a signal killed it).
    pub async fn ended(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(began.elapsed() < PATIENCE, "the server at {} does not end", self.origin);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file in this directory.
pub fn file(directory: &std::path::Path, name: &str, content: &str) -> PathBuf {
    let path = directory.join(name);
    File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
    path
}
