//! A clock that is wrong, for one process: a small library, compiled here and preloaded there.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;

/// A process's clock. The process must be started with [`variables`](Self::variables).
pub struct WrongClock {
    offset: File,
    directory: tempfile::TempDir,
}

impl WrongClock {
    /// A clock that is right until it is set; `None` where preloading is not to be had.
    pub fn new() -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/harness/wrong_clock.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(directory.path().join("wrong_clock.so"))
            .arg(source)
            .arg("-ldl")
            .status()
            .ok()?;
        fs::write(directory.path().join("offset"), 0_i64.to_ne_bytes()).unwrap();
        let offset = File::options().write(true).open(directory.path().join("offset")).unwrap();
        compiled.success().then_some(Self { offset, directory })
    }

    /// Environment variables by which a process gets this clock.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        let path = |name: &str| self.directory.path().join(name).display().to_string();
        [("LD_PRELOAD", path("wrong_clock.so")), ("WRONG_CLOCK", path("offset"))]
    }

    /// From now on the clock is this many seconds ahead, or behind.
    pub fn set(&self, seconds: i64) {
        self.offset.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }
}
