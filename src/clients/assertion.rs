//! What a verified client assertion must say (RFC 7523 §3, as RFC 10070 tightens it).

use std::time::Duration;

use crate::jose::AssertionClaims;
use crate::secret::sha256;
use crate::time::Timestamp;

/// How far the client's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(60);

/// An assertion is for one request; libraries make it good for up to an hour.
const LONGEST_LIFETIME: Duration = Duration::from_secs(3_600);

/// What an assertion is held against.
pub(super) struct Expected<'a> {
    /// The client that the request names.
    pub client_id: &'a str,
    /// The issuer identifier of this server.
    pub issuer: &'a str,
    /// The time of the request.
    pub now: Timestamp,
    /// The later of that and the database's clock: what has expired by one of them has expired.
    pub latest: Timestamp,
}

/// What is recorded of an accepted assertion, so that it counts once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// SHA-256 of client and `jti`.
    pub hash: [u8; 32],
    /// From then on it is refused by its times.
    pub expires_at: Timestamp,
}

/// Why an assertion is refused whose signature is the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("the client assertion's 'iss' and 'sub' must both be the client_id")]
    Client,
    #[error(
        "the client assertion's 'aud' must be this server's issuer identifier and nothing else (RFC 10070)"
    )]
    Audience,
    #[error("the client assertion has no 'exp'")]
    NoExpiry,
    #[error("the client assertion has expired")]
    Expired,
    #[error("the client assertion's 'exp' is more than an hour ahead")]
    TooLong,
    #[error("the client assertion's 'iat' or 'nbf' lies in the future")]
    NotYet,
    #[error("the client assertion's 'iat' is more than an hour ago")]
    TooOld,
    #[error("the client assertion has no 'jti'")]
    NoIdentifier,
}

/// Checks the claims. That the assertion was not used before is for the database to say.
pub(super) fn check(claims: &AssertionClaims, expected: &Expected<'_>) -> Result<Accepted, Refused> {
    // RFC 7523 §3, items 1 and 2.
    let is_client = |claim: &Option<String>| claim.as_deref() == Some(expected.client_id);
    if !is_client(&claims.iss) || !is_client(&claims.sub) {
        return Err(Refused::Client);
    }
    // RFC 10070: the issuer identifier as the sole value, so that no other server can be sent it too.
    if claims.aud.sole() != Some(expected.issuer) {
        return Err(Refused::Audience);
    }
    let expires_at = claims.exp.ok_or(Refused::NoExpiry)?;
    if expires_at + LEEWAY <= expected.latest {
        return Err(Refused::Expired);
    }
    if expires_at > expected.now + LONGEST_LIFETIME + LEEWAY {
        return Err(Refused::TooLong);
    }
    let is_ahead = |time: Option<Timestamp>| time.is_some_and(|time| time > expected.now + LEEWAY);
    if is_ahead(claims.iat) || is_ahead(claims.nbf) {
        return Err(Refused::NotYet);
    }
    if claims.iat.is_some_and(|made_at| made_at + LONGEST_LIFETIME + LEEWAY < expected.latest) {
        return Err(Refused::TooOld);
    }
    let jti = claims.jti.as_deref().filter(|jti| !jti.is_empty()).ok_or(Refused::NoIdentifier)?;
    Ok(Accepted { hash: identity(expected.client_id, jti), expires_at: expires_at + LEEWAY })
}

/// An identifier is unique for its issuer alone (RFC 7519 §4.1.7).
fn identity(client_id: &str, jti: &str) -> [u8; 32] {
    let length = (client_id.len() as u64).to_be_bytes();
    sha256(&[&length, client_id.as_bytes(), jti.as_bytes()].concat())
}

#[cfg(test)]
mod tests;
