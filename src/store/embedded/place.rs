//! Where the cluster lies: in the state directory where possible, else elsewhere.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::account::Account;
use super::error::EmbeddedError;
use super::private;
use crate::secret::{random_bytes, sha256};

/// The file in the state directory that names the place of a cluster that lies elsewhere.
pub(super) const LOCATION_FILE: &str = "cluster-location";

/// Clusters that root cannot keep in the state directory, because the account that runs PostgreSQL
/// cannot get there. No subdirectory of anything that may itself be a private state directory.
const ELSEWHERE: &str = "/var/lib/grantor-clusters";

const SOCKET: &str = ".s.PGSQL.5432";

/// The longest path of a Unix socket, in bytes, without the closing zero.
const LONGEST_SOCKET: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// A directory private to the account that runs PostgreSQL, with data, log and (if short) socket.
#[derive(Debug)]
pub(super) struct Place {
    pub directory: PathBuf,
    pub socket_directory: PathBuf,
    pub account: Account,
}

impl Place {
    /// The place of this (absolute) state directory's cluster, made where there is none.
    pub fn of(state_directory: &Path) -> Result<Self, EmbeddedError> {
        let state = state_directory.metadata().map_err(EmbeddedError::io("look at", state_directory))?;
        if let Some(directory) = recorded(state_directory)? {
            let cluster = directory.metadata().map_err(EmbeddedError::io("look at", &directory))?;
            return Self::at(directory, Account::choose(Some(&cluster), &state)?);
        }
        let inside = state_directory.join("cluster");
        if let Ok(cluster) = inside.metadata() {
            return Self::at(inside, Account::choose(Some(&cluster), &state)?);
        }
        let account = Account::choose(None, &state)?;
        if account.switch && !(account.can_enter(state_directory) && socket_fits(&inside)) {
            return Self::elsewhere(state_directory, account);
        }
        Self::at(inside, account)
    }

    fn at(directory: PathBuf, account: Account) -> Result<Self, EmbeddedError> {
        private::directory(&directory, account)?;
        let socket_directory =
            if socket_fits(&directory) { directory.clone() } else { short_directory(&directory, account) };
        Ok(Self { directory, socket_directory, account })
    }

    /// A new place, never one that an earlier state directory of the same name has left: a new state
    /// directory begins with an empty database.
    fn elsewhere(state_directory: &Path, account: Account) -> Result<Self, EmbeddedError> {
        let name = hex(&random_bytes::<8>());
        let parent = Path::new(ELSEWHERE);
        fs::create_dir_all(parent).map_err(EmbeddedError::io("make the directory", parent))?;
        let place = Self::at(parent.join(name), account)?;
        // For the person who wonders whose this is.
        note(&place.directory, "state-directory", state_directory)?;
        note(state_directory, LOCATION_FILE, &place.directory)?;
        Ok(place)
    }

    /// Makes the directory of the socket, which may have gone where it lies among temporary files.
    pub fn prepare_socket_directory(&self) -> Result<(), EmbeddedError> {
        private::directory(&self.socket_directory, self.account)
    }

    /// Removes a directory that holds nothing but the socket of a cluster that has stopped.
    pub fn remove_socket_directory(&self) {
        if self.socket_directory != self.directory {
            // Something else in there, or gone already: nothing to do.
            let _ = fs::remove_dir(&self.socket_directory);
        }
    }

    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    pub fn socket(&self) -> PathBuf {
        self.socket_directory.join(SOCKET)
    }
}

fn recorded(state_directory: &Path) -> Result<Option<PathBuf>, EmbeddedError> {
    let file = state_directory.join(LOCATION_FILE);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(EmbeddedError::io("read", &file)(error)),
    };
    let place = state_directory.join(text.trim_end_matches('\n'));
    if place.is_dir() { Ok(Some(place)) } else { Err(EmbeddedError::PlaceMissing { file, place }) }
}

/// Writes a path into a new file, at once or not at all.
fn note(directory: &Path, name: &str, path: &Path) -> Result<(), EmbeddedError> {
    let draft = format!("{name}.new");
    let write = || {
        let mut file = private::open_file(directory, &draft)?;
        file.set_len(0)
            .and_then(|()| file.write_all(path.as_os_str().as_bytes()))
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(directory.join(&draft), directory.join(name)))
            .map_err(EmbeddedError::io("write", &directory.join(name)))
    };
    write()
}

/// Whether the socket's path is short enough, and such that every client can name it.
fn socket_fits(directory: &Path) -> bool {
    directory.to_str().is_some() && directory.join(SOCKET).as_os_str().len() <= LONGEST_SOCKET
}

fn short_directory(cluster: &Path, account: Account) -> PathBuf {
    let digest = sha256(cluster.as_os_str().as_bytes());
    PathBuf::from(format!("/tmp/grantor-{}-{}", account.uid, hex(&digest[..8])))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_socket_is_counted_in_bytes() {
        let room = LONGEST_SOCKET - SOCKET.len() - 2;
        assert!(socket_fits(Path::new(&format!("/{}", "a".repeat(room)))));
        assert!(!socket_fits(Path::new(&format!("/{}", "a".repeat(room + 1)))));
        assert!(!socket_fits(Path::new(&format!("/{}", "é".repeat(room / 2 + 1)))));
    }

    #[test]
    fn a_short_directory_belongs_to_one_cluster_and_one_account() {
        let account = Account { uid: 7, gid: 7, switch: false };
        let one = short_directory(Path::new("/one"), account);
        assert!(socket_fits(&one));
        assert_ne!(one, short_directory(Path::new("/two"), account));
        assert_ne!(one, short_directory(Path::new("/one"), Account { uid: 8, ..account }));
    }

    #[test]
    fn a_recorded_place_is_followed_and_must_exist() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(recorded(state.path()).unwrap(), None);
        let place = state.path().join("elsewhere");
        note(state.path(), LOCATION_FILE, &place).unwrap();
        let error = recorded(state.path()).unwrap_err().to_string();
        assert!(error.contains("elsewhere, which is missing"), "{error}");
        fs::create_dir(&place).unwrap();
        assert_eq!(recorded(state.path()).unwrap(), Some(place));
    }
}
