//! Public keys as JWK (RFC 7517).

use serde::{Deserialize, Serialize};

use super::{Algorithm, JoseError};
use crate::secret::{base64url, from_base64url, sha256};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum KeyUse {
    #[serde(rename = "sig")]
    Signature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum EllipticCurve {
    #[serde(rename = "P-256")]
    P256,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum EdwardsCurve {
    Ed25519,
}

/// A public key for signatures. It has no room for a private member, and reading a JWK that has one fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicJwk(Members);

/// The members of each key type (RFC 7518 §6, RFC 8037 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty", deny_unknown_fields)]
enum Members {
    #[serde(rename = "RSA")]
    Rsa {
        #[serde(rename = "use")]
        key_use: KeyUse,
        alg: Algorithm,
        kid: String,
        n: String,
        e: String,
    },
    #[serde(rename = "EC")]
    EllipticCurve {
        #[serde(rename = "use")]
        key_use: KeyUse,
        alg: Algorithm,
        kid: String,
        crv: EllipticCurve,
        x: String,
        y: String,
    },
    #[serde(rename = "OKP")]
    OctetKeyPair {
        #[serde(rename = "use")]
        key_use: KeyUse,
        alg: Algorithm,
        kid: String,
        crv: EdwardsCurve,
        x: String,
    },
}

/// The numbers of a public key, big-endian.
#[derive(Debug)]
pub(super) enum PublicNumbers {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The uncompressed point (SEC 1 §2.3.3).
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl PublicJwk {
    /// An RSA key from the modulus and the public exponent, big-endian, for `RS256` or `PS256`. The `kid` is
    /// the RFC 7638 thumbprint, as it is for every key.
    pub fn rsa(alg: Algorithm, modulus: &[u8], exponent: &[u8]) -> Self {
        Self::named(Members::Rsa {
            key_use: KeyUse::Signature,
            alg,
            kid: String::new(),
            n: unsigned(modulus),
            e: unsigned(exponent),
        })
    }

    /// A key on P-256 from its point's coordinates, each of 32 bytes (RFC 7518 §6.2.1).
    pub fn p256(x: &[u8; 32], y: &[u8; 32]) -> Self {
        Self::named(Members::EllipticCurve {
            key_use: KeyUse::Signature,
            alg: Algorithm::Es256,
            kid: String::new(),
            crv: EllipticCurve::P256,
            x: base64url(x),
            y: base64url(y),
        })
    }

    /// An Ed25519 key (RFC 8037 §2).
    pub fn ed25519(x: &[u8; 32]) -> Self {
        Self::named(Members::OctetKeyPair {
            key_use: KeyUse::Signature,
            alg: Algorithm::Ed25519,
            kid: String::new(),
            crv: EdwardsCurve::Ed25519,
            x: base64url(x),
        })
    }

    fn named(mut members: Members) -> Self {
        let thumbprint = members.thumbprint();
        let (Members::Rsa { kid, .. }
        | Members::EllipticCurve { kid, .. }
        | Members::OctetKeyPair { kid, .. }) = &mut members;
        *kid = thumbprint;
        Self(members)
    }

    /// Reads a stored key, and checks that its `alg` is one of its type and its `kid` its thumbprint.
    ///
    /// # Errors
    /// If it is not exactly what this type writes.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, JoseError> {
        let key =
            Self::deserialize(json).map_err(|_| JoseError::Key("it is not a public JWK for signatures"))?;
        if !key.alg_fits() {
            return Err(JoseError::Key("its alg is not one of its type"));
        }
        if key.kid() != key.0.thumbprint() {
            return Err(JoseError::Key("its kid is not its thumbprint"));
        }
        Ok(key)
    }

    fn alg_fits(&self) -> bool {
        match (&self.0, self.alg()) {
            (Members::Rsa { .. }, Algorithm::Rs256 | Algorithm::Ps256)
            | (Members::EllipticCurve { .. }, Algorithm::Es256)
            | (Members::OctetKeyPair { .. }, Algorithm::Ed25519) => true,
            (Members::Rsa { .. } | Members::EllipticCurve { .. } | Members::OctetKeyPair { .. }, _) => false,
        }
    }

    /// The `kid` (RFC 7517 §4.5).
    pub fn kid(&self) -> &str {
        let (Members::Rsa { kid, .. }
        | Members::EllipticCurve { kid, .. }
        | Members::OctetKeyPair { kid, .. }) = &self.0;
        kid
    }

    /// The `alg` (RFC 7517 §4.4).
    pub fn alg(&self) -> Algorithm {
        let (Members::Rsa { alg, .. }
        | Members::EllipticCurve { alg, .. }
        | Members::OctetKeyPair { alg, .. }) = &self.0;
        *alg
    }

    /// `None` if a member is not base64url.
    pub(super) fn numbers(&self) -> Option<PublicNumbers> {
        match &self.0 {
            Members::Rsa { n, e, .. } => {
                Some(PublicNumbers::Rsa { n: from_base64url(n)?, e: from_base64url(e)? })
            }
            Members::EllipticCurve { x, y, .. } => {
                let (x, y) = (from_base64url(x)?, from_base64url(y)?);
                // RFC 7518 §6.2.1.2: each coordinate in full length, so that the halves cannot be shifted.
                (x.len() == 32 && y.len() == 32)
                    .then(|| PublicNumbers::P256([&[0x04], x.as_slice(), y.as_slice()].concat()))
            }
            Members::OctetKeyPair { x, .. } => Some(PublicNumbers::Ed25519(from_base64url(x)?)),
        }
    }
}

impl Members {
    /// RFC 7638 §3, and RFC 8037 §2 for Ed25519: the required members, in lexicographic order. All of them
    /// are base64url, so that there is nothing to escape.
    fn thumbprint(&self) -> String {
        let required = match self {
            Self::Rsa { n, e, .. } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::EllipticCurve { x, y, .. } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::OctetKeyPair { x, .. } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
        };
        base64url(&sha256(required.as_bytes()))
    }
}

/// Base64urlUInt: without leading zeros (RFC 7518 §2).
fn unsigned(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    base64url(&bytes[zeros..])
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
mod tests;
