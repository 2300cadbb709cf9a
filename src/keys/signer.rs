//! Who signs. Signing is `async` so that a device or a service elsewhere can be one more variant.

use serde::Serialize;

use super::{KeyError, LocalSigner};
use crate::jose::{Algorithm, PublicJwk, TokenType, UnsignedJwt};

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
            Self::Local(signer) => signer.public_jwk(),
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
