//! Taking an operator's own key from PEM (RFC 7468).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, PrivateKeyInfo};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPrivateKey};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

use super::key_material::KeyMaterial;
use crate::jose::Algorithm;

const MIN_BITS: usize = 2048;
const MAX_BITS: usize = 4096;
const MIN_EXPONENT: u32 = 65_537;

/// Why a PEM text was not taken. Says nothing of its content beyond kind and size.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// No private key in it.
    #[error(
        "there is no private key in the file: it must hold `BEGIN PRIVATE KEY` (PKCS#8), \
         `BEGIN RSA PRIVATE KEY` (PKCS#1) or `BEGIN EC PRIVATE KEY` (SEC 1)"
    )]
    NoPrivateKey,
    /// More than one.
    #[error("there are {0} private keys in the file: give one at a time")]
    Several(usize),
    /// Encrypted with a passphrase.
    #[error(
        "the key is encrypted with a passphrase: decrypt it first, with `openssl pkey -in FILE -out PLAIN`"
    )]
    Encrypted,
    /// In the form of OpenSSH.
    #[error("the key is in OpenSSH's own format: convert it with `ssh-keygen -p -m PKCS8 -f FILE`")]
    OpenSsh,
    /// Of a kind that nothing is signed with.
    #[error("the key is neither RSA with two primes nor on P-256 nor Ed25519: one of these is needed")]
    Kind,
    /// Of another kind than the algorithm asks for.
    #[error("the key is for {}: it cannot sign with {asked}", names(.fitting))]
    Algorithm {
        /// The algorithm asked for.
        asked: Algorithm,
        /// Those that the key serves.
        fitting: &'static [Algorithm],
    },
    /// Too small or too large.
    #[error("the key has {0} bits: {MIN_BITS} to {MAX_BITS} are accepted")]
    Size(usize),
    /// A public exponent that is too small.
    #[error("the key's public exponent is below {MIN_EXPONENT}")]
    Exponent,
    /// Numbers that do not belong together.
    #[error("the key is damaged: its parts do not belong together")]
    Inconsistent,
}

fn names(algorithms: &[Algorithm]) -> String {
    algorithms.iter().map(|alg| alg.name()).collect::<Vec<_>>().join(" or ")
}

/// A kind of key that something is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    EllipticCurve,
    Ed25519,
}

impl Kind {
    /// By the algorithm's object identifier in PKCS#8 (RFC 8017 §A.1, RFC 5480 §2.1.1, RFC 8410 §3).
    fn of_pkcs8(der: &[u8]) -> Result<Self, ImportError> {
        let key = PrivateKeyInfo::try_from(der).map_err(|_| ImportError::Inconsistent)?;
        match key.algorithm.oid.to_string().as_str() {
            "1.2.840.113549.1.1.1" => Ok(Self::Rsa),
            "1.2.840.10045.2.1" => Ok(Self::EllipticCurve),
            "1.3.101.112" => Ok(Self::Ed25519),
            _ => Err(ImportError::Kind),
        }
    }

    /// What it can sign with; the first unless another is asked for.
    const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Rsa => &[Algorithm::Rs256, Algorithm::Ps256],
            Self::EllipticCurve => &[Algorithm::Es256],
            Self::Ed25519 => &[Algorithm::Ed25519],
        }
    }

    fn algorithm(self, asked: Option<Algorithm>) -> Result<Algorithm, ImportError> {
        let fitting = self.algorithms();
        match asked {
            None => Ok(fitting[0]),
            Some(asked) if fitting.contains(&asked) => Ok(asked),
            Some(asked) => Err(ImportError::Algorithm { asked, fitting }),
        }
    }
}

/// Reads one private key, to sign with `alg` or, if none is named, with the first that fits.
pub(super) fn import(pem: &str, alg: Option<Algorithm>) -> Result<KeyMaterial, ImportError> {
    let der = private_key(pem)?;
    let kind = match &der {
        PrivateKeyDer::Pkcs1(_) => Kind::Rsa,
        PrivateKeyDer::Sec1(_) => Kind::EllipticCurve,
        _ => Kind::of_pkcs8(der.secret_der())?,
    };
    let alg = kind.algorithm(alg)?;
    let pkcs8 = match kind {
        Kind::Rsa => rsa(&der)?,
        Kind::EllipticCurve => p256(der.secret_der())?,
        Kind::Ed25519 => ed25519(der.secret_der())?,
    };
    KeyMaterial::new(alg, pkcs8).ok_or(ImportError::Inconsistent)
}

/// The one private key in the text.
fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, ImportError> {
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(ImportError::Encrypted);
    }
    if pem.contains("BEGIN OPENSSH PRIVATE KEY") {
        return Err(ImportError::OpenSsh);
    }
    let mut keys: Vec<_> = PrivateKeyDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| ImportError::NoPrivateKey)?;
    match (keys.len(), keys.pop()) {
        (1, Some(key)) => Ok(key),
        (_, None) => Err(ImportError::NoPrivateKey),
        (several, Some(_)) => Err(ImportError::Several(several)),
    }
}

/// An RSA key's strength and consistency are checked here, since a bad one signs well.
fn rsa(der: &PrivateKeyDer<'_>) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let key = match der {
        PrivateKeyDer::Pkcs1(der) => RsaPrivateKey::from_pkcs1_der(der.secret_pkcs1_der()).ok(),
        der => RsaPrivateKey::from_pkcs8_der(der.secret_der()).ok(),
    };
    let key = key.ok_or(ImportError::Inconsistent)?;
    let bits = key.n().bits();
    if !(MIN_BITS..=MAX_BITS).contains(&bits) {
        return Err(ImportError::Size(bits));
    }
    if *key.e() < BigUint::from(MIN_EXPONENT) {
        return Err(ImportError::Exponent);
    }
    key.validate().map_err(|_| ImportError::Inconsistent)?;
    let pkcs8 = key.to_pkcs8_der().map_err(|_| ImportError::Inconsistent)?;
    Ok(Zeroizing::new(pkcs8.as_bytes().to_vec()))
}

fn p256(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let key = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
        .map_err(|_| ImportError::Kind)?;
    let pkcs8 = key.to_pkcs8v1().map_err(|_| ImportError::Inconsistent)?;
    Ok(Zeroizing::new(pkcs8.as_ref().to_vec()))
}

fn ed25519(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let key = Ed25519KeyPair::from_pkcs8(der).map_err(|_| ImportError::Inconsistent)?;
    let pkcs8 = key.to_pkcs8v1().map_err(|_| ImportError::Inconsistent)?;
    Ok(Zeroizing::new(pkcs8.as_ref().to_vec()))
}

#[cfg(test)]
mod tests;
