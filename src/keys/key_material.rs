//! A private key between its making and its storing, and back.

use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, SecretDocument};

use super::signer::LocalSigner;
use super::{KeyError, MasterKeys, Purpose, Signer};
use crate::jose::JoseError;
use crate::model::{NewSigningKey, SigningKey};

/// A private key in PKCS#8, known to sign.
pub(super) struct KeyMaterial {
    signer: Signer,
    pkcs8: SecretDocument,
}

impl KeyMaterial {
    /// `None` if the key does not sign what its public part verifies.
    pub(super) fn new(key: &RsaPrivateKey) -> Option<Self> {
        let pkcs8 = key.to_pkcs8_der().ok()?;
        let signer = Signer::Local(LocalSigner::from_pkcs8(pkcs8.as_bytes())?);
        Some(Self { signer, pkcs8 })
    }

    /// The key's `kid`.
    pub(super) fn kid(&self) -> &str {
        self.signer.kid()
    }

    /// Encrypts the private part under the writing master key, bound to the `kid`.
    pub(super) fn wrap(&self, master_keys: &MasterKeys) -> Result<NewSigningKey, KeyError> {
        let master_key = master_keys.current();
        let kid = self.kid();
        Ok(NewSigningKey {
            kid: kid.to_owned(),
            alg: self.signer.alg().name().to_owned(),
            public_jwk: serde_json::to_value(self.signer.public_jwk()).map_err(JoseError::Claims)?,
            wrapped_private_key: master_key.seal(
                Purpose::SigningKey,
                b"",
                self.pkcs8.as_bytes(),
                kid.as_bytes(),
            ),
            master_key_id: master_key.id().to_vec(),
        })
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
        .open(Purpose::SigningKey, b"", &row.wrapped_private_key, row.kid.as_bytes())
        .map(zeroize::Zeroizing::new)
        .ok_or_else(|| unusable("it does not decrypt"))?;
    let signer = LocalSigner::from_pkcs8(&pkcs8)
        .map(Signer::Local)
        .ok_or_else(|| unusable("it is not a sound private key"))?;
    // The kid is the public key's thumbprint, so that the stored public part needs no look.
    if signer.kid() != row.kid || signer.alg().name() != row.alg {
        return Err(unusable("it is another key than its kid and alg say"));
    }
    Ok(signer)
}
