//! The answer of the token endpoint (RFC 6749 §5.1).

use serde::{Serialize, Serializer};

use super::scope::ScopeSet;
use crate::secret::Secret;

/// A successful answer. `Debug` hides the tokens.
#[derive(Debug, Clone, Serialize)]
pub struct TokenResponse {
    /// The access token.
    #[serde(serialize_with = "expose")]
    pub access_token: Secret<String>,
    /// How it is used.
    pub token_type: TokenType,
    /// Seconds until the access token ends.
    pub expires_in: u64,
    /// What was granted. RFC 6749 §5.1 wants it where it differs from what was asked for; it is always sent.
    pub scope: ScopeSet,
    /// The refresh token.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub refresh_token: Option<Secret<String>>,
    /// Seconds until the refresh token ends if it is not used (draft-ietf-oauth-refresh-token-expiration).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_expires_in: Option<u64>,
    /// The ID token (OpenID Connect Core §3.1.3.3).
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_optional")]
    pub id_token: Option<Secret<String>>,
}

/// RFC 6749 §7.1 `token_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum TokenType {
    /// RFC 6750.
    Bearer,
}

fn expose<S: Serializer>(secret: &Secret<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

fn expose_optional<S: Serializer>(secret: &Option<Secret<String>>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn response() -> TokenResponse {
        TokenResponse {
            access_token: Secret::new("hunter2-access".into()),
            token_type: TokenType::Bearer,
            expires_in: 600,
            scope: ScopeSet::parse("openid a").unwrap(),
            refresh_token: Some(Secret::new("hunter2-refresh".into())),
            refresh_token_expires_in: Some(2_592_000),
            id_token: Some(Secret::new("hunter2-id".into())),
        }
    }

    #[test]
    fn the_body_is_that_of_rfc_6749() {
        assert_eq!(
            serde_json::to_value(response()).unwrap(),
            json!({
                "access_token": "hunter2-access",
                "token_type": "Bearer",
                "expires_in": 600,
                "scope": "openid a",
                "refresh_token": "hunter2-refresh",
                "refresh_token_expires_in": 2_592_000,
                "id_token": "hunter2-id",
            })
        );
    }

    #[test]
    fn what_was_not_issued_is_left_out() {
        let bare = TokenResponse {
            refresh_token: None,
            refresh_token_expires_in: None,
            id_token: None,
            ..response()
        };
        assert_eq!(
            serde_json::to_value(bare).unwrap(),
            json!({"access_token": "hunter2-access", "token_type": "Bearer", "expires_in": 600, "scope": "openid a"})
        );
    }

    #[test]
    fn debug_output_hides_the_tokens() {
        assert!(!format!("{:?}", response()).contains("hunter2"));
    }
}
