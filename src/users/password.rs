//! What a password must be before it is hashed.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::model::FoldedName;
use crate::secret::Secret;

/// The longest password, in bytes of UTF-8.
pub const MAX_BYTES: usize = 1024;

/// A password that was checked for the person who chose it. Only such a one is hashed to be stored.
#[derive(Debug, Clone)]
pub struct NewPassword(Secret<String>);

impl NewPassword {
    /// Checks a chosen password (NIST SP 800-63B-4 §3.1.1.2): any characters, long enough, and not the
    /// person's own name or address. Nothing is asked of its composition.
    pub fn check(
        password: &Secret<String>,
        min_length: usize,
        username: &str,
        email: &str,
    ) -> Result<Self, PasswordProblem> {
        let text = password.expose();
        if text.len() > MAX_BYTES {
            return Err(PasswordProblem::TooLong);
        }
        if text.contains('\0') {
            return Err(PasswordProblem::Nul);
        }
        let normalized = normalize(password);
        if normalized.expose().chars().count() < min_length {
            return Err(PasswordProblem::TooShort { min_length });
        }
        if names_the_person(normalized.expose(), username, email) {
            return Err(PasswordProblem::Name);
        }
        Ok(Self(normalized))
    }

    /// A password that has just been verified, to be hashed anew with other parameters. It is no longer
    /// held against rules that may have changed since it was chosen.
    pub(super) fn known(password: &Secret<String>) -> Self {
        Self(normalize(password))
    }

    /// The normal form, for the hasher.
    pub(super) fn normalized(&self) -> &Secret<String> {
        &self.0
    }
}

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Fewer characters than configured.
    #[error("the password must have at least {min_length} characters")]
    TooShort {
        /// The least number of characters.
        min_length: usize,
    },
    /// More than [`MAX_BYTES`].
    #[error("the password must not be longer than {MAX_BYTES} bytes")]
    TooLong,
    /// A character that some keyboards and systems cannot send.
    #[error("the password must not contain a NUL character")]
    Nul,
    /// It is the user name, the e-mail address, or the part of that before the `@`.
    #[error("the password must not be the user name or the e-mail address")]
    Name,
}

/// NFKC, so that a password typed on another keyboard or system is the same (NIST SP 800-63B-4 §3.1.1.2).
pub(super) fn normalize(password: &Secret<String>) -> Secret<String> {
    // Room for most expansions, so that the text is not copied about while it grows.
    let mut normalized = String::with_capacity(password.expose().len() * 3);
    normalized.extend(password.expose().nfkc());
    Secret::new(normalized)
}

fn names_the_person(password: &str, username: &str, email: &str) -> bool {
    let fold = |text: &str| Zeroizing::new(FoldedName::new(text).as_str().to_owned());
    let password = fold(password);
    let mailbox = email.split('@').next().unwrap_or_default();
    [username, email, mailbox].iter().any(|name| !name.is_empty() && fold(name) == password)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<NewPassword, PasswordProblem> {
        NewPassword::check(&Secret::new(password.to_owned()), 10, "Bartholomew", "bartholomew.b@example.com")
    }

    #[test]
    fn passwords_are_checked() {
        let long = "x".repeat(MAX_BYTES + 1);
        for (password, expected) in [
            ("correct horse", None),
            ("          ", None),
            ("пароль-пароль", None),
            (&long[1..], None),
            ("", Some(PasswordProblem::TooShort { min_length: 10 })),
            ("123456789", Some(PasswordProblem::TooShort { min_length: 10 })),
            // Five letters, each with a combining accent: five characters once composed.
            ("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", Some(PasswordProblem::TooShort { min_length: 10 })),
            (&long, Some(PasswordProblem::TooLong)),
            ("correct\0horse", Some(PasswordProblem::Nul)),
            ("bartholomew", Some(PasswordProblem::Name)),
            ("BARTHOLOMEW.B@example.com", Some(PasswordProblem::Name)),
            ("bartholomew.b", Some(PasswordProblem::Name)),
        ] {
            assert_eq!(check(password).err(), expected, "{password:?}");
        }
    }

    #[test]
    fn the_same_password_from_another_keyboard_is_the_same() {
        let composed = check("caf\u{e9} caf\u{e9} caf\u{e9}").unwrap();
        let decomposed = check("cafe\u{301} cafe\u{301} cafe\u{301}").unwrap();
        assert_eq!(composed.normalized(), decomposed.normalized());
    }
}
