//! `[passwords]`: what a password must be and what its hash costs.

use std::time::Duration;

use serde::Deserialize;

use super::duration::{self, DAY};
use super::kind::Kind;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    meaning: "What a password must be and what its hash (Argon2id) costs. \
              Where the cost changes, a person's hash is renewed at the next sign-in.",
    settings: &[
        Setting::optional(
            "passwords.threads",
            Kind::Integer(1, 256),
            "2",
            "Threads that hash passwords, apart from those that serve requests. \
             Each needs memory_kib. Default: half of the processors, at least one.",
        ),
        Setting::new(
            "passwords.memory_kib",
            Kind::Integer(7168, 1_048_576),
            "19456",
            "Memory of one hash, in KiB (Argon2's m).",
        ),
        Setting::new(
            "passwords.iterations",
            Kind::Integer(1, 20),
            "2",
            "Passes over that memory (Argon2's t).",
        ),
        Setting::new(
            "passwords.parallelism",
            Kind::Integer(1, 16),
            "1",
            "Lanes of that memory (Argon2's p).",
        ),
        Setting::new(
            "passwords.min_length",
            Kind::Integer(8, 64),
            "10",
            "The least number of characters of a new password.",
        ),
        Setting::new(
            "passwords.set_password_link_lifetime",
            Kind::Duration(1, DAY),
            "15m",
            "How long the one-time link works with which a person sets a new password.",
        ),
    ],
};

/// What a password must be and what its hash costs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passwords {
    /// Threads that hash; half of the processors if absent.
    pub threads: Option<usize>,
    /// Argon2id's memory in KiB (RFC 9106 §3.1, `m`).
    pub memory_kib: u32,
    /// Argon2id's passes (`t`).
    pub iterations: u32,
    /// Argon2id's lanes (`p`).
    pub parallelism: u32,
    /// The least number of characters of a new password.
    pub min_length: usize,
    /// How long a one-time set-password link works.
    #[serde(deserialize_with = "duration::deserialize")]
    pub set_password_link_lifetime: Duration,
}
