//! `[registration]`: clients that register themselves.

use std::time::Duration;

use serde::Deserialize;

use super::duration::{self, DAY};
use super::kind::Kind;
use super::setting::{Section, Setting};
use crate::protocol::ScopeSet;

pub(super) const SECTION: Section = Section {
    meaning: "Clients that register themselves (RFC 7591, OpenID Connect Dynamic Client Registration): at /register. \
              People are told on the consent page that nobody has checked such a client.",
    settings: &[
        Setting::new(
            "registration.mode",
            Kind::OneOf(&["off", "token", "open"]),
            "off",
            "Who may register a client: nobody, who has an initial access token (grantor initial-access-token), or \
             anybody. With \"off\" clients that have registered go on working, and cannot change themselves.",
        ),
        Setting::new(
            "registration.allowed_scopes",
            Kind::Scopes,
            "openid profile email phone address offline_access",
            "Scopes that such a client may be registered for, separated by blanks. What else it asks for is left \
             out. A restricted scope that is listed here still needs a role of the person.",
        ),
        Setting::new(
            "registration.audiences",
            Kind::Resources,
            "",
            "APIs that such a client may get tokens for, such as \"https://mcp.example.com\"; without any its tokens \
             are for Grantor itself. In the environment separated by commas.",
        ),
        Setting::new(
            "registration.allow_client_credentials",
            Kind::Flag,
            "false",
            "Whether such a client may get tokens in its own name, without any person. One that is registered for \
             that does not expire, since its use leaves no trace.",
        ),
        Setting::new(
            "registration.require_pkce",
            Kind::Flag,
            "true",
            "Whether PKCE is required of such a client too where it has a secret or a key and uses OpenID Connect. \
             Public clients must always use it.",
        ),
        Setting::new(
            "registration.show_logos",
            Kind::Flag,
            "false",
            "Whether sign-in and consent pages show the picture (logo_uri) of an app, whoever registered it. The \
             browser fetches it from where the app keeps it, and whoever keeps it learns from which address somebody \
             is about to sign in. A stranger's app may show anybody's picture.",
        ),
        Setting::new(
            "registration.unused_client_lifetime",
            Kind::DurationOrOff(DAY, 400 * DAY),
            "30d",
            "How long such a client stays that nobody has given access to; with \"off\" for ever.",
        ),
        Setting::new(
            "registration.max_clients",
            Kind::Integer(1, 10_000_000),
            "10000",
            "How many such clients there may be at a time; then only an initial access token lets more in.",
        ),
        Setting::new(
            "registration.per_network_per_day",
            Kind::Integer(1, 1_000_000),
            "100",
            "How many clients one network (an IPv4 address, a /64 of IPv6) may register at once, and in a day, \
             without an initial access token; changes that clients make of themselves count too. All processes count together.",
        ),
    ],
};

/// Clients that register themselves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Who may register.
    pub mode: RegistrationMode,
    /// Scopes that such a client may be registered for.
    pub allowed_scopes: ScopeSet,
    /// Resource identifiers that it may get tokens for (RFC 8707).
    pub audiences: Vec<String>,
    /// Whether it may have the grant `client_credentials`.
    pub allow_client_credentials: bool,
    /// Whether confidential OpenID Connect clients must use PKCE.
    pub require_pkce: bool,
    /// Whether pages show the pictures of apps.
    pub show_logos: bool,
    /// How long a client stays that nobody has given access to; `None`: for ever.
    #[serde(deserialize_with = "duration::deserialize_or_off")]
    pub unused_client_lifetime: Option<Duration>,
    /// How many there may be at a time without an initial access token.
    pub max_clients: u32,
    /// How many one network may register in a day.
    pub per_network_per_day: u32,
}

/// Who may register a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationMode {
    /// Nobody.
    Off,
    /// Who has an initial access token (RFC 7591 §3).
    Token,
    /// Anybody.
    Open,
}

impl Registration {
    /// Whether there is a registration endpoint.
    pub fn is_on(&self) -> bool {
        self.mode != RegistrationMode::Off
    }
}
