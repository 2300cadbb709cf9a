//! Making a signing key.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use zeroize::Zeroizing;

use super::KeyError;
use super::key_material::KeyMaterial;
use crate::jose::Algorithm;

/// A new key (RSA with 2048 bits), made on a thread where blocking is allowed: an RSA key takes some tenths
/// of a second.
pub(super) async fn create(alg: Algorithm) -> Result<KeyMaterial, KeyError> {
    tokio::task::spawn_blocking(move || {
        let pkcs8 =
            generate(alg).map_err(|_| KeyError::Generation { alg, reason: "the generator failed" })?;
        KeyMaterial::new(alg, pkcs8)
            .ok_or(KeyError::Generation { alg, reason: "it does not verify what it signs" })
    })
    .await
    .map_err(|_| KeyError::Generation { alg, reason: "the thread ended" })?
}

fn generate(alg: Algorithm) -> Result<Zeroizing<Vec<u8>>, aws_lc_rs::error::Unspecified> {
    let pkcs8 = match alg {
        Algorithm::Rs256 | Algorithm::Ps256 => {
            KeyPair::generate(KeySize::Rsa2048)?.as_der()?.as_ref().to_vec()
        }
        Algorithm::Es256 => {
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec()
        }
        Algorithm::Ed25519 => Ed25519KeyPair::generate()?.to_pkcs8v1()?.as_ref().to_vec(),
    };
    Ok(Zeroizing::new(pkcs8))
}
