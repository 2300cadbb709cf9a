//! The claims of ID tokens (OpenID Connect Core §2).

use serde::{Deserialize, Serialize};

use crate::secret::{base64url, sha256};

/// The claims of an ID token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The person.
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
    /// Binds the access token that came with it (§3.1.3.6).
    pub at_hash: String,
}

/// OpenID Connect Core §3.1.3.6: the left half of the hash that the ID token's algorithm uses (SHA-256).
pub(super) fn at_hash(access_token: &str) -> String {
    base64url(&sha256(access_token.as_bytes())[..16])
}

#[cfg(test)]
mod tests {
    #[test]
    fn at_hash_is_the_left_half() {
        // Computed independently: base64url(SHA-256("abc")[..16]).
        assert_eq!(super::at_hash("abc"), "ungWv48Bz-pBQUDeXa4iIw");
    }
}
