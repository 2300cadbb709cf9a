//! Who signs. Signing is `async` so that a device or a service elsewhere can be one more variant.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use serde::Serialize;

use super::KeyError;
use crate::jose::{Algorithm, PublicJwk, TokenType, UnsignedJwt, VerificationKey};

/// A key that signs, wherever it lies.
#[derive(Debug)]
pub enum Signer {
    /// A key in this process's memory.
    Local(LocalSigner),
}

impl Signer {
    /// The public part.
    pub fn public_jwk(&self) -> &PublicJwk {
        match self {
            Self::Local(signer) => &signer.jwk,
        }
    }

    /// The key's `kid`.
    pub fn kid(&self) -> &str {
        self.public_jwk().kid()
    }

    /// The algorithm that it signs with.
    pub fn alg(&self) -> Algorithm {
        self.public_jwk().alg()
    }

    /// Signs (RFC 7515 §5.1, step 5).
    ///
    /// # Errors
    /// If the key fails.
    pub async fn sign(&self, signing_input: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self {
            Self::Local(signer) => signer.sign(signing_input),
        }
    }

    /// A signed token of kind `T` with these claims, in compact serialisation.
    ///
    /// # Errors
    /// If the claims cannot be written or the key fails.
    pub async fn sign_jwt<T: TokenType>(&self, claims: &impl Serialize) -> Result<String, KeyError> {
        let token = UnsignedJwt::new::<T>(self.alg(), self.kid(), claims)?;
        let signature = self.sign(token.signing_input()).await?;
        Ok(token.with_signature(&signature))
    }
}

/// An RSA key pair, parsed once: parsing costs as much as a signature.
pub struct LocalSigner {
    jwk: PublicJwk,
    pair: KeyPair,
}

impl LocalSigner {
    /// Parses a private key in PKCS#8 and lets it sign a probe, so that a damaged key is noticed
    /// before a token is made with it. `None` if it is not a sound RSA key of 2048 bits or more.
    pub(super) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let pair = KeyPair::from_pkcs8(der).ok()?;
        let public = pair.public_key();
        let jwk = PublicJwk::rsa(
            Algorithm::Rs256,
            public.modulus().big_endian_without_leading_zero(),
            public.exponent().big_endian_without_leading_zero(),
        );
        let signer = Self { jwk, pair };
        let probe = signer.sign(b"probe").ok()?;
        VerificationKey::new(&signer.jwk).ok()?.verify(b"probe", &probe).ok()?;
        Some(signer)
    }

    fn sign(&self, signing_input: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signing_input, &mut signature)
            .map_err(|_| KeyError::Signing { kid: self.jwk.kid().to_owned() })?;
        Ok(signature)
    }
}

impl fmt::Debug for LocalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSigner").field("kid", &self.jwk.kid()).finish_non_exhaustive()
    }
}
