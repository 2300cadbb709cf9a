//! The life of a cluster: made, started, stopped.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::binaries::Binaries;
use super::error::EmbeddedError;
use super::place::Place;
use super::postmaster::{PID_FILE, Postmaster, Status};
use super::{Durability, private, settings};

/// The role that owns the cluster, and the database in it.
pub(super) const NAME: &str = "grantor";

/// Recovery after a crash may take minutes; a shutdown writes at most what is in memory.
const START_SECONDS: u64 = 300;
const STOP_SECONDS: u64 = 60;

/// How long the workers of a killed server are waited for.
const ORPHANS: Duration = Duration::from_secs(10);

const POLL: Duration = Duration::from_millis(10);

/// A log above this is begun anew at the next start, in bytes.
const LONGEST_LOG: u64 = 4 << 20;

#[derive(Debug)]
pub(super) struct Cluster {
    pub place: Place,
    pub durability: Durability,
    /// Beside those of every private cluster.
    pub settings: &'static [&'static str],
}

impl Cluster {
    /// Makes the cluster if there is none, starts it if it does not run, and waits until it accepts
    /// connections. The caller holds the lock that only one process at a time may do this.
    pub fn ensure_running(&self, progress: &dyn Fn(&str)) -> Result<(), EmbeddedError> {
        // Before anything is believed that a socket says: it must be the database's own account's.
        self.place.prepare_socket_directory()?;
        if self.wait_until_settled()? == Some(Status::Ready) {
            if self.socket_answers() {
                return Ok(());
            }
            // Its socket has been cleaned away, and nobody can connect to it any more.
            self.stop()?;
        }
        self.remove_leftovers()?;
        let made_by = self.made_by();
        let binaries = Binaries::find(self.place.account, made_by)?;
        if made_by.is_none() {
            let place = self.place.directory.display();
            progress(&format!("making a private PostgreSQL {} in {place}", binaries.major));
            self.make(&binaries)?;
        }
        progress(&format!("starting the private PostgreSQL in {}", self.place.directory.display()));
        self.start_after_others(&binaries)
    }

    /// Stops the server, if one runs that this process can see.
    pub fn stop(&self) -> Result<(), EmbeddedError> {
        let data = self.place.data();
        let Some(server) = Postmaster::read(&data).filter(|server| server.serves(&data)) else {
            return Ok(());
        };
        server.ask_to_stop().map_err(EmbeddedError::io("stop the server of", &data))?;
        let deadline = Instant::now() + Duration::from_secs(STOP_SECONDS);
        while server.serves(&data) {
            self.check(deadline, "stop", STOP_SECONDS)?;
            thread::sleep(POLL);
        }
        self.place.remove_socket_directory();
        Ok(())
    }

    /// Waits while somebody else's start or stop is under way. `None`: nothing runs.
    fn wait_until_settled(&self) -> Result<Option<Status>, EmbeddedError> {
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS);
        loop {
            match self.status() {
                None => return Ok(None),
                Some(Status::Ready) => return Ok(Some(Status::Ready)),
                Some(Status::Starting | Status::Stopping) => self.check(deadline, "start", START_SECONDS)?,
            }
            thread::sleep(POLL);
        }
    }

    /// What a running server says. One in another container may be seen by its socket alone.
    fn status(&self) -> Option<Status> {
        let data = self.place.data();
        let server = Postmaster::read(&data)?;
        (server.serves(&data) || self.socket_answers()).then_some(server.status)
    }

    fn socket_answers(&self) -> bool {
        UnixStream::connect(self.place.socket()).is_ok()
    }

    fn check(&self, deadline: Instant, what: &'static str, seconds: u64) -> Result<(), EmbeddedError> {
        if Instant::now() < deadline {
            return Ok(());
        }
        Err(EmbeddedError::TimedOut { what, seconds, log: self.place.log() })
    }

    /// A killed server leaves files that name its process. PostgreSQL sees through them only as long as
    /// no other process has got that number.
    fn remove_leftovers(&self) -> Result<(), EmbeddedError> {
        let data = self.place.data();
        let socket = self.place.socket();
        let mut leftovers = vec![socket.with_extension("5432.lock"), socket];
        if Postmaster::read(&data).is_some_and(|server| server.process_exists()) {
            leftovers.push(data.join(PID_FILE));
        }
        for path in leftovers {
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(EmbeddedError::io("remove", &path)(error)),
            }
        }
        Ok(())
    }

    /// The major version that made the data, if there are data.
    fn made_by(&self) -> Option<u32> {
        fs::read_to_string(self.place.data().join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// Makes the data beside their place and moves them there when they are whole, with the database in
    /// them: what a killed attempt leaves is thrown away by the next one.
    fn make(&self, binaries: &Binaries) -> Result<(), EmbeddedError> {
        let (data, draft) = (self.place.data(), self.place.directory.join("data.new"));
        if draft.exists() {
            fs::remove_dir_all(&draft).map_err(EmbeddedError::io("remove", &draft))?;
        }
        let mut initdb = self.place.account.command(binaries.directory.join("initdb"));
        initdb.arg("-D").arg(&draft).args(["-U", NAME, "--auth=trust"]).args(settings::INITDB);
        if self.durability == Durability::None {
            initdb.arg("--no-sync");
        }
        self.run("initdb", initdb, "")?;

        let mut single = self.place.account.command(binaries.directory.join("postgres"));
        single.arg("--single").arg("-D").arg(&draft).args(["-c", "exit_on_error=on"]);
        single.args(settings::arguments(self.durability, self.settings)).arg("postgres");
        self.run("postgres", single, &format!("CREATE DATABASE {NAME}\n"))?;

        fs::rename(&draft, &data).map_err(EmbeddedError::io("make", &data))?;
        let place = &self.place.directory;
        File::open(place).and_then(|opened| opened.sync_all()).map_err(EmbeddedError::io("write", place))
    }

    fn run(&self, program: &'static str, mut command: Command, input: &str) -> Result<(), EmbeddedError> {
        let (log, begin) = self.open_log()?;
        let mut child = self.spawn(program, command.stdin(Stdio::piped()), &log)?;
        let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
        let status = child.wait().map_err(EmbeddedError::io("wait for", Path::new(program)))?;
        if status.success() && written.is_ok() { Ok(()) } else { Err(self.failed(program, begin)) }
    }

    /// The workers of a killed server may live a moment longer than it, and PostgreSQL rightly refuses
    /// to start beside them.
    fn start_after_others(&self, binaries: &Binaries) -> Result<(), EmbeddedError> {
        let deadline = Instant::now() + ORPHANS;
        loop {
            match self.start(binaries) {
                Err(EmbeddedError::Failed { reason, .. })
                    if reason.contains("shared memory block") && Instant::now() < deadline =>
                {
                    thread::sleep(POLL * 10);
                }
                result => return result,
            }
        }
    }

    fn start(&self, binaries: &Binaries) -> Result<(), EmbeddedError> {
        self.place.prepare_socket_directory()?;
        let (log, begin) = self.open_log()?;
        let mut server = self.place.account.command(binaries.directory.join("postgres"));
        server.arg("-D").arg(self.place.data()).args(settings::arguments(self.durability, self.settings));
        server.arg("-c").arg(settings::socket_directory(&self.place.socket_directory));
        // Its own process group: Ctrl-C on the terminal is for Grantor, which then stops the server.
        let mut child = self.spawn("postgres", server.process_group(0), &log)?;
        self.wait_until_ready(&mut child, begin)?;
        // Collects the server when it ends before this process does; else whoever inherits it does.
        thread::spawn(move || child.wait());
        Ok(())
    }

    fn wait_until_ready(&self, child: &mut Child, log_begin: u64) -> Result<(), EmbeddedError> {
        let data = self.place.data();
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS);
        loop {
            let server =
                Postmaster::read(&data).filter(|server| server.pid.as_raw().unsigned_abs() == child.id());
            if server.is_some_and(|server| server.status == Status::Ready) {
                return Ok(());
            }
            if !matches!(child.try_wait(), Ok(None)) {
                return Err(self.failed("postgres", log_begin));
            }
            self.check(deadline, "start", START_SECONDS)?;
            thread::sleep(POLL);
        }
    }

    /// The daemon's output must be a file: with a pipe, whoever reads it would wait as long as it lives.
    fn spawn(
        &self,
        program: &'static str,
        command: &mut Command,
        log: &File,
    ) -> Result<Child, EmbeddedError> {
        let mut spawn = || command.stdout(log.try_clone()?).stderr(log.try_clone()?).spawn();
        spawn().map_err(EmbeddedError::io("run", Path::new(program)))
    }

    /// The log, and its length before anything new is said.
    fn open_log(&self) -> Result<(File, u64), EmbeddedError> {
        let log = private::open_file(&self.place.directory, "log")?;
        let measure = || {
            if log.metadata()?.len() > LONGEST_LOG {
                log.set_len(0)?;
            }
            Ok(log.metadata()?.len())
        };
        let length = measure().map_err(EmbeddedError::io("read", &self.place.log()))?;
        Ok((log, length))
    }

    fn failed(&self, program: &'static str, log_begin: u64) -> EmbeddedError {
        let said = self.log_since(log_begin).unwrap_or_default();
        EmbeddedError::Failed { program, reason: reason(&said), log: self.place.log() }
    }

    fn log_since(&self, begin: u64) -> io::Result<String> {
        let mut file = File::open(self.place.log())?;
        file.seek(SeekFrom::Start(begin))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// What the workers of a killed server still write into the log of the next one.
const LAST_WORDS_OF_ORPHANS: &str = "due to unexpected postmaster exit";

/// The line of a log that says why a program ended.
fn reason(log: &str) -> String {
    let speaks = |line: &&str| !line.is_empty() && !line.contains(LAST_WORDS_OF_ORPHANS);
    let lines = || log.lines().map(str::trim).filter(speaks);
    let told = lines().rfind(|line| ["FATAL:", "PANIC:", "error:"].iter().any(|mark| line.contains(mark)));
    told.or_else(|| lines().next_back()).unwrap_or("it said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", "it said nothing")]
    #[case("a\n\nb\n", "b")]
    #[case("initdb: error: no room\ninitdb: removing\n", "initdb: error: no room")]
    #[case("LOG:  x\nFATAL:  lock file exists\nHINT:  y\n", "FATAL:  lock file exists")]
    #[case(
        "FATAL:  pre-existing shared memory block\nFATAL:  terminating connection due to unexpected postmaster exit\n",
        "FATAL:  pre-existing shared memory block"
    )]
    fn the_reason_is_found(#[case] log: &str, #[case] expected: &str) {
        assert_eq!(reason(log), expected);
    }
}
