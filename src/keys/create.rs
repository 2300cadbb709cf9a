//! Making a signing key.

use rsa::RsaPrivateKey;
use rsa::rand_core::OsRng;

use super::KeyError;
use super::key_material::KeyMaterial;

const BITS: usize = 2048;

/// A new RSA-2048 key, made on a thread where blocking is allowed: it takes some tenths of a second.
pub(super) async fn create() -> Result<KeyMaterial, KeyError> {
    tokio::task::spawn_blocking(|| {
        let key =
            RsaPrivateKey::new(&mut OsRng, BITS).map_err(|_| KeyError::Generation("the generator failed"))?;
        KeyMaterial::new(&key).ok_or(KeyError::Generation("it does not verify what it signs"))
    })
    .await
    .map_err(|_| KeyError::Generation("the thread ended"))?
}
