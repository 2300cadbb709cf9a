//! What PostgreSQL writes about itself into its data directory.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use nix::errno::Errno;
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

/// PostgreSQL's own file about its running server.
pub(super) const PID_FILE: &str = "postmaster.pid";

/// What the server says that it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Starting,
    Ready,
    Stopping,
}

/// The content of `postmaster.pid`, which outlives a server that was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Postmaster {
    pub pid: Pid,
    pub status: Status,
}

impl Postmaster {
    /// Reads the file, if there is one that names a process.
    pub fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read(data.join(PID_FILE)).ok()?)
    }

    /// Line 1 is the process; line 8, written last, the status.
    fn parse(content: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(content);
        let mut lines = text.lines().map(str::trim);
        // A single-user server writes a negative number.
        let pid = lines.next()?.parse::<i32>().ok()?.checked_abs().filter(|pid| *pid > 0)?;
        let status = match lines.nth(6) {
            Some("ready" | "standby") => Status::Ready,
            Some("stopping") => Status::Stopping,
            _ => Status::Starting,
        };
        Some(Self { pid: Pid::from_raw(pid), status })
    }

    /// Whether any process has this number.
    pub fn process_exists(&self) -> bool {
        signal::kill(self.pid, None).is_ok()
    }

    /// Whether that process is the server of these data, and not one that has got its number since.
    /// The command line is looked at because, unlike the rest, root may read it in a container too.
    pub fn serves(&self, data: &Path) -> bool {
        let data = data.as_os_str().as_bytes();
        if cfg!(target_os = "linux") {
            let arguments = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
            return arguments.split(|byte| *byte == 0).any(|argument| argument == data);
        }
        Command::new("ps")
            .args(["-ww", "-o", "command=", "-p", &self.pid.to_string()])
            .output()
            .is_ok_and(|output| output.stdout.windows(data.len()).any(|window| window == data))
    }

    /// Asks for a fast shutdown: open transactions are rolled back, then everything is written.
    /// One that has just ended needs no asking.
    pub fn ask_to_stop(&self) -> io::Result<()> {
        match signal::kill(self.pid, Signal::SIGINT) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", None)]
    #[case("0\n", None)]
    #[case("nonsense\n", None)]
    #[case("12\n", Some((12, Status::Starting)))]
    #[case("-12\n/data\n", Some((12, Status::Starting)))]
    #[case("12\n/data\n1\n5432\n/socket\n\n  1 2\nstarting\n", Some((12, Status::Starting)))]
    #[case("12\n/data\n1\n5432\n/socket\n\n  1 2\nready   \n", Some((12, Status::Ready)))]
    #[case("12\n/data\n1\n5432\n/socket\n\n  1 2\nstopping\n", Some((12, Status::Stopping)))]
    fn the_file_is_read(#[case] content: &str, #[case] expected: Option<(i32, Status)>) {
        let expected = expected.map(|(pid, status)| Postmaster { pid: Pid::from_raw(pid), status });
        assert_eq!(Postmaster::parse(content.as_bytes()), expected);
    }

    #[test]
    fn another_process_with_the_same_number_is_not_the_server() {
        let me = Postmaster { pid: Pid::this(), status: Status::Ready };
        assert!(me.process_exists());
        assert!(!me.serves(Path::new("/no/data/of/this/process")));
        let program = std::env::args_os().next().unwrap();
        assert!(me.serves(Path::new(&program)), "the command line is what is compared");
    }
}
