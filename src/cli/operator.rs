//! Who runs a command.

use nix::unistd::{Uid, User};

use crate::model::check_name;

const MAX_CHARACTERS: usize = 100;

/// The operating system's account, and who became it by `sudo`.
pub fn account() -> String {
    let uid = Uid::current();
    let account = User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name);
    described(account, std::env::var("SUDO_USER").ok().filter(|_| uid.is_root()))
}

fn described(account: String, before: Option<String>) -> String {
    match before.filter(|name| check_name(name, MAX_CHARACTERS).is_ok() && *name != account) {
        Some(before) => format!("{before} as {account}"),
        None => account,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_used_sudo_is_named() {
        let root = || "root".to_owned();
        for (before, expected) in [
            (None, "root"),
            (Some("alice"), "alice as root"),
            (Some("root"), "root"),
            (Some(""), "root"),
            (Some("a\nforged line"), "root"),
        ] {
            assert_eq!(described(root(), before.map(str::to_owned)), expected, "{before:?}");
        }
    }
}
