//! Verifying Grantor's own JWTs.
//!
//! Only what Grantor itself makes is accepted: a header of exactly `alg`, `typ` and `kid`, the key's own
//! algorithm, strict base64url. Everything that an attacker could add is thereby refused unread.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::jwk::PublicNumbers;
use super::verified_before::Fingerprint;
use super::{Algorithm, JoseError, PublicJwk, TokenType};
use crate::secret::{from_base64url, sha256};

/// The longest token that is looked at, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// A public key, parsed once.
#[derive(Debug)]
pub struct VerificationKey {
    alg: Algorithm,
    key: ParsedPublicKey,
    /// SHA-256 of its JWK.
    fingerprint: [u8; 32],
}

impl VerificationKey {
    /// Parses a public key.
    ///
    /// # Errors
    /// If its numbers are not those of a key of its type.
    pub fn new(jwk: &PublicJwk) -> Result<Self, JoseError> {
        let numbers = jwk.numbers().ok_or(JoseError::Key("its members are not numbers of its type"))?;
        let key = match (jwk.alg(), numbers) {
            (Algorithm::Rs256, PublicNumbers::Rsa { n, e }) => {
                PublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            }
            // RFC 7518 §3.5: MGF1 with SHA-256, and a salt as long as the hash.
            (Algorithm::Ps256, PublicNumbers::Rsa { n, e }) => {
                PublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PSS_2048_8192_SHA256)
            }
            // RFC 7518 §3.4: the signature is R and S in full length, not ASN.1.
            (Algorithm::Es256, PublicNumbers::P256(point)) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            }
            (Algorithm::Ed25519, PublicNumbers::Ed25519(key)) => ParsedPublicKey::new(&ED25519, key),
            _ => return Err(JoseError::Key("its alg is not one of its type")),
        };
        let key = key.map_err(|_| JoseError::Key("it is not a key of its type"))?;
        let fingerprint = sha256(&serde_json::to_vec(jwk).map_err(JoseError::Claims)?);
        Ok(Self { alg: jwk.alg(), key, fingerprint })
    }

    /// Checks a signature over `message`.
    ///
    /// # Errors
    /// [`JoseError::Signature`] if it does not match.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        self.key.verify_sig(message, signature).map_err(|_| JoseError::Signature)
    }
}

/// The keys that signatures are accepted from, by `kid`.
#[derive(Debug, Default)]
pub struct VerificationKeys(HashMap<String, Arc<VerificationKey>>);

impl FromIterator<(String, Arc<VerificationKey>)> for VerificationKeys {
    fn from_iter<I: IntoIterator<Item = (String, Arc<VerificationKey>)>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// A JWT that nobody has vouched for: its claims cannot be reached.
#[derive(Debug)]
pub struct UnverifiedJwt<'a> {
    header: Header,
    signing_input: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> UnverifiedJwt<'a> {
    /// Reads the outer form and the header.
    ///
    /// # Errors
    /// If it is too long, malformed, or has a header that Grantor does not write.
    pub fn parse(token: &'a str) -> Result<Self, JoseError> {
        if token.len() > MAX_LENGTH {
            return Err(JoseError::TooLong { limit: MAX_LENGTH });
        }
        let parts = JoseError::Malformed("it has not three parts");
        let Some((signing_input, signature)) = token.rsplit_once('.') else { return Err(parts) };
        let Some((header, claims)) = signing_input.split_once('.') else { return Err(parts) };
        if claims.contains('.') {
            return Err(parts);
        }
        let header = from_base64url(header).ok_or(JoseError::Malformed("the header is not base64url"))?;
        let header = read_object(&header).map_err(JoseError::Header)?;
        Ok(Self { header, signing_input, claims, signature })
    }

    /// Checks algorithm, type and signature. Lifetime, issuer and audience remain for the caller.
    ///
    /// # Errors
    /// If the token is not one of kind `T` signed by one of the keys.
    pub fn verify<T: TokenType>(&self, keys: &VerificationKeys) -> Result<Jwt<T>, JoseError> {
        let key = keys.0.get(&self.header.kid).ok_or(JoseError::UnknownKey)?;
        // RFC 8725 §3.1: the key decides on the algorithm, not the token.
        if self.header.alg != key.alg.name() {
            return Err(JoseError::WrongAlgorithm);
        }
        if self.header.typ != T::TYP {
            return Err(JoseError::WrongType { expected: T::TYP });
        }
        let fingerprint = Fingerprint::of(&key.fingerprint, &[self.signing_input, ".", self.signature]);
        if !fingerprint.is_known() {
            self.check_signature(key)?;
            fingerprint.remember();
        }
        let claims =
            from_base64url(self.claims).ok_or(JoseError::Malformed("the claims are not base64url"))?;
        Ok(Jwt { claims, kind: PhantomData })
    }

    fn check_signature(&self, key: &VerificationKey) -> Result<(), JoseError> {
        let signature =
            from_base64url(self.signature).ok_or(JoseError::Malformed("the signature is not base64url"))?;
        key.verify(self.signing_input.as_bytes(), &signature)
    }
}

/// A JWT of kind `T` whose signature has been checked.
#[derive(Debug)]
pub struct Jwt<T> {
    claims: Vec<u8>,
    kind: PhantomData<T>,
}

impl<T: TokenType> Jwt<T> {
    /// The claims.
    ///
    /// # Errors
    /// If they are not a JSON object of this form.
    pub fn claims<C: DeserializeOwned>(&self) -> Result<C, JoseError> {
        read_object(&self.claims).map_err(JoseError::Claims)
    }
}

/// Reads a JSON object: a struct is not filled from an array, as `serde` would.
pub(super) fn read_object<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    if json.first() != Some(&b'{') {
        return Err(serde::de::Error::custom("not a JSON object"));
    }
    serde_json::from_slice(json)
}

#[cfg(test)]
mod tests;
