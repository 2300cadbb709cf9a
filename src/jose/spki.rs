//! Public keys as SubjectPublicKeyInfo in PEM (RFC 5280 §4.1.2.7, RFC 7468 §13).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::EncodePublicKey;
use rsa::{BigUint, RsaPublicKey};

use super::jwk::PublicNumbers;
use super::{JoseError, PublicJwk};

/// Everything before the point of a P-256 key (RFC 5480 §2.1.1): its length, id-ecPublicKey and prime256v1.
const P256_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Everything before an Ed25519 key (RFC 8410 §4).
const ED25519_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl PublicJwk {
    /// The key in PEM, `BEGIN PUBLIC KEY`.
    ///
    /// # Errors
    /// If its members are not numbers of its type.
    pub fn to_pem(&self) -> Result<String, JoseError> {
        let unusable = JoseError::Key("its members are not numbers of its type");
        let der = match self.numbers() {
            Some(PublicNumbers::Rsa { n, e }) => rsa(&n, &e),
            Some(PublicNumbers::P256(point)) => Some([&P256_HEAD, point.as_slice()].concat()),
            Some(PublicNumbers::Ed25519(key)) => Some([&ED25519_HEAD, key.as_slice()].concat()),
            None => None,
        };
        Ok(pem(&der.ok_or(unusable)?))
    }
}

fn rsa(n: &[u8], e: &[u8]) -> Option<Vec<u8>> {
    let key = RsaPublicKey::new(BigUint::from_bytes_be(n), BigUint::from_bytes_be(e)).ok()?;
    Some(key.to_public_key_der().ok()?.into_vec())
}

/// RFC 7468 §2: lines of 64 characters.
fn pem(der: &[u8]) -> String {
    let mut text = String::from("-----BEGIN PUBLIC KEY-----\n");
    for (at, letter) in STANDARD.encode(der).chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str("\n-----END PUBLIC KEY-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::Algorithm;
    use crate::secret::from_base64url;

    fn bytes(text: &str) -> [u8; 32] {
        from_base64url(text).unwrap().try_into().unwrap()
    }

    /// Each as OpenSSL writes the same key (`openssl pkey -pubin -pubout`).
    #[test]
    fn pem_is_what_openssl_reads_and_writes() {
        let p256 = PublicJwk::p256(
            &bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
            &bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
        );
        assert_eq!(
            p256.to_pem().unwrap(),
            "-----BEGIN PUBLIC KEY-----\n\
             MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n\
             6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n\
             -----END PUBLIC KEY-----\n"
        );
        let ed25519 = PublicJwk::ed25519(&bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
        assert_eq!(
            ed25519.to_pem().unwrap(),
            "-----BEGIN PUBLIC KEY-----\n\
             MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
             -----END PUBLIC KEY-----\n"
        );
    }

    #[test]
    fn an_rsa_key_is_told_as_the_library_tells_it() {
        use rsa::pkcs8::LineEnding;
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap().to_public_key();
        let number = |number: &BigUint| number.to_bytes_be();
        let (n, e) =
            (number(rsa::traits::PublicKeyParts::n(&key)), number(rsa::traits::PublicKeyParts::e(&key)));
        let jwk = PublicJwk::rsa(Algorithm::Rs256, &n, &e);
        assert_eq!(jwk.to_pem().unwrap(), key.to_public_key_pem(LineEnding::LF).unwrap());
    }
}
