//! Making a JWT in compact serialisation (RFC 7515 §7.1).

use serde::Serialize;

use super::{Algorithm, JoseError};
use crate::secret::base64url;

/// A kind of JWT, told apart by the header's `typ` (RFC 8725 §3.11).
pub trait TokenType {
    /// The `typ`, compared exactly.
    const TYP: &'static str;
}

/// An access token (RFC 9068 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessToken {}

impl TokenType for AccessToken {
    const TYP: &'static str = "at+jwt";
}

/// An ID token (OpenID Connect Core §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdToken {}

impl TokenType for IdToken {
    const TYP: &'static str = "JWT";
}

/// A signed introspection answer (RFC 9701 §5). It speaks of an access token and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntrospectionAnswer {}

impl TokenType for IntrospectionAnswer {
    const TYP: &'static str = "token-introspection+jwt";
}

/// A signed UserInfo answer (OpenID Connect Core §5.3.2). No specification gives it a type of its own, and libraries
/// refuse types that they do not know; having no `exp`, it is no ID token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserInfoAnswer {}

impl TokenType for UserInfoAnswer {
    const TYP: &'static str = "JWT";
}

/// A logout token (OpenID Connect Back-Channel Logout §2.4), never to be taken for an ID token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoutToken {}

impl TokenType for LogoutToken {
    const TYP: &'static str = "logout+jwt";
}

/// The header that Grantor writes: no more than what a verifier needs.
#[derive(Debug, Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
}

/// A JWT that lacks its signature. Signing happens elsewhere, since the key may lie in another device.
#[derive(Debug)]
pub struct UnsignedJwt {
    signing_input: String,
}

impl UnsignedJwt {
    /// Header and claims for a token of kind `T`.
    ///
    /// # Errors
    /// If the claims cannot be written as JSON.
    pub fn new<T: TokenType>(alg: Algorithm, kid: &str, claims: &impl Serialize) -> Result<Self, JoseError> {
        let header =
            serde_json::to_vec(&Header { typ: T::TYP, alg: alg.name(), kid }).map_err(JoseError::Claims)?;
        let claims = serde_json::to_vec(claims).map_err(JoseError::Claims)?;
        Ok(Self { signing_input: format!("{}.{}", base64url(&header), base64url(&claims)) })
    }

    /// What is to be signed (RFC 7515 §5.1, step 8).
    pub fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    /// The complete token.
    pub fn with_signature(self, signature: &[u8]) -> String {
        format!("{}.{}", self.signing_input, base64url(signature))
    }
}
