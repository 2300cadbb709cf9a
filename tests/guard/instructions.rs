//! Counting instructions: the server runs under Valgrind's callgrind, which counts what is executed for tasks of the
//! worker.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::callgrind;

/// Where every task is carried on. What a thread does between them depends on how long everything takes.
const TASK: &str = "tokio::runtime::task::raw::poll";

/// What only the worker does: nobody asks for metrics.
const ANSWERING: &str = "actix_http::h1::dispatcher::";

pub struct Instructions {
    process: u32,
    output: PathBuf,
    dumps: u32,
}

impl Instructions {
    /// `valgrind`, to which the server's own arguments are added.
    pub fn command(directory: &Path) -> Command {
        let server = std::env::var_os("GUARDED_BINARY").expect("GUARDED_BINARY names the server to be run");
        let mut command = Command::new("valgrind");
        command
            .args([
                "--tool=callgrind",
                "--compress-strings=no",
                "--compress-pos=no",
                "--separate-threads=yes",
            ])
            .arg(format!("--callgrind-out-file={}", output(directory).display()))
            .arg(format!("--toggle-collect={TASK}"))
            .arg(server);
        command
    }

    pub fn of(process: &Child, directory: &Path) -> Self {
        Self { process: process.id(), output: output(directory), dumps: 0 }
    }

    /// The instructions while this is done, without those of the library of cryptography. `callgrind_annotate` shows
    /// where they went, from a file under this name.
    pub fn during(&mut self, name: &str, work: impl FnOnce()) -> u64 {
        self.tell("zero");
        work();
        self.tell("dump");
        self.dumps += 1;
        let worker = self.dump_of_worker();
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("instructions");
        fs::create_dir_all(&kept).unwrap();
        fs::write(kept.join(name), &worker).unwrap();
        callgrind::instructions_of_rust(&worker)
    }

    /// There is a file for each thread. The worker's is the one in which requests were answered.
    fn dump_of_worker(&self) -> String {
        let name = self.output.file_name().unwrap().to_string_lossy();
        let of_this_dump = format!("{name}.{}-", self.dumps);
        let files = fs::read_dir(self.output.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
        files
            .filter(|file| file.file_name().unwrap().to_string_lossy().starts_with(&of_this_dump))
            .map(|file| fs::read_to_string(file).unwrap())
            .find(|dump| dump.contains(ANSWERING))
            .unwrap_or_else(|| panic!("callgrind has not seen {ANSWERING} within {TASK}"))
    }

    fn tell(&self, order: &str) {
        let told = Command::new("vgdb").arg(format!("--pid={}", self.process)).arg(order).output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    }
}

fn output(directory: &Path) -> PathBuf {
    directory.join("callgrind")
}
