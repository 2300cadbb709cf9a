//! Public keys of clients (RFC 7517): made elsewhere, and so read with suspicion.

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
};
use serde::Deserialize;
use serde_json::Value;

use super::AssertionAlgorithm;
use crate::secret::from_base64url;

/// A client has no more keys than this.
pub const MOST_CLIENT_KEYS: usize = 20;

/// An RSA modulus in bits. The upper bound is aws-lc's; the lower one RFC 7518 §3.3.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Longest RSA exponent in bytes: a long one makes each verification slow.
const LONGEST_RSA_EXPONENT: usize = 4;

/// Members that only private and symmetric keys have (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const NOT_PUBLIC: &str = "it holds a private or symmetric key: give the public part alone, and make a new key, since \
                          this one has been shown";

/// Why a key or a set of keys is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientJwkError {
    /// Not an object with an array `keys` (RFC 7517 §5).
    #[error("this is no JWK Set: a JSON object with an array \"keys\"")]
    NotASet,
    /// More keys than anybody needs.
    #[error("there are more than {MOST_CLIENT_KEYS} keys")]
    TooMany,
    /// No key in it can verify a signature.
    #[error("there is no key in it that an assertion could be verified with")]
    NoKey,
    /// One of the keys.
    #[error("key {number}: {problem}")]
    Key {
        /// Its place, beginning with 1.
        number: usize,
        /// What is wrong.
        problem: &'static str,
    },
}

/// One public key, parsed once for each algorithm that it may be used with.
#[derive(Debug)]
pub struct ClientJwk {
    kid: Option<String>,
    parsed: Vec<(AssertionAlgorithm, ParsedPublicKey)>,
}

#[derive(Deserialize)]
struct Members {
    kty: String,
    #[serde(rename = "use")]
    key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl ClientJwk {
    /// Reads one public key for signatures: RSA of 2048 bits or more, P-256, or Ed25519.
    fn parse(json: &Value) -> Result<Self, &'static str> {
        let object = json.as_object().ok_or("it is not a JSON object")?;
        if PRIVATE_MEMBERS.iter().any(|member| object.contains_key(*member)) {
            return Err(NOT_PUBLIC);
        }
        let members = Members::deserialize(json).map_err(|_| "its members have wrong types")?;
        if members.key_use.as_ref().is_some_and(|key_use| key_use != "sig") {
            return Err("its \"use\" is not \"sig\"");
        }
        // RFC 7517 §4.3: what a public key for signatures does is to verify.
        if members.key_ops.as_ref().is_some_and(|operations| !operations.iter().any(|one| one == "verify")) {
            return Err("its \"key_ops\" lack \"verify\"");
        }
        let mut parsed = match (members.kty.as_str(), members.crv.as_deref()) {
            ("RSA", None) => rsa(&members)?,
            ("EC", Some("P-256")) => p256(&members)?,
            ("OKP", Some("Ed25519")) => ed25519(&members)?,
            _ => return Err("it is none of RSA, EC with P-256, and OKP with Ed25519"),
        };
        if let Some(alg) = &members.alg {
            let alg = AssertionAlgorithm::parse(alg).ok_or("its \"alg\" is not supported")?;
            parsed.retain(|(own, _)| own.is_same_signature(alg));
            if parsed.is_empty() {
                return Err("its \"alg\" does not fit its \"kty\"");
            }
        }
        Ok(Self { kid: members.kid, parsed })
    }

    /// Whether a header with this `kid`, or without one, may mean this key.
    fn may_be(&self, kid: Option<&str>) -> bool {
        kid.is_none() || self.kid.is_none() || self.kid.as_deref() == kid
    }

    fn verifies(&self, alg: AssertionAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        let mut fitting = self.parsed.iter().filter(|(own, _)| own.is_same_signature(alg));
        fitting.any(|(_, key)| key.verify_sig(message, signature).is_ok())
    }
}

fn number(text: Option<&String>) -> Result<Vec<u8>, &'static str> {
    text.and_then(|text| from_base64url(text)).ok_or("a member of it is missing or not base64url")
}

fn rsa(members: &Members) -> Result<Vec<(AssertionAlgorithm, ParsedPublicKey)>, &'static str> {
    let (n, e) = (number(members.n.as_ref())?, number(members.e.as_ref())?);
    let modulus_start = n.iter().position(|byte| *byte != 0).unwrap_or(n.len());
    let modulus = &n[modulus_start..];
    let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
    if !RSA_BITS.contains(&bits) {
        return Err("its RSA modulus has not 2048 to 8192 bits");
    }
    let is_odd = e.last().is_some_and(|last| last % 2 == 1);
    if !is_odd
        || e.len() > LONGEST_RSA_EXPONENT
        || e.iter().rev().skip(1).all(|byte| *byte == 0) && e.ends_with(&[1])
    {
        return Err("its RSA exponent is not an odd number from 3 to 2^32");
    }
    let key = PublicKeyComponents { n: modulus, e: &e[..] };
    [
        (AssertionAlgorithm::Rs256, &RSA_PKCS1_2048_8192_SHA256),
        (AssertionAlgorithm::Ps256, &RSA_PSS_2048_8192_SHA256),
    ]
    .into_iter()
    .map(|(alg, parameters)| {
        Ok((alg, key.to_parsed_public_key(parameters).map_err(|_| "it is not an RSA key")?))
    })
    .collect()
}

fn p256(members: &Members) -> Result<Vec<(AssertionAlgorithm, ParsedPublicKey)>, &'static str> {
    let (x, y) = (number(members.x.as_ref())?, number(members.y.as_ref())?);
    // RFC 7518 §6.2.1.2: each has the full length of the curve.
    if x.len() != 32 || y.len() != 32 {
        return Err("its coordinates have not 32 bytes each");
    }
    let point = [&[4], x.as_slice(), &y].concat();
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| "it is no point of P-256")?;
    Ok(vec![(AssertionAlgorithm::Es256, key)])
}

fn ed25519(members: &Members) -> Result<Vec<(AssertionAlgorithm, ParsedPublicKey)>, &'static str> {
    let x = number(members.x.as_ref())?;
    let key = ParsedPublicKey::new(&ED25519, x).map_err(|_| "it is not an Ed25519 key")?;
    Ok(vec![(AssertionAlgorithm::Ed25519, key)])
}

/// The public keys of a client (RFC 7517 §5); by default none.
#[derive(Debug, Default)]
pub struct ClientJwks(Vec<ClientJwk>);

impl ClientJwks {
    /// Reads a set that an operator registers: every key in it must be usable.
    ///
    /// # Errors
    /// What is wrong with the set, or with which key.
    pub fn registered(json: &Value) -> Result<Self, ClientJwkError> {
        let keys = entries(json)?.iter().enumerate().map(|(index, key)| {
            ClientJwk::parse(key).map_err(|problem| ClientJwkError::Key { number: index + 1, problem })
        });
        Self::of_some(keys.collect::<Result<_, _>>()?)
    }

    /// Reads the usable keys of a set that nobody has checked: it was fetched, or written by a later release. Keys for
    /// other purposes in it are left out (RFC 7517 §5).
    ///
    /// # Errors
    /// If it is no set, or there is no usable key in it.
    pub fn usable(json: &Value) -> Result<Self, ClientJwkError> {
        Self::of_some(entries(json)?.iter().filter_map(|key| ClientJwk::parse(key).ok()).collect())
    }

    /// The part of a set that a client registers by itself which can be used. Keys for other purposes are left out
    /// (RFC 7517 §5), and one that is not public spoils all.
    ///
    /// # Errors
    /// If it is no set, or what is wrong with which key.
    pub fn usable_part(json: &Value) -> Result<Value, ClientJwkError> {
        let keys = entries(json)?;
        for (index, key) in keys.iter().enumerate() {
            if holds_private_part(key) {
                return Err(ClientJwkError::Key { number: index + 1, problem: NOT_PUBLIC });
            }
        }
        let usable: Vec<_> = keys.iter().filter(|key| ClientJwk::parse(key).is_ok()).cloned().collect();
        Ok(serde_json::json!({ "keys": usable }))
    }

    fn of_some(keys: Vec<ClientJwk>) -> Result<Self, ClientJwkError> {
        if keys.is_empty() { Err(ClientJwkError::NoKey) } else { Ok(Self(keys)) }
    }

    /// Whether there is no key in it, so that it verifies nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the keys that the header may mean made this signature.
    pub fn verify(
        &self,
        alg: AssertionAlgorithm,
        kid: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.0.iter().filter(|key| key.may_be(kid)).any(|key| key.verifies(alg, message, signature))
    }

    /// Whether any key could be used with this algorithm.
    pub fn has_key_for(&self, alg: AssertionAlgorithm) -> bool {
        self.0.iter().any(|key| key.parsed.iter().any(|(own, _)| own.is_same_signature(alg)))
    }
}

fn holds_private_part(key: &Value) -> bool {
    PRIVATE_MEMBERS.iter().any(|member| key.get(member).is_some()) || key["kty"] == "oct"
}

fn entries(json: &Value) -> Result<&Vec<Value>, ClientJwkError> {
    let keys = json.get("keys").and_then(Value::as_array).ok_or(ClientJwkError::NotASet)?;
    if keys.len() > MOST_CLIENT_KEYS { Err(ClientJwkError::TooMany) } else { Ok(keys) }
}

#[cfg(test)]
mod tests;
