//! A private key between its making and its storing, and back.

use zeroize::Zeroizing;

use super::{KeyError, LocalSigner, MasterKeys, Purpose, Signer};
use crate::jose::{Algorithm, JoseError};
use crate::model::{NewSigningKey, SigningKey};

/// A private key in PKCS#8, known to sign.
pub(super) struct KeyMaterial {
    signer: Signer,
    pkcs8: Zeroizing<Vec<u8>>,
}

impl KeyMaterial {
    /// `None` if the key does not sign with this algorithm what its public part verifies.
    pub(super) fn new(alg: Algorithm, pkcs8: Zeroizing<Vec<u8>>) -> Option<Self> {
        let signer = Signer::Local(LocalSigner::from_pkcs8(alg, &pkcs8)?);
        Some(Self { signer, pkcs8 })
    }

    /// The key's `kid`.
    pub(super) fn kid(&self) -> &str {
        self.signer.kid()
    }

    /// The algorithm that it is for.
    pub(super) fn alg(&self) -> Algorithm {
        self.signer.alg()
    }

    /// Encrypts the private part under the writing master key, bound to the `kid`.
    pub(super) fn wrap(&self, master_keys: &MasterKeys) -> Result<NewSigningKey, KeyError> {
        let master_key = master_keys.current();
        let kid = self.kid();
        Ok(NewSigningKey {
            kid: kid.to_owned(),
            alg: self.alg(),
            public_jwk: serde_json::to_value(self.signer.public_jwk()).map_err(JoseError::Claims)?,
            wrapped_private_key: master_key.seal(
                Purpose::SigningKey,
                b"",
                &self.pkcs8,
                &binding(kid, self.alg()),
            ),
            master_key_id: master_key.id().to_vec(),
        })
    }
}

/// What an encrypted private key is bound to: its `kid`, and an algorithm other than RS256, since the `kid` does
/// not tell what an RSA key is for.
pub(super) fn binding(kid: &str, alg: Algorithm) -> Vec<u8> {
    match alg {
        Algorithm::Rs256 => kid.as_bytes().to_vec(),
        alg => format!("{kid} {alg}").into_bytes(),
    }
}

/// Decrypts and parses a stored key. Only what was sealed under a master key passes, so that somebody who
/// can write to the database alone cannot add a key that verifiers trust.
pub(super) fn unwrap(row: &SigningKey, master_keys: &MasterKeys) -> Result<Signer, KeyError> {
    let unusable = |reason| KeyError::Stored { kid: row.kid.clone(), reason };
    let master_key = master_keys
        .by_id(&row.master_key_id)
        .ok_or_else(|| unusable("it was encrypted under a master key that is not listed"))?;
    let pkcs8 = master_key
        .open(Purpose::SigningKey, b"", &row.wrapped_private_key, &binding(&row.kid, row.alg))
        .map(Zeroizing::new)
        .ok_or_else(|| unusable("it does not decrypt"))?;
    let signer = LocalSigner::from_pkcs8(row.alg, &pkcs8)
        .map(Signer::Local)
        .ok_or_else(|| unusable("it is not a sound private key"))?;
    // The kid is the public key's thumbprint, so that the stored public part needs no look.
    if signer.kid() != row.kid {
        return Err(unusable("it is another key than its kid says"));
    }
    Ok(signer)
}
