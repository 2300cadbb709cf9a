//! `[tokens]`: how long codes and tokens live.

use std::time::Duration;

use serde::Deserialize;

use super::duration::{self, DAY, MINUTE};
use super::kind::Kind;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    meaning: "How long codes and tokens live. A client may have lifetimes of its own.",
    settings: &[
        Setting::new(
            "tokens.access_token_lifetime",
            Kind::Duration(1, DAY),
            "10m",
            "How long an access token is good. APIs check it without asking Grantor: that one was revoked is known to \
             /introspect at once, and to everybody else after this time.",
        ),
        Setting::new(
            "tokens.id_token_lifetime",
            Kind::Duration(1, DAY),
            "10m",
            "How long an ID token is good.",
        ),
        Setting::new(
            "tokens.code_lifetime",
            Kind::Duration(1, MINUTE),
            "60s",
            "How long an app may take from the person's consent to its request for tokens.",
        ),
        Setting::new(
            "tokens.refresh_idle_lifetime",
            Kind::Duration(1, 400 * DAY),
            "30d",
            "How long a refresh token that is not used stays good; at most refresh_absolute_lifetime.",
        ),
        Setting::new(
            "tokens.refresh_absolute_lifetime",
            Kind::Duration(1, 400 * DAY),
            "90d",
            "How long an app may refresh after one approval, however often it does; then the person is asked again.",
        ),
        Setting::new(
            "tokens.refresh_reuse_window",
            Kind::Duration(0, 5 * MINUTE),
            "30s",
            "How long after a refresh the old refresh token yields the same new one, for apps that refresh twice at \
             once or lose the answer. Later, a second use is taken for theft and ends the grant; with \"0s\" any is.",
        ),
    ],
};

/// How long codes and tokens live.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// An access token (`expires_in`, RFC 6749 §5.1).
    #[serde(deserialize_with = "duration::deserialize")]
    pub access_token_lifetime: Duration,
    /// An ID token.
    #[serde(deserialize_with = "duration::deserialize")]
    pub id_token_lifetime: Duration,
    /// An authorization code (RFC 6749 §4.1.2).
    #[serde(deserialize_with = "duration::deserialize")]
    pub code_lifetime: Duration,
    /// A refresh token that is not used; at most [`Tokens::refresh_absolute_lifetime`].
    #[serde(deserialize_with = "duration::deserialize")]
    pub refresh_idle_lifetime: Duration,
    /// All refresh tokens of one grant.
    #[serde(deserialize_with = "duration::deserialize")]
    pub refresh_absolute_lifetime: Duration,
    /// How long after a refresh the predecessor yields the same successor; zero: never.
    #[serde(deserialize_with = "duration::deserialize")]
    pub refresh_reuse_window: Duration,
}

impl Tokens {
    /// The longest lifetime of what signing keys sign, clients with one of their own aside.
    pub fn longest_signed_lifetime(&self) -> Duration {
        self.access_token_lifetime.max(self.id_token_lifetime)
    }

    pub(super) fn check(&self, problems: &mut Vec<String>) {
        duration::check_order(
            ("tokens.refresh_idle_lifetime", self.refresh_idle_lifetime),
            ("tokens.refresh_absolute_lifetime", self.refresh_absolute_lifetime),
            problems,
        );
    }
}
