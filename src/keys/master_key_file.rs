//! A master key in a file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::MasterKeyError;
use crate::secret::{Secret, base64url, random_bytes};

/// Reads the text of a master key file, and warns if others than its owner may read it.
///
/// # Errors
/// If the file cannot be read.
pub fn read_master_key(path: &Path) -> Result<Secret<String>, MasterKeyError> {
    read(path).map_err(|source| file_error(path, source))
}

/// Reads the master key file, or makes it with a new random key if there is none: mode 0600, complete
/// or not there at all. Of several processes that start at once, all get the key of one.
///
/// # Errors
/// If the file can neither be read nor made.
pub fn load_or_generate_master_key(path: &Path) -> Result<Secret<String>, MasterKeyError> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            generate(path).and_then(|()| read(path)).map_err(|source| file_error(path, source))
        }
        other => other.map_err(|source| file_error(path, source)),
    }
}

fn file_error(path: &Path, source: io::Error) -> MasterKeyError {
    MasterKeyError::File { path: path.display().to_string(), source }
}

fn read(path: &Path) -> io::Result<Secret<String>> {
    let file = File::open(path)?;
    let mode = file.metadata()?.mode();
    if mode & 0o077 != 0 {
        tracing::warn!(
            path = %path.display(),
            mode = format!("{:03o}", mode & 0o777),
            "the master key file is open to others than its owner: chmod 600"
        );
    }
    io::read_to_string(file).map(Secret::new)
}

/// Writes a complete file beside it, then links it to the name, which fails if the name is taken.
fn generate(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let draft = directory.join(format!(".master.key.{}", base64url(&random_bytes::<9>())));
    let linked = write_draft(&draft).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    removed?;
    File::open(directory)?.sync_all()
}

fn write_draft(draft: &Path) -> io::Result<()> {
    let key = Zeroizing::new(random_bytes::<32>());
    let text = Zeroizing::new(STANDARD.encode(key.as_ref()) + "\n");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::keys::MasterKeys;

    #[test]
    fn is_made_once_private_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/master.key");
        let made = load_or_generate_master_key(&path).unwrap();
        assert_eq!(load_or_generate_master_key(&path).unwrap(), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(MasterKeys::load(&[("file".to_owned(), made)]).is_ok());
    }

    #[test]
    fn a_crowd_gets_one_key_and_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..16).map(|_| scope.spawn(|| load_or_generate_master_key(&path).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_file_is_named_and_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("absent.key");
        let error = read_master_key(&path).unwrap_err().to_string();
        assert!(error.contains("absent.key"), "{error}");
        assert!(!path.exists());
    }
}
