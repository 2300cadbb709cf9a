//! A clock of servers, or of servers and database, that can be moved.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Names the directory of the clock to the second process.
const INHERITED: &str = "GRANTOR_BENCH_CLOCK";

/// The clock is this many seconds ahead.
pub struct Clock {
    offset: File,
    directory: PathBuf,
}

impl Clock {
    /// A clock in this directory that has the right time.
    pub fn make(directory: &Path) -> Self {
        // Open, so that the account that runs PostgreSQL for root can enter it.
        fs::set_permissions(directory, Permissions::from_mode(0o755)).expect("the directory is ours");
        fs::write(directory.join("offset"), 0_i64.to_ne_bytes()).expect("the directory is ours");
        compile(directory);
        Self::open(directory.to_owned())
    }

    fn open(directory: PathBuf) -> Self {
        let offset = File::options().write(true).open(directory.join("offset")).expect("it was made");
        Self { offset, directory }
    }

    /// That of this process's PostgreSQL; `None`: it has the right time.
    pub fn inherited() -> Option<Self> {
        Some(Self::open(std::env::var_os(INHERITED)?.into()))
    }

    /// Makes a clock, and programs of PostgreSQL that have it, and does with them what this process was asked to do: the
    /// library that runs PostgreSQL finds its programs by a variable, and gives it no other.
    pub fn run_again() -> ExitCode {
        let directory = tempfile::Builder::new().prefix("grantor-clock-").tempdir().expect("a directory");
        Self::make(directory.path());
        let programs = programs();
        for program in ["postgres", "initdb"] {
            let script = format!(
                "#!/bin/sh\nexport LD_PRELOAD={0}/wrong_clock.so WRONG_CLOCK={0}/offset\nexec {1}/{program} \"$@\"\n",
                directory.path().display(),
                programs.display()
            );
            let path = directory.path().join(program);
            fs::write(&path, script).expect("the directory is ours");
            fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("the file is ours");
        }
        let again = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(std::env::args_os().skip(1))
            .env("PG_BIN", directory.path())
            .env(INHERITED, directory.path())
            .status()
            .expect("this program can be started");
        if again.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Environment variables by which a server has this clock, and its timers too.
    pub fn variables(&self) -> [(String, String); 3] {
        let path = |name: &str| self.directory.join(name).display().to_string();
        [
            ("LD_PRELOAD".to_owned(), path("wrong_clock.so")),
            ("WRONG_CLOCK".to_owned(), path("offset")),
            ("WRONG_CLOCK_MONOTONIC".to_owned(), "1".to_owned()),
        ]
    }

    /// From now on the clock is this many seconds ahead.
    pub fn set(&self, seconds: i64) {
        self.offset.write_all_at(&seconds.to_ne_bytes(), 0).expect("the file is ours");
    }

    /// How many it is ahead, for others to read.
    pub fn offset(&self) -> PathBuf {
        self.directory.join("offset")
    }
}

fn compile(directory: &Path) {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/harness/wrong_clock.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(directory.join("wrong_clock.so"))
        .args([source, "-ldl"])
        .status()
        .expect("there is a C compiler, which the build needs too");
    assert!(compiled.success(), "the clock is not to be had: this needs Linux");
}

/// Where PostgreSQL's programs are: as named, or the newest.
fn programs() -> PathBuf {
    if let Some(named) = std::env::var_os("PG_BIN") {
        return named.into();
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.max_by_key(|entry| {
        entry.file_name().to_str().and_then(|version| version.parse::<u32>().ok()).unwrap_or(0)
    });
    newest.expect("PG_BIN names the directory of PostgreSQL's programs").path().join("bin")
}
