//! `[limits]`: how much one address or one client may ask for.

use serde::Deserialize;

use super::kind::Kind;
use super::setting::{Section, Setting};

/// Requests in a minute; 0 is no limit.
const A_MINUTE: Kind = Kind::Integer(0, 1_000_000_000);

pub(super) const SECTION: Section = Section {
    meaning: "Requests per minute that one address (of IPv6 one /64) or one client may make to one process; as many \
              may come at once. What is beyond is answered with 429 and Retry-After. 0: no limit. Sign-ins are \
              slowed down by themselves, whatever is set here.",
    settings: &[
        Setting::new(
            "limits.failures_per_address",
            A_MINUTE,
            "60000",
            "Requests to /token, /introspect, /revoke, /userinfo and /register that fail by the fault of who asks. While \
             an address is beyond it, nothing from there is tried.",
        ),
        Setting::new("limits.token_per_address", A_MINUTE, "0", "Requests to /token from one address."),
        Setting::new(
            "limits.token_per_client",
            A_MINUTE,
            "0",
            "Requests to /token by one client. A public client, whose name anybody can use, is counted per address.",
        ),
        Setting::new(
            "limits.introspection_per_address",
            A_MINUTE,
            "0",
            "Requests to /introspect from one address.",
        ),
        Setting::new(
            "limits.introspection_per_client",
            A_MINUTE,
            "0",
            "Requests to /introspect by one client.",
        ),
        Setting::new("limits.revocation_per_address", A_MINUTE, "0", "Requests to /revoke from one address."),
        Setting::new("limits.revocation_per_client", A_MINUTE, "0", "Requests to /revoke by one client."),
        Setting::new("limits.userinfo_per_address", A_MINUTE, "0", "Requests to /userinfo from one address."),
        Setting::new(
            "limits.userinfo_per_client",
            A_MINUTE,
            "0",
            "Requests to /userinfo with tokens of one client. Those of a public client are counted per address.",
        ),
        Setting::new(
            "limits.registration_per_address",
            A_MINUTE,
            "60",
            "Requests to /register from one address, those with which a client reads or changes itself among them.",
        ),
        Setting::new(
            "limits.pages_per_address",
            A_MINUTE,
            "0",
            "Requests to /authorize and to all other pages from one address.",
        ),
    ],
};

/// How much one address or one client may ask for: requests per minute, 0 without limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Failed requests to the endpoints for programs.
    pub failures_per_address: u32,
    /// Requests to the token endpoint.
    pub token_per_address: u32,
    /// Requests to the token endpoint.
    pub token_per_client: u32,
    /// Requests to the introspection endpoint.
    pub introspection_per_address: u32,
    /// Requests to the introspection endpoint.
    pub introspection_per_client: u32,
    /// Requests to the revocation endpoint.
    pub revocation_per_address: u32,
    /// Requests to the revocation endpoint.
    pub revocation_per_client: u32,
    /// Requests to UserInfo.
    pub userinfo_per_address: u32,
    /// Requests to UserInfo.
    pub userinfo_per_client: u32,
    /// Requests to the registration endpoint.
    pub registration_per_address: u32,
    /// Requests to pages.
    pub pages_per_address: u32,
}
