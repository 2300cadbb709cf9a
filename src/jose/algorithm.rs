//! Signature algorithms (RFC 7518 §3.1).

use serde::{Deserialize, Serialize};

/// An algorithm that Grantor signs with. There is no `none` and nothing symmetric to confuse it with
/// (RFC 8725 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, which OpenID Connect Core §15.1 obliges to.
    #[serde(rename = "RS256")]
    Rs256,
}

impl Algorithm {
    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm with exactly this name.
    pub fn from_name(name: &str) -> Option<Self> {
        (name == Self::Rs256.name()).then_some(Self::Rs256)
    }

    /// As the header's type has it.
    pub(super) const fn in_header(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}
