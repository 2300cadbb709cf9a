use std::sync::LazyLock;

use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;
use rstest::rstest;

use super::*;

static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::new(&mut OsRng, 2048).unwrap());

fn pkcs8(key: &RsaPrivateKey) -> String {
    key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
}

fn refused(pem: &str) -> ImportError {
    import(pem).err().unwrap()
}

#[test]
fn both_encodings_any_line_end_and_text_around_give_the_same_key() {
    let pkcs1 = KEY.to_pkcs1_pem(LineEnding::CRLF).unwrap().to_string();
    let kid = import(&pkcs1).unwrap().kid().to_owned();
    let public = KEY.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    for pem in [pkcs8(&KEY), format!("Bag Attributes\n  friendlyName: x\n{}\n{public}", pkcs8(&KEY))] {
        assert_eq!(import(&pem).unwrap().kid(), kid);
    }
}

#[rstest]
#[case::empty("")]
#[case::text("hello")]
#[case::public(&KEY.to_public_key().to_public_key_pem(LineEnding::LF).unwrap())]
#[case::cut_off(&pkcs8(&KEY)[..400])]
fn without_a_private_key(#[case] pem: &str) {
    assert_eq!(refused(pem), ImportError::NoPrivateKey);
}

#[rstest]
#[case("ENCRYPTED PRIVATE KEY", ImportError::Encrypted)]
#[case("OPENSSH PRIVATE KEY", ImportError::OpenSsh)]
#[case("EC PRIVATE KEY", ImportError::NotRsa)]
fn another_form(#[case] label: &str, #[case] expected: ImportError) {
    assert_eq!(refused(&pkcs8(&KEY).replace("PRIVATE KEY", label)), expected);
}

#[test]
fn the_old_form_of_encryption() {
    let pem = KEY.to_pkcs1_pem(LineEnding::LF).unwrap().replace(
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n",
    );
    assert_eq!(refused(&pem), ImportError::Encrypted);
}

#[test]
fn several_keys() {
    assert_eq!(refused(&pkcs8(&KEY).repeat(2)), ImportError::Several(2));
}

#[test]
fn an_elliptic_curve_key() {
    let key = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &aws_lc_rs::rand::SystemRandom::new(),
    );
    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key.unwrap());
    assert_eq!(
        refused(&format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")),
        ImportError::NotRsa
    );
}

#[test]
fn a_small_key() {
    let key = RsaPrivateKey::new(&mut OsRng, 1024).unwrap();
    assert_eq!(refused(&pkcs8(&key)), ImportError::Size(1024));
}

#[test]
fn a_small_exponent() {
    let key = RsaPrivateKey::new_with_exp(&mut OsRng, 2048, &BigUint::from(3u8)).unwrap();
    assert_eq!(refused(&pkcs8(&key)), ImportError::Exponent);
}

#[test]
fn a_changed_bit_anywhere() {
    let der = KEY.to_pkcs8_der().unwrap();
    for at in (0..der.as_bytes().len()).step_by(61) {
        let mut changed = der.as_bytes().to_vec();
        changed[at] ^= 4;
        let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &changed);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        // The values that only speed a private operation up are computed anew, so that a change there
        // does no harm: then it is still the same key.
        if let Ok(key) = import(&pem) {
            assert_eq!(key.kid(), import(&pkcs8(&KEY)).unwrap().kid(), "byte {at}");
        }
    }
}
