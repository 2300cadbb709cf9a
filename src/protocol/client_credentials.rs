//! How a client says who it is at the token, introspection and revocation endpoints (RFC 6749 §2.3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::TokenError;
use super::parameters::{Parameters, form_decode};
use crate::secret::{Secret, from_base64url};

/// Longest `client_id` in bytes: one may be a URL.
pub const LONGEST_CLIENT_ID: usize = 2048;
/// Longest client secret in bytes.
pub const LONGEST_CLIENT_SECRET: usize = 1024;
/// The one `client_assertion_type` (RFC 7523 §2.2).
pub const JWT_BEARER_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client presented. Nothing of it has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCredentials {
    /// `client_secret_basic`: HTTP Basic (RFC 6749 §2.3.1).
    Basic {
        /// The identifier.
        client_id: String,
        /// The secret.
        client_secret: Secret<String>,
    },
    /// `client_secret_post`: parameters of the form (RFC 6749 §2.3.1).
    Post {
        /// The identifier.
        client_id: String,
        /// The secret.
        client_secret: Secret<String>,
    },
    /// `client_secret_jwt` or `private_key_jwt`: a signed JWT (RFC 7523 §2.2).
    Assertion {
        /// The identifier, as the request has it or as the assertion claims.
        client_id: String,
        /// The JWT.
        assertion: Secret<String>,
    },
    /// `none`: a public client names itself (RFC 6749 §3.2.1).
    None {
        /// The identifier.
        client_id: String,
    },
}

impl ClientCredentials {
    /// Reads the `Authorization` header and the form.
    ///
    /// # Errors
    /// `invalid_request` where two ways are mixed or a parameter is repeated, else `invalid_client`.
    pub fn from_request(authorization: Option<&str>, parameters: &Parameters) -> Result<Self, TokenError> {
        let client_id = parameters.get("client_id")?;
        let client_secret = parameters.get("client_secret")?;
        let assertion = parameters.get("client_assertion")?;
        let assertion_type = parameters.get("client_assertion_type")?;
        if assertion.is_some() || assertion_type.is_some() {
            // RFC 6749 §2.3, RFC 7521 §4.2: no more than one authentication method in a request.
            if authorization.is_some() || client_secret.is_some() {
                return Err(TokenError::invalid_request(
                    "the client authenticates twice: send 'client_assertion' or a secret, not both",
                ));
            }
            return by_assertion(client_id, assertion, assertion_type)?.within_bounds();
        }
        let credentials = match (authorization, client_secret) {
            // RFC 6749 §2.3: no more than one authentication method in a request.
            (Some(_), Some(_)) => {
                return Err(TokenError::invalid_request(
                    "the client authenticates twice: send either the Authorization header or 'client_secret'",
                ));
            }
            (Some(header), None) => basic(header, client_id)?,
            (None, Some(secret)) => {
                Self::Post { client_id: require(client_id)?, client_secret: Secret::new(secret.to_owned()) }
            }
            (None, None) => Self::None { client_id: require(client_id)? },
        };
        credentials.within_bounds()
    }

    /// The identifier that was presented.
    pub fn client_id(&self) -> &str {
        match self {
            Self::Basic { client_id, .. }
            | Self::Post { client_id, .. }
            | Self::Assertion { client_id, .. }
            | Self::None { client_id } => client_id,
        }
    }

    /// The secret that was presented.
    pub fn client_secret(&self) -> Option<&Secret<String>> {
        match self {
            Self::Basic { client_secret, .. } | Self::Post { client_secret, .. } => Some(client_secret),
            Self::Assertion { .. } | Self::None { .. } => None,
        }
    }

    fn within_bounds(self) -> Result<Self, TokenError> {
        let secret_length = self.client_secret().map_or(0, |secret| secret.expose().len());
        if self.client_id().len() > LONGEST_CLIENT_ID || secret_length > LONGEST_CLIENT_SECRET {
            return Err(TokenError::invalid_client("the client's identifier or secret is too long"));
        }
        Ok(self)
    }
}

fn require(client_id: Option<&str>) -> Result<String, TokenError> {
    client_id.map(str::to_owned).ok_or_else(|| {
        TokenError::invalid_client(
            "the client does not say who it is: send HTTP Basic, or the parameter 'client_id', in the form",
        )
    })
}

/// RFC 7521 §4.2: the parameter `client_id` may be left out, since the assertion names the client. Whether the two are
/// the same is seen when the assertion has been verified.
fn by_assertion(
    client_id: Option<&str>,
    assertion: Option<&str>,
    assertion_type: Option<&str>,
) -> Result<ClientCredentials, TokenError> {
    let (Some(assertion), Some(JWT_BEARER_ASSERTION)) = (assertion, assertion_type) else {
        return Err(TokenError::invalid_client(format!(
            "a client assertion needs both 'client_assertion' and the 'client_assertion_type' {JWT_BEARER_ASSERTION}"
        )));
    };
    let client_id = client_id.map(str::to_owned).or_else(|| claimed_subject(assertion)).ok_or_else(|| {
        TokenError::invalid_client("the client assertion is not a JWT whose 'sub' is the client's identifier")
    })?;
    Ok(ClientCredentials::Assertion { client_id, assertion: Secret::new(assertion.to_owned()) })
}

/// The `sub` of a JWT that nobody has verified: enough to know whose keys to verify it with. It has no characters that a
/// form could not have.
fn claimed_subject(jwt: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Claims {
        sub: String,
    }
    let claims = from_base64url(jwt.split('.').nth(1)?)?;
    let sub = serde_json::from_slice::<Claims>(&claims).ok()?.sub;
    (!sub.is_empty() && !sub.contains(char::is_control)).then_some(sub)
}

fn basic(header: &str, client_id_parameter: Option<&str>) -> Result<ClientCredentials, TokenError> {
    let (client_id, client_secret) = decode_basic(header)?;
    // RFC 6749 §3.2.1: the parameter identifies the client too, so it cannot be another one.
    if client_id_parameter.is_some_and(|parameter| parameter != client_id) {
        return Err(TokenError::invalid_request(
            "the parameter 'client_id' differs from the client in the Authorization header",
        ));
    }
    Ok(ClientCredentials::Basic { client_id, client_secret })
}

fn decode_basic(header: &str) -> Result<(String, Secret<String>), TokenError> {
    let (scheme, encoded) = header.split_once(' ').unwrap_or((header, ""));
    // RFC 9110 §11.1: the name of a scheme has no case.
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(TokenError::invalid_client("the Authorization header must use the scheme Basic here"));
    }
    let malformed =
        || TokenError::invalid_client("the Authorization header is malformed: see RFC 6749 section 2.3.1");
    let decoded = Secret::new(STANDARD.decode(encoded.trim_matches(' ')).map_err(|_| malformed())?);
    let colon = decoded.expose().iter().position(|&byte| byte == b':').ok_or_else(malformed)?;
    let (client_id, client_secret) = decoded.expose().split_at(colon);
    // RFC 6749 §2.3.1: identifier and secret are each form-encoded before they become Basic credentials.
    let client_id = form_decode(client_id).map_err(|_| malformed())?;
    let client_secret = form_decode(&client_secret[1..]).map(Secret::new).map_err(|_| malformed())?;
    if client_id.is_empty() {
        return Err(malformed());
    }
    Ok((client_id, client_secret))
}

#[cfg(test)]
mod tests;
