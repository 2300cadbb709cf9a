//! JWTs that clients sign to prove who they are (RFC 7523 §3): their outer form and signature.

use aws_lc_rs::hmac;
use serde::{Deserialize, Deserializer};

use super::verification::read_object;
use super::{AssertionAlgorithm, ClientJwks};
use crate::secret::from_base64url;
use crate::time::Timestamp;

/// The longest assertion that is looked at, in bytes.
pub const LONGEST_ASSERTION: usize = 8 * 1024;

/// The media types that an assertion may name (RFC 7523 §3, RFC 10070): its own, and that of any JWT.
const TYPES: [&str; 2] = ["client-authentication+jwt", "jwt"];

/// Why an assertion is not looked at any further. Only its own header, which its sender knows, decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFormError {
    /// Longer than an assertion needs to be.
    #[error("the client assertion is longer than {LONGEST_ASSERTION} bytes")]
    TooLong,
    /// Not a JWS in compact serialisation (RFC 7515 §7.1) with a JSON object for a header.
    #[error("the client assertion is not a signed JWT")]
    Malformed,
    /// RFC 7515 §4.1.11 and RFC 8725 §3.10: no extension is understood, and no key is taken from a token.
    #[error("the client assertion's header has one of crit, jwk, jku, x5c and x5u, which are not accepted")]
    Header,
    /// RFC 8725 §3.11: it is another kind of token.
    #[error("the client assertion's typ is neither client-authentication+jwt nor JWT")]
    Type,
    /// `none`, or one that is not supported.
    #[error("the client assertion's alg is not among those supported")]
    Algorithm,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
    #[serde(default, deserialize_with = "present")]
    jwk: bool,
    #[serde(default, deserialize_with = "present")]
    jku: bool,
    #[serde(default, deserialize_with = "present")]
    x5c: bool,
    #[serde(default, deserialize_with = "present")]
    x5u: bool,
}

/// Whatever its value: that the member is there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// An assertion that nobody has vouched for: its claims cannot be reached.
#[derive(Debug)]
pub struct UnverifiedAssertion<'a> {
    alg: AssertionAlgorithm,
    kid: Option<String>,
    signing_input: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
}

impl<'a> UnverifiedAssertion<'a> {
    /// Reads the outer form and the header.
    ///
    /// # Errors
    /// What the header has that is not accepted.
    pub fn parse(assertion: &'a str) -> Result<Self, AssertionFormError> {
        if assertion.len() > LONGEST_ASSERTION {
            return Err(AssertionFormError::TooLong);
        }
        let malformed = || AssertionFormError::Malformed;
        let (signing_input, signature) = assertion.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signing_input.split_once('.').ok_or_else(malformed)?;
        let header = from_base64url(header).ok_or_else(malformed)?;
        let header: Header = read_object(&header).map_err(|_| malformed())?;
        if header.crit || header.jwk || header.jku || header.x5c || header.x5u {
            return Err(AssertionFormError::Header);
        }
        if header.typ.as_deref().is_some_and(|typ| !is_accepted_type(typ)) {
            return Err(AssertionFormError::Type);
        }
        let alg = AssertionAlgorithm::parse(&header.alg).ok_or(AssertionFormError::Algorithm)?;
        let signature = from_base64url(signature).ok_or_else(malformed)?;
        Ok(Self { alg, kid: header.kid, signing_input, claims, signature })
    }

    /// The header's `alg`.
    pub fn alg(&self) -> AssertionAlgorithm {
        self.alg
    }

    /// The claims, if one of these keys made the signature. A symmetric `alg` never fits a public key
    /// (RFC 8725 §2.1).
    pub fn verify_by_keys(&self, keys: &ClientJwks) -> Option<SignedClaims> {
        let message = self.signing_input.as_bytes();
        let signed = keys.verify(self.alg, self.kid.as_deref(), message, &self.signature);
        signed.then(|| self.claims())
    }

    /// The claims, if the signature is an HMAC under this secret (OpenID Connect Core §9).
    pub fn verify_by_secret(&self, secret: &[u8]) -> Option<SignedClaims> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let signed = self.alg == AssertionAlgorithm::Hs256
            && hmac::verify(&key, self.signing_input.as_bytes(), &self.signature).is_ok();
        signed.then(|| self.claims())
    }

    fn claims(&self) -> SignedClaims {
        let json = from_base64url(self.claims).ok_or(MalformedClaims)?;
        read_object(&json).map_err(|_| MalformedClaims)
    }
}

/// RFC 7515 §4.1.9: media types have no case, and `application/` may be left out.
fn is_accepted_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    TYPES.contains(&typ)
}

/// What the signature covers is no JSON object, or a claim in it has another type than RFC 7519 §4.1 says, or stands
/// twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the claims of the client assertion are not a JSON object in which each has its type and stands once"
)]
pub struct MalformedClaims;

/// What somebody has signed.
pub type SignedClaims = Result<AssertionClaims, MalformedClaims>;

/// What a signed assertion says (RFC 7523 §3).
#[derive(Debug, Deserialize)]
pub struct AssertionClaims {
    /// Who made it.
    pub iss: Option<String>,
    /// Whom it speaks of.
    pub sub: Option<String>,
    /// For whom it was made.
    #[serde(default)]
    pub aud: Audience,
    /// When it ends.
    #[serde(default, deserialize_with = "numeric_date")]
    pub exp: Option<Timestamp>,
    /// When it begins.
    #[serde(default, deserialize_with = "numeric_date")]
    pub nbf: Option<Timestamp>,
    /// When it was made.
    #[serde(default, deserialize_with = "numeric_date")]
    pub iat: Option<Timestamp>,
    /// Its identifier.
    pub jti: Option<String>,
}

/// The `aud` of a JWT (RFC 7519 §4.1.3): one value or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// A string.
    One(String),
    /// An array.
    Several(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Audience {
    /// The value, if there is exactly one.
    pub fn sole(&self) -> Option<&str> {
        match self {
            Self::One(one) => Some(one),
            Self::Several(several) => match several.as_slice() {
                [one] => Some(one),
                _ => None,
            },
        }
    }
}

/// A `NumericDate` (RFC 7519 §2), which may have a fraction.
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    /// Year 9999; beyond it nobody means a time.
    const LATEST: f64 = 253_402_300_799.0;
    let seconds = f64::deserialize(deserializer)?;
    if !(0.0..=LATEST).contains(&seconds) {
        return Err(serde::de::Error::custom("not a time"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let micros = (seconds * 1_000_000.0) as i64;
    Ok(Some(Timestamp::from_unix_micros(micros)))
}

#[cfg(test)]
mod tests;
