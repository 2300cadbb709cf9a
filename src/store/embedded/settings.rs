//! How the private server is set: closed to everybody else, modest, and durable.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::Durability;

/// Text in UTF-8, sorted by code point, and letters of every script folded. macOS has no `C.UTF-8`.
#[cfg(not(target_os = "macos"))]
pub(super) const INITDB: [&str; 2] = ["--encoding=UTF8", "--locale=C.UTF-8"];
#[cfg(target_os = "macos")]
pub(super) const INITDB: [&str; 3] = ["--encoding=UTF8", "--locale=C", "--lc-ctype=UTF-8"];

/// No port: whoever cannot enter the directory of the socket has no way in, and so no password is asked.
const SETTINGS: [&str; 7] = [
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "cluster_name=grantor",
    "max_connections=100",
    "shared_buffers=64MB",
    "jit=off",
];

const DURABLE: [&str; 3] = ["fsync=on", "synchronous_commit=on", "full_page_writes=on"];
/// Only tests do without, and many of them share one.
const NOT_DURABLE: [&str; 4] =
    ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=400"];

pub(super) fn arguments(
    durability: Durability,
    more: &'static [&'static str],
) -> impl Iterator<Item = &'static str> {
    let safety = match durability {
        Durability::Full => DURABLE.as_slice(),
        Durability::None => &NOT_DURABLE,
    };
    SETTINGS.iter().chain(safety).chain(more).copied().flat_map(|setting| ["-c", setting])
}

/// The setting is a list with commas, whose members may stand in double quotes.
pub(super) fn socket_directory(path: &Path) -> OsString {
    let mut setting = b"unix_socket_directories=\"".to_vec();
    for byte in path.as_os_str().as_bytes() {
        if *byte == b'"' {
            setting.push(b'"');
        }
        setting.push(*byte);
    }
    setting.push(b'"');
    OsString::from_vec(setting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_quotes_and_commas_is_one_path() {
        let setting = socket_directory(Path::new("/a,\"b\""));
        assert_eq!(setting, "unix_socket_directories=\"/a,\"\"b\"\"\"");
    }
}
