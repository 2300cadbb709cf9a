//! What a client says of itself beyond what the token endpoint asks (RFC 7591 §2, OpenID Connect Registration §2).

use std::time::Duration;

use crate::jose::Algorithm;

/// What people are shown of an app beside its name, and whom operators ask about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AboutClient {
    /// Its home page.
    pub client_uri: Option<String>,
    /// Its picture.
    pub logo_uri: Option<String>,
    /// How it deals with people's data.
    pub policy_uri: Option<String>,
    /// Its terms of service.
    pub tos_uri: Option<String>,
    /// Who answers for it, mostly e-mail addresses.
    pub contacts: Vec<String>,
    /// Which software it is, the same for all its installations.
    pub software_id: Option<String>,
    /// Which version of that software.
    pub software_version: Option<String>,
}

impl AboutClient {
    /// Of a client that says nothing of itself.
    pub const NOTHING: Self = Self {
        client_uri: None,
        logo_uri: None,
        policy_uri: None,
        tos_uri: None,
        contacts: Vec::new(),
        software_id: None,
        software_version: None,
    };

    /// As a client holds it.
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::NOTHING).then(|| Box::new(self))
    }
}

/// What a client asks of ID tokens and UserInfo answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenIdMetadata {
    /// The sector that the client's pairwise subjects are for; `None`: the subject is public.
    pub pairwise: Option<Sector>,
    /// What UserInfo answers are signed with; `None`: they are JSON.
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// `max_age` of a request that has none.
    pub default_max_age: Option<Duration>,
    /// Whether the client counts on `auth_time`, which ID tokens have in any case.
    pub require_auth_time: bool,
}

/// A sector (OpenID Connect Core §8.1): clients of one sector see the same person under one pairwise subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sector {
    /// A host: that of `uri`, else the only one of the redirect URIs.
    pub identifier: String,
    /// `sector_identifier_uri`: where the sector lists its redirect URIs.
    pub uri: Option<String>,
}

impl Sector {
    /// A sector as a client asks for it. Which host it is, its registration finds.
    pub fn requested(uri: Option<String>) -> Self {
        Self { identifier: String::new(), uri }
    }
}

/// What happens to a client when a session ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogoutMetadata {
    /// Where the browser may go after logout (OpenID Connect RP-Initiated Logout §3.1), compared as strings.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where logout tokens go (OpenID Connect Back-Channel Logout §2.2).
    pub backchannel_logout_uri: Option<String>,
    /// Whether the client counts on `sid`, which logout tokens have in any case.
    pub backchannel_logout_session_required: bool,
    /// Whether the end of a session ends the grants with `offline_access` too that were begun in it.
    pub end_offline_grants_with_session: bool,
}

impl LogoutMetadata {
    /// Of a client that asks for nothing.
    pub const NOTHING: Self = Self {
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        backchannel_logout_session_required: false,
        end_offline_grants_with_session: false,
    };

    /// As a client holds it.
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::NOTHING).then(|| Box::new(self))
    }
}
