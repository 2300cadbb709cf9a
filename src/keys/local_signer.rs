//! A signing key in this process's memory.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding,
};

use super::KeyError;
use crate::jose::{Algorithm, PublicJwk, VerificationKey};

/// A key pair, parsed once: parsing costs as much as a signature.
pub struct LocalSigner {
    jwk: PublicJwk,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl LocalSigner {
    /// Parses a private key in PKCS#8 and lets it sign a probe, so that a damaged key is noticed
    /// before a token is made with it. `None` if it is not a sound key for this algorithm, RSA keys of 2048
    /// bits or more.
    pub(super) fn from_pkcs8(alg: Algorithm, der: &[u8]) -> Option<Self> {
        let pair = Pair::from_pkcs8(alg, der)?;
        let signer = Self { jwk: pair.public_jwk(alg)?, pair };
        let probe = signer.sign(b"probe").ok()?;
        VerificationKey::new(&signer.jwk).ok()?.verify(b"probe", &probe).ok()?;
        Some(signer)
    }

    /// The public part.
    pub(super) fn public_jwk(&self) -> &PublicJwk {
        &self.jwk
    }

    pub(super) fn sign(&self, signing_input: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.pair.sign(signing_input).map_err(|_| KeyError::Signing { kid: self.jwk.kid().to_owned() })
    }
}

impl Pair {
    fn from_pkcs8(alg: Algorithm, der: &[u8]) -> Option<Self> {
        let pair = match alg {
            Algorithm::Rs256 => Self::Rsa(RsaKeyPair::from_pkcs8(der).ok()?, &RSA_PKCS1_SHA256),
            Algorithm::Ps256 => Self::Rsa(RsaKeyPair::from_pkcs8(der).ok()?, &RSA_PSS_SHA256),
            Algorithm::Es256 => {
                Self::P256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok()?)
            }
            Algorithm::Ed25519 => Self::Ed25519(Ed25519KeyPair::from_pkcs8(der).ok()?),
        };
        Some(pair)
    }

    fn public_jwk(&self, alg: Algorithm) -> Option<PublicJwk> {
        match self {
            Self::Rsa(pair, _) => {
                let public = pair.public_key();
                let modulus = public.modulus().big_endian_without_leading_zero();
                let exponent = public.exponent().big_endian_without_leading_zero();
                Some(PublicJwk::rsa(alg, modulus, exponent))
            }
            Self::P256(pair) => {
                // SEC 1 §2.3.3: 0x04, then the coordinates in full length.
                let (x, y) = pair.public_key().as_ref().strip_prefix(&[0x04])?.split_at_checked(32)?;
                Some(PublicJwk::p256(x.try_into().ok()?, y.try_into().ok()?))
            }
            Self::Ed25519(pair) => Some(PublicJwk::ed25519(pair.public_key().as_ref().try_into().ok()?)),
        }
    }

    fn sign(&self, signing_input: &[u8]) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, signing_input, &mut signature)?;
                Ok(signature)
            }
            Self::P256(pair) => Ok(pair.sign(&random, signing_input)?.as_ref().to_vec()),
            Self::Ed25519(pair) => Ok(pair.try_sign(signing_input)?.as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for LocalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSigner").field("kid", &self.jwk.kid()).finish_non_exhaustive()
    }
}
