//! Public keys as JWK (RFC 7517).

use serde::{Deserialize, Serialize};

use super::{Algorithm, JoseError};
use crate::secret::{base64url, from_base64url, sha256};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum KeyType {
    #[serde(rename = "RSA")]
    Rsa,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum KeyUse {
    #[serde(rename = "sig")]
    Signature,
}

/// A public RSA key for signatures. It has no room for a private member, and reading a JWK that has
/// one fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicJwk {
    kty: KeyType,
    #[serde(rename = "use")]
    key_use: KeyUse,
    alg: Algorithm,
    kid: String,
    n: String,
    e: String,
}

impl PublicJwk {
    /// From the modulus and the public exponent, big-endian. The `kid` is the RFC 7638 thumbprint.
    pub fn rsa(alg: Algorithm, modulus: &[u8], exponent: &[u8]) -> Self {
        let (n, e) = (unsigned(modulus), unsigned(exponent));
        Self { kty: KeyType::Rsa, key_use: KeyUse::Signature, alg, kid: thumbprint(&n, &e), n, e }
    }

    /// Reads a stored key, and checks that its `kid` is its thumbprint.
    ///
    /// # Errors
    /// If it is not exactly what [`PublicJwk::rsa`] makes.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, JoseError> {
        let key = Self::deserialize(json).map_err(|_| JoseError::Key("it is not an RSA public JWK"))?;
        if key.kid != thumbprint(&key.n, &key.e) {
            return Err(JoseError::Key("its kid is not its thumbprint"));
        }
        Ok(key)
    }

    /// The `kid` (RFC 7517 §4.5).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The `alg` (RFC 7517 §4.4).
    pub fn alg(&self) -> Algorithm {
        self.alg
    }

    /// The modulus, big-endian.
    pub(super) fn modulus(&self) -> Option<Vec<u8>> {
        from_base64url(&self.n)
    }

    /// The public exponent, big-endian.
    pub(super) fn exponent(&self) -> Option<Vec<u8>> {
        from_base64url(&self.e)
    }
}

/// Base64urlUInt: without leading zeros (RFC 7518 §2).
fn unsigned(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    base64url(&bytes[zeros..])
}

/// RFC 7638 §3: the required members, in lexicographic order. `n` and `e` are base64url, so that there
/// is nothing to escape.
fn thumbprint(n: &str, e: &str) -> String {
    base64url(&sha256(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes()))
}

/// A JWK Set (RFC 7517 §5) in JSON.
///
/// # Errors
/// Never for keys of today; the serialiser's error otherwise.
pub fn jwk_set<'a>(keys: impl IntoIterator<Item = &'a PublicJwk>) -> Result<String, JoseError> {
    #[derive(Serialize)]
    struct JwkSet<'a> {
        keys: Vec<&'a PublicJwk>,
    }
    serde_json::to_string(&JwkSet { keys: keys.into_iter().collect() }).map_err(JoseError::Claims)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RFC_7638_MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

    fn rfc_7638_key() -> PublicJwk {
        PublicJwk::rsa(Algorithm::Rs256, &from_base64url(RFC_7638_MODULUS).unwrap(), &[0, 1, 0, 1])
    }

    #[test]
    fn the_kid_is_the_thumbprint_of_rfc_7638() {
        assert_eq!(rfc_7638_key().kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn is_written_with_use_alg_and_kid_and_read_back() {
        let key = rfc_7638_key();
        let json = serde_json::to_value(&key).unwrap();
        assert_eq!(
            json,
            json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.kid(), "n": RFC_7638_MODULUS, "e": "AQAB"})
        );
        assert_eq!(PublicJwk::from_json(&json).unwrap(), key);
        let set: serde_json::Value = serde_json::from_str(&jwk_set([&key]).unwrap()).unwrap();
        assert_eq!(set, json!({"keys": [json]}));
    }

    #[test]
    fn a_private_member_another_type_or_another_kid_is_refused() {
        for (member, value) in
            [("d", "AQAB"), ("kty", "oct"), ("kid", "me"), ("alg", "HS256"), ("use", "enc"), ("n", "AQ")]
        {
            let mut json = serde_json::to_value(rfc_7638_key()).unwrap();
            json[member] = value.into();
            assert!(PublicJwk::from_json(&json).is_err(), "{member}");
        }
    }
}
