//! Making a JWT in compact serialisation (RFC 7515 §7.1).

use serde::Serialize;

use super::{Algorithm, JoseError};
use crate::secret::append_base64url;

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
        // Room for the signature of the longest usual key too, so that the text is never moved.
        let mut signing_input = String::with_capacity(1_024);
        append_json(&mut signing_input, &Header { typ: T::TYP, alg: alg.name(), kid })?;
        signing_input.push('.');
        append_json(&mut signing_input, claims)?;
        Ok(Self { signing_input })
    }

    /// What is to be signed (RFC 7515 §5.1, step 8).
    pub fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    /// The complete token.
    pub fn with_signature(self, signature: &[u8]) -> String {
        let mut token = self.signing_input;
        token.push('.');
        append_base64url(&mut token, signature);
        token
    }
}

fn append_json(text: &mut String, value: &impl Serialize) -> Result<(), JoseError> {
    let mut json = Vec::with_capacity(512);
    serde_json::to_writer(&mut json, value).map_err(JoseError::Claims)?;
    append_base64url(text, &json);
    Ok(())
}
