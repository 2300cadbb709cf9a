//! The account as which PostgreSQL runs: it refuses root.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, getegid, geteuid};

use super::error::EmbeddedError;

/// An account, and whether a process must change to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub uid: u32,
    pub gid: u32,
    /// This process is root and runs PostgreSQL's programs as that account.
    pub switch: bool,
}

impl Account {
    /// As a plain user: this account. As root: the owner of the existing cluster, else the owner of the
    /// state directory, else `postgres`, else `nobody`.
    pub fn choose(cluster: Option<&Metadata>, state_directory: &Metadata) -> Result<Self, EmbeddedError> {
        if !geteuid().is_root() {
            return Ok(Self { uid: geteuid().as_raw(), gid: getegid().as_raw(), switch: false });
        }
        let owner =
            [cluster, Some(state_directory)].into_iter().flatten().find(|metadata| metadata.uid() != 0);
        match owner {
            Some(metadata) => Ok(Self { uid: metadata.uid(), gid: metadata.gid(), switch: true }),
            None => Self::of_system(),
        }
    }

    fn of_system() -> Result<Self, EmbeddedError> {
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self { uid: user.uid.as_raw(), gid: user.gid.as_raw(), switch: true })
            .ok_or(EmbeddedError::NoAccount)
    }

    /// A command that runs as this account. It inherits no environment, which may hold secrets, and no
    /// input; it stands in `/`, since this account need not be able to enter the current directory.
    pub fn command(self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
        for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if self.switch {
            // The standard library also drops the supplementary groups.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Whether this account can pass all ancestors of a directory and enter it. The kernel is asked, as
    /// only it knows all its rules (modes, lists, namespaces).
    pub fn can_enter(self, directory: &Path) -> bool {
        self.command("true")
            .current_dir(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_account_enters_only_what_it_may() {
        let directory = tempfile::tempdir().unwrap();
        let account = Account::choose(None, &directory.path().metadata().unwrap()).unwrap();
        assert!(account.can_enter(Path::new("/")));
        assert!(!account.can_enter(&directory.path().join("missing")));
        fs::set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();
        assert_eq!(account.can_enter(directory.path()), !account.switch);
    }

    #[test]
    fn a_command_inherits_no_environment() {
        let account = Account::choose(None, &Path::new("/").metadata().unwrap()).unwrap();
        let output = account.command("env").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("LC_ALL=C"), "{text}");
        // Cargo sets it for every test, so that it stands for all that might be secret.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        assert!(!text.contains("CARGO_MANIFEST_DIR"), "{text}");
    }
}
