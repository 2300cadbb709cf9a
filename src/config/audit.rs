//! `[audit]`: how long the audit log is kept.

use std::time::Duration;

use serde::Deserialize;

use super::duration::{self, DAY};
use super::kind::Kind;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    meaning: "The audit log: who did what to what, when, from where.",
    settings: &[Setting::new(
        "audit.retention",
        Kind::Duration(7 * DAY, 4_000 * DAY),
        "400d",
        "How long an event is kept at least. Whole weeks are dropped, so that one may stay for a week longer.",
    )],
};

/// How long the audit log is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// An event, at least.
    #[serde(deserialize_with = "duration::deserialize")]
    pub retention: Duration,
}
