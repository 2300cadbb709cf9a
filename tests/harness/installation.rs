//! An installation as an operator has it on a machine of its own: a state directory, an environment, processes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::browser::Browser;
use super::database::TestDatabase;

/// Nothing is inherited from the environment of the tests but the search path.
pub struct Installation {
    pub state: PathBuf,
    environment: Vec<(String, String)>,
    // Dropped last: the database may be used until the processes have ended.
    _parent: tempfile::TempDir,
}

impl Installation {
    /// With nothing configured: its database is the private one of its state directory.
    pub fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let installation =
            Self { state: parent.path().join("state"), environment: Vec::new(), _parent: parent };
        let state = installation.state.display().to_string();
        installation
            .with("GRANTOR_STATE_DIR", &state)
            .with("GRANTOR_LISTEN", "127.0.0.1:0")
            .with("GRANTOR_SERVER_METRICS_LISTEN", "127.0.0.1:0")
            .with("GRANTOR_SERVER_DRAIN_DELAY", "0s")
            .with("GRANTOR_PASSWORDS_MEMORY_KIB", "7168")
            .with("GRANTOR_PASSWORDS_ITERATIONS", "1")
    }

    /// With a database that somebody else runs.
    pub fn on(database: &TestDatabase) -> Self {
        Self::new().with("DATABASE_URL", &database.url())
    }

    /// Sets an environment variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(other, _)| other != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Unsets an environment variable.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(other, _)| other != name);
        self
    }

    /// A file beside the state directory, for its owner only.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self._parent.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// The binary with this installation's environment, to be run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grantor"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command with this standard input, whatever comes of it.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.command(arguments).spawn().unwrap();
        // A command that reads no input may have ended.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs a command that succeeds; its JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat(), "");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command that is refused with exit 1 and nothing on standard output; its one line.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        said
    }

    /// A server that has started.
    pub fn serve(&self, arguments: &[&str]) -> Process {
        let log = self._parent.path().join("log");
        let append = fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let arguments = [&["serve"], arguments].concat();
        let started = Instant::now();
        let mut child = self.command(&arguments).stderr(append).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut told = String::new();
        while !told.lines().any(|line| line.starts_with("ready: ")) {
            if stdout.read_line(&mut told).unwrap() == 0 {
                let _ = child.wait();
                panic!("the server did not start: {}", fs::read_to_string(log).unwrap());
            }
        }
        let issuer = told.lines().last().unwrap().trim_start_matches("ready: ").to_owned();
        Process { issuer, told, ready_after: started.elapsed(), stdout, child }
    }

    /// Whether the private cluster runs.
    pub fn cluster_runs(&self) -> bool {
        let pid = fs::read_to_string(self.cluster().join("data/postmaster.pid"));
        pid.is_ok_and(|pid| Path::new("/proc").join(pid.lines().next().unwrap()).exists())
    }

    /// Where the private cluster lies.
    fn cluster(&self) -> PathBuf {
        let elsewhere = fs::read_to_string(self.state.join("cluster-location"));
        elsewhere.map_or_else(|_| self.state.join("cluster"), |place| PathBuf::from(place.trim_end()))
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        // A killed server leaves the cluster running; the next command to leave stops it.
        if self.cluster_runs() {
            self.run(&["key", "list", "--state-dir", &self.state.display().to_string()], "");
        }
        if self.state.join("cluster-location").exists() {
            let _ = fs::remove_dir_all(self.cluster());
        }
    }
}

/// A server's process. It is killed with the test.
pub struct Process {
    /// What follows `ready: `.
    pub issuer: String,
    /// What it wrote on standard output up to then.
    pub told: String,
    /// How long that took.
    pub ready_after: Duration,
    stdout: BufReader<ChildStdout>,
    child: Child,
}

impl Process {
    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.issuer.rsplit(':').next().unwrap())
    }

    /// The status and body of a GET.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let answer = Browser::at(&self.issuer).get(path).await;
        (answer.status.as_u16(), answer.body)
    }

    /// Sends a signal, for example `KILL` or `TERM`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end, at most this long: the exit code (`None` after a signal that killed it), and how
    /// long that took.
    pub fn wait(&mut self, at_most: Duration) -> (Option<i32>, Duration) {
        let started = Instant::now();
        while started.elapsed() < at_most {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), started.elapsed());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it still runs after {at_most:?}");
    }

    /// Ends it as an operator does; everything that it has written on standard output.
    pub fn stop(mut self) -> String {
        self.signal("TERM");
        assert_eq!(self.wait(Duration::from_secs(12)).0, Some(0));
        let mut told = self.told.clone();
        self.stdout.read_to_string(&mut told).unwrap();
        told
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until it is so; how long that took.
pub async fn until<F: Future<Output = bool>>(at_most: Duration, mut is_so: impl FnMut() -> F) -> Duration {
    let started = Instant::now();
    loop {
        if is_so().await {
            return started.elapsed();
        }
        assert!(started.elapsed() < at_most, "not so after {at_most:?}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
