//! Files and directories that only one account may touch.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::geteuid;

use super::account::Account;
use super::error::EmbeddedError;

/// Makes the state directory, 0700, if it is missing, and gives its absolute path without links.
pub(super) fn state_directory(path: &Path) -> Result<PathBuf, EmbeddedError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(EmbeddedError::io("make the directory", path))?;
    path.canonicalize().map_err(EmbeddedError::io("find", path))
}

/// Opens a file, 0600, made where missing; it belongs to the owner of its directory also where root
/// makes it, so that the owner can use it alone later. A symbolic link is refused.
pub(super) fn open_file(directory: &Path, name: &str) -> Result<File, EmbeddedError> {
    let path = directory.join(name);
    let open = || {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(&path)?;
        if geteuid().is_root() {
            let owner = directory.metadata()?;
            fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
        }
        Ok(file)
    };
    open().map_err(EmbeddedError::io("open", &path))
}

/// Makes a directory that only `account` may enter, or checks that the existing one is that: no link,
/// its own, closed to everybody else.
pub(super) fn directory(path: &Path, account: Account) -> Result<(), EmbeddedError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(EmbeddedError::io("make the directory", path)(error)),
    }
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_DIRECTORY).bits())
        .open(path)
        .map_err(EmbeddedError::io("open the directory", path))?;
    hand_over_if_new(&opened, path, account).map_err(EmbeddedError::io("change the owner of", path))?;
    check(&opened, path, account)
}

/// Root makes a directory for another account in two steps; an empty one of root may be a first step.
fn hand_over_if_new(opened: &File, path: &Path, account: Account) -> io::Result<()> {
    if account.switch && opened.metadata()?.uid() == 0 && path.read_dir()?.next().is_none() {
        fchown(opened, Some(account.uid), Some(account.gid))?;
    }
    Ok(())
}

fn check(opened: &File, path: &Path, account: Account) -> Result<(), EmbeddedError> {
    let metadata = opened.metadata().map_err(EmbeddedError::io("look at", path))?;
    let problem = if metadata.uid() != account.uid {
        format!(
            "belongs to the account with the number {}, not {}: run as that account, or `chown` it",
            metadata.uid(),
            account.uid
        )
    } else if metadata.mode() & 0o077 != 0 {
        "is open to other accounts, and the private database has no password: `chmod 700` it".to_owned()
    } else {
        return Ok(());
    };
    Err(EmbeddedError::NotPrivate { path: path.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn me() -> Account {
        Account { uid: geteuid().as_raw(), gid: nix::unistd::getegid().as_raw(), switch: false }
    }

    #[test]
    fn a_state_directory_is_private_and_absolute() {
        let parent = tempfile::tempdir().unwrap();
        symlink(parent.path(), parent.path().join("link")).unwrap();
        let made = state_directory(&parent.path().join("link/a/b")).unwrap();
        assert_eq!(made, parent.path().canonicalize().unwrap().join("a/b"));
        assert_eq!(made.metadata().unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn only_a_private_directory_of_ones_own_will_do() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("place");
        directory(&path, me()).unwrap();
        directory(&path, me()).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);

        let other = Account { uid: me().uid + 1, ..me() };
        let error = directory(&path, other).unwrap_err().to_string();
        assert!(error.contains("belongs to"), "{error}");

        fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        let error = directory(&path, me()).unwrap_err().to_string();
        assert!(error.contains("open to other accounts"), "{error}");
    }

    #[test]
    fn links_are_not_followed() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("target");
        directory(&target, me()).unwrap();
        symlink(&target, parent.path().join("link")).unwrap();
        assert!(directory(&parent.path().join("link"), me()).is_err());

        symlink(target.join("made"), parent.path().join("file")).unwrap();
        assert!(open_file(parent.path(), "file").is_err());
        assert!(!target.join("made").exists());
    }

    #[test]
    fn a_file_is_private() {
        let parent = tempfile::tempdir().unwrap();
        let file = open_file(parent.path(), "file").unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    }
}
