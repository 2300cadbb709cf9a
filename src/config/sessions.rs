//! `[sessions]`: how long a person stays signed in.

use std::time::Duration;

use serde::Deserialize;

use super::duration::{self, DAY};
use super::kind::Kind;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    meaning: "How long a person stays signed in.",
    settings: &[
        Setting::new(
            "sessions.idle_lifetime",
            Kind::Duration(1, 400 * DAY),
            "12h",
            "How long a session that is not used lasts; at most absolute_lifetime.",
        ),
        Setting::new(
            "sessions.absolute_lifetime",
            Kind::Duration(1, 400 * DAY),
            "7d",
            "How long a session lasts, however much it is used.",
        ),
    ],
};

/// How long a person stays signed in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// A session that is not used; at most [`Sessions::absolute_lifetime`].
    #[serde(deserialize_with = "duration::deserialize")]
    pub idle_lifetime: Duration,
    /// A session, however much it is used.
    #[serde(deserialize_with = "duration::deserialize")]
    pub absolute_lifetime: Duration,
}

impl Sessions {
    pub(super) fn check(&self, problems: &mut Vec<String>) {
        duration::check_order(
            ("sessions.idle_lifetime", self.idle_lifetime),
            ("sessions.absolute_lifetime", self.absolute_lifetime),
            problems,
        );
    }
}
