//! PostgreSQL's programs on this machine.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Account;
use super::error::EmbeddedError;

/// The oldest major version that still gets fixes and that Grantor is tested with.
const MINIMUM: u32 = 15;

/// Directories with one directory per major version: parent, what stands before the version, what follows.
const VERSIONED: [(&str, &str, &str); 7] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// How to install PostgreSQL, by the package manager that is there.
const INSTALL: [(&str, &str); 7] = [
    ("/usr/bin/apt-get", "install it by `apt-get install -y postgresql`"),
    ("/usr/bin/dnf", "install it by `dnf install -y postgresql-server`"),
    ("/sbin/apk", "install it by `apk add postgresql`"),
    ("/usr/bin/pacman", "install it by `pacman -S postgresql`"),
    ("/usr/bin/zypper", "install it by `zypper install postgresql-server`"),
    ("/opt/homebrew/bin/brew", "install it by `brew install postgresql@17`"),
    ("/usr/local/bin/brew", "install it by `brew install postgresql@17`"),
];

/// A directory with `initdb` and `postgres` of one major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub directory: PathBuf,
    pub major: u32,
}

impl Binaries {
    /// Programs that `account` can run: of the version that made the data, or for new data the first
    /// found that is new enough. `PG_BIN`, where set, decides alone.
    pub fn find(account: Account, made_by: Option<u32>) -> Result<Self, EmbeddedError> {
        if let Some(directory) = std::env::var_os("PG_BIN").filter(|value| !value.is_empty()) {
            let directory = PathBuf::from(directory);
            let only = Self::at(&directory, account).ok_or(EmbeddedError::UnusablePgBin(directory))?;
            return select([only], made_by);
        }
        select(candidates().into_iter().filter_map(|directory| Self::at(&directory, account)), made_by)
    }

    fn at(directory: &Path, account: Account) -> Option<Self> {
        if !directory.join("initdb").is_file() {
            return None;
        }
        let output = account.command(directory.join("postgres")).arg("--version").output().ok()?;
        let major = major_version(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { directory: directory.to_owned(), major })
    }
}

fn select(
    found: impl IntoIterator<Item = Binaries>,
    made_by: Option<u32>,
) -> Result<Binaries, EmbeddedError> {
    let mut newest = None;
    for binaries in found {
        let fits = made_by.map_or(binaries.major >= MINIMUM, |made_by| binaries.major == made_by);
        if fits {
            return Ok(binaries);
        }
        newest = newest.max(Some(binaries.major));
    }
    Err(match (newest, made_by) {
        (None, _) => EmbeddedError::NotInstalled { hint: install_hint() },
        (Some(found), Some(made_by)) => EmbeddedError::OtherVersion { made_by, found },
        (Some(found), None) => EmbeddedError::TooOld { found, minimum: MINIMUM, hint: install_hint() },
    })
}

fn candidates() -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> = pg_config().into_iter().collect();
    for (parent, before, after) in VERSIONED {
        directories.extend(newest_first(Path::new(parent), before).into_iter().map(|each| each.join(after)));
    }
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    directories.extend(std::env::split_paths(&path));
    directories.extend(["/usr/local/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin"].map(PathBuf::from));
    directories
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim_end()))
}

fn newest_first(parent: &Path, before: &str) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix(before)?.parse().ok()?;
            Some((version, entry.path()))
        })
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, path)| path).collect()
}

/// The major version in the output of `postgres --version`, as in `postgres (PostgreSQL) 15.18`.
fn major_version(output: &str) -> Option<u32> {
    let (_, version) = output.split_once("(PostgreSQL) ")?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn install_hint() -> &'static str {
    INSTALL
        .iter()
        .find(|(manager, _)| Path::new(manager).exists())
        .map_or("install PostgreSQL 15 or newer, or name its programs by PG_BIN", |(_, hint)| hint)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn of(major: u32) -> Binaries {
        Binaries { directory: PathBuf::from(format!("/pg/{major}")), major }
    }

    #[rstest]
    #[case("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15))]
    #[case("postgres (PostgreSQL) 18beta1\n", Some(18))]
    #[case("postgres (PostgreSQL) 19devel\n", Some(19))]
    #[case("postgres (PostgreSQL) \n", None)]
    #[case("", None)]
    fn the_major_version_is_read(#[case] output: &str, #[case] expected: Option<u32>) {
        assert_eq!(major_version(output), expected);
    }

    #[test]
    fn new_data_get_the_first_that_is_new_enough() {
        assert_eq!(select([of(13), of(17), of(18)], None).unwrap(), of(17));
    }

    #[test]
    fn old_data_get_the_version_that_made_them() {
        assert_eq!(select([of(17), of(13), of(16)], Some(13)).unwrap(), of(13));
    }

    #[test]
    fn what_is_missing_is_said_in_one_line() {
        let cases = [
            (select([], None), "no PostgreSQL found"),
            (select([of(12), of(13)], None), "PostgreSQL 13 is too old"),
            (select([of(17)], Some(15)), "made by PostgreSQL 15, but only 17"),
        ];
        for (result, expected) in cases {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["pg9", "pg15", "pg100", "other"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let found = newest_first(parent.path(), "pg");
        assert_eq!(found, ["pg100", "pg15", "pg9"].map(|name| parent.path().join(name)));
    }
}
