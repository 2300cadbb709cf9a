//! The claims of ID tokens (OpenID Connect Core §2).

use serde::Serialize;
use serde_json::{Map, Value};

use crate::jose::Algorithm;
use crate::secret::{base64url, sha256, sha512};

/// The claims of an ID token.
#[derive(Debug, Clone, Serialize)]
pub struct IdTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The person, as the client knows them.
    pub sub: String,
    /// The client that it is for.
    pub aud: String,
    /// Its end, in seconds since 1970.
    pub exp: i64,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When the person had authenticated.
    pub auth_time: i64,
    /// As in the authorization request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// How sure it is that it was that person.
    pub acr: &'static str,
    /// By what they proved it (RFC 8176).
    pub amr: &'static [&'static str],
    /// The client that asked for it, which is the one that it is for.
    pub azp: String,
    /// The session, as the client knows it (OpenID Connect Back-Channel Logout §2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Binds the access token that came with it (§3.1.3.6).
    pub at_hash: String,
    /// Claims about the person that were asked for by name (§5.5).
    #[serde(flatten)]
    pub requested: Map<String, Value>,
}

/// OpenID Connect Core §3.1.3.6: the left half of the hash that the ID token's algorithm uses. RFC 8032 §5.1
/// makes that SHA-512 for Ed25519.
pub(super) fn at_hash(access_token: &str, alg: Algorithm) -> String {
    match alg {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => {
            base64url(&sha256(access_token.as_bytes())[..16])
        }
        Algorithm::Ed25519 => base64url(&sha512(access_token.as_bytes())[..32]),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Computed independently: the left halves of SHA-256("abc") and SHA-512("abc"), in base64url.
    #[rstest]
    #[case(Algorithm::Rs256, "ungWv48Bz-pBQUDeXa4iIw")]
    #[case(Algorithm::Ps256, "ungWv48Bz-pBQUDeXa4iIw")]
    #[case(Algorithm::Es256, "ungWv48Bz-pBQUDeXa4iIw")]
    #[case(Algorithm::Ed25519, "3a81oZNherrMQXNJriBBMRLm-k6JqX6iCp7u5ktV05o")]
    fn at_hash_is_the_left_half(#[case] alg: Algorithm, #[case] expected: &str) {
        assert_eq!(at_hash("abc", alg), expected);
    }
}
