//! Taking an operator's own key from PEM (RFC 7468).

use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPrivateKey};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

use super::key_material::KeyMaterial;

const MIN_BITS: usize = 2048;
const MAX_BITS: usize = 4096;
const MIN_EXPONENT: u32 = 65_537;

/// Why a PEM text was not taken. Says nothing of its content beyond sizes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// No private key in it.
    #[error(
        "there is no private key in the file: it must hold `BEGIN PRIVATE KEY` (PKCS#8) or \
         `BEGIN RSA PRIVATE KEY` (PKCS#1)"
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
    /// Of another kind.
    #[error("the key is not an RSA key of two primes: RS256 needs one")]
    NotRsa,
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

/// Reads one RSA private key.
pub(super) fn import(pem: &str) -> Result<KeyMaterial, ImportError> {
    let key = parse(pem)?;
    let bits = key.n().bits();
    if !(MIN_BITS..=MAX_BITS).contains(&bits) {
        return Err(ImportError::Size(bits));
    }
    if *key.e() < BigUint::from(MIN_EXPONENT) {
        return Err(ImportError::Exponent);
    }
    key.validate().map_err(|_| ImportError::Inconsistent)?;
    KeyMaterial::new(&key).ok_or(ImportError::Inconsistent)
}

fn parse(pem: &str) -> Result<RsaPrivateKey, ImportError> {
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(ImportError::Encrypted);
    }
    if pem.contains("BEGIN OPENSSH PRIVATE KEY") {
        return Err(ImportError::OpenSsh);
    }
    let keys: Vec<_> = PrivateKeyDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| ImportError::NoPrivateKey)?;
    match keys.as_slice() {
        [] => Err(ImportError::NoPrivateKey),
        [PrivateKeyDer::Pkcs1(der)] => {
            RsaPrivateKey::from_pkcs1_der(der.secret_pkcs1_der()).map_err(|_| ImportError::Inconsistent)
        }
        [PrivateKeyDer::Pkcs8(der)] => RsaPrivateKey::from_pkcs8_der(der.secret_pkcs8_der()).map_err(not_rsa),
        [_] => Err(ImportError::NotRsa),
        several => Err(ImportError::Several(several.len())),
    }
}

fn not_rsa(error: rsa::pkcs8::Error) -> ImportError {
    match error {
        rsa::pkcs8::Error::PublicKey(_) => ImportError::NotRsa,
        _ => ImportError::Inconsistent,
    }
}

#[cfg(test)]
mod tests;
