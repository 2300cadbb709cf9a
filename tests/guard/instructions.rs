//! Counting instructions: the server runs under Valgrind's callgrind, which counts what is executed while a worker
//! works on a connection.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::callgrind;

/// Where a worker takes up a connection's requests. What runs elsewhere, such as timers, depends on how long
/// everything takes.
const WORK: &str =
    "<actix_http::h1::dispatcher::Dispatcher<T,S,B,X,U> as core::future::future::Future>::poll";

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
            .args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
            .arg(format!("--callgrind-out-file={}", output(directory).display()))
            .arg(format!("--toggle-collect={WORK}"))
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
        let dump = fs::read_to_string(format!("{}.{}", self.output.display(), self.dumps)).unwrap();
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("instructions");
        fs::create_dir_all(&kept).unwrap();
        fs::write(kept.join(name), &dump).unwrap();
        let instructions = callgrind::instructions_of_rust(&dump);
        assert!(instructions > 0, "callgrind does not find the function {WORK}");
        instructions
    }

    fn tell(&self, order: &str) {
        let told = Command::new("vgdb").arg(format!("--pid={}", self.process)).arg(order).output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    }
}

fn output(directory: &Path) -> PathBuf {
    directory.join("callgrind")
}
