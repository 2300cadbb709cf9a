//! Values of arguments that several commands read.

use std::io::{self, Read};
use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;

use super::CommandError;
use crate::config::parse_duration;
use crate::protocol::scope::ScopeSet;
use crate::secret::Secret;
use crate::users::password::MAX_BYTES;

/// How many rows a list has at most.
#[derive(Debug, Clone, Copy, Args)]
pub struct Limit {
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value = "200")]
    limit: NonZeroU32,
}

impl Limit {
    /// As the store takes it.
    pub fn rows(self) -> i64 {
        i64::from(self.limit.get())
    }
}

/// A lifetime of a client: a duration, or `default` for what is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime(pub Option<Duration>);

/// Reads a [`Lifetime`].
pub fn lifetime(text: &str) -> Result<Lifetime, String> {
    if text == "default" {
        Ok(Lifetime(None))
    } else {
        duration(text).map(|duration| Lifetime(Some(duration)))
    }
}

/// Reads a duration such as `30s`, `10m`, `12h` or `90d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "not a duration such as 30s, 10m, 12h or 90d".to_owned())
}

/// Reads the value of `--scope`: names separated by blanks.
pub fn scopes(text: &str) -> Result<Vec<String>, CommandError> {
    match ScopeSet::parse(text) {
        Ok(scopes) => Ok(scopes.to_vec()),
        Err(error) => Err(CommandError::new("invalid_scope", error)),
    }
}

/// Reads a password from standard input, less one line end.
pub fn password_from_stdin() -> Result<Secret<String>, CommandError> {
    read_password(io::stdin().lock())
}

fn read_password(input: impl Read) -> Result<Secret<String>, CommandError> {
    // With room for the line end, and for one byte more, so that too long a password is noticed as such.
    let most = MAX_BYTES + 3;
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(most));
    input.take(most as u64).read_to_end(&mut bytes).map_err(|error| {
        CommandError::new("invalid_request", format!("cannot read standard input: {error}"))
    })?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").filter(|_| line.len() < bytes.len()).unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err(CommandError::new("invalid_request", "there is no password on standard input")),
        Ok(line) => Ok(Secret::new(line.to_owned())),
        Err(_) if bytes.len() == most => Err(CommandError::new(
            "invalid_request",
            format!("the password is longer than {MAX_BYTES} bytes"),
        )),
        Err(_) => Err(CommandError::new("invalid_request", "the password is not UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_stripped_from_a_password() {
        for (input, expected) in [
            ("secret", Some("secret")),
            ("secret\n", Some("secret")),
            ("secret\r\n", Some("secret")),
            ("secret\n\n", Some("secret\n")),
            (" secret \n", Some(" secret ")),
            ("secret\r", Some("secret\r")),
            ("", None),
            ("\n", None),
            ("\r\n", None),
        ] {
            let password = read_password(input.as_bytes()).ok();
            assert_eq!(password.as_ref().map(|password| password.expose().as_str()), expected, "{input:?}");
        }
    }

    #[test]
    fn a_password_that_is_no_text_or_too_long_is_refused() {
        assert!(read_password(&b"\xff\xfe"[..]).unwrap_err().description().contains("UTF-8"));
        let endless = read_password(io::repeat(b'x')).unwrap();
        assert!(endless.expose().len() > MAX_BYTES);
    }

    #[test]
    fn lifetimes_are_durations_or_the_default() {
        assert_eq!(lifetime("default"), Ok(Lifetime(None)));
        assert_eq!(lifetime("10m"), Ok(Lifetime(Some(Duration::from_secs(600)))));
        assert!(lifetime("10").is_err() && lifetime("").is_err() && lifetime("-1s").is_err());
    }
}
