//! Why the private PostgreSQL is not there, each in one line that says what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why the private PostgreSQL could not be made, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No PostgreSQL on this machine that could be used.
    #[error("no PostgreSQL found to run a private database with: {hint}, or name a database by DATABASE_URL")]
    NotInstalled {
        /// How to install it here.
        hint: &'static str,
    },
    /// `PG_BIN` names a directory without usable server programs.
    #[error("PG_BIN names {0}, where no runnable `initdb` and `postgres` lie")]
    UnusablePgBin(PathBuf),
    /// Every PostgreSQL found is older than what Grantor needs.
    #[error("PostgreSQL {found} is too old for Grantor, which needs {minimum} or newer: {hint}")]
    TooOld {
        /// The newest major version found.
        found: u32,
        /// The oldest major version that serves.
        minimum: u32,
        /// How to install a newer one here.
        hint: &'static str,
    },
    /// The data were written by a major version that is not installed.
    #[error(
        "the private database was made by PostgreSQL {made_by}, but only {found} is installed: install \
         PostgreSQL {made_by}, or name its programs by PG_BIN"
    )]
    OtherVersion {
        /// The major version that made the data.
        made_by: u32,
        /// The major version found instead.
        found: u32,
    },
    /// Running as root, and there is no account to drop to.
    #[error(
        "PostgreSQL does not run as root, and there is neither an account `postgres` nor `nobody` to run it as"
    )]
    NoAccount,
    /// A directory that must be private to the account of the database is not.
    #[error("{} {problem}", path.display())]
    NotPrivate {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The file that names the place of the cluster names one that does not exist.
    #[error(
        "{} names {}, which is missing: restore it, or delete that file to begin with an empty database",
        file.display(), place.display()
    )]
    PlaceMissing {
        /// The file in the state directory.
        file: PathBuf,
        /// What it names.
        place: PathBuf,
    },
    /// One of PostgreSQL's programs failed.
    #[error("{program} failed: {reason} (log: {})", log.display())]
    Failed {
        /// `initdb` or `postgres`.
        program: &'static str,
        /// The line of its log that says why.
        reason: String,
        /// Where the whole log lies.
        log: PathBuf,
    },
    /// PostgreSQL did not do in time what was asked.
    #[error("the private PostgreSQL did not {what} within {seconds} s (log: {})", log.display())]
    TimedOut {
        /// `start` or `stop`.
        what: &'static str,
        /// How long was waited.
        seconds: u64,
        /// Where its log lies.
        log: PathBuf,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl EmbeddedError {
    /// For `map_err`: names the action and the path beside what the operating system said.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
