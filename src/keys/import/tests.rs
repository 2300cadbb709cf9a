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
    import(pem, None).err().unwrap()
}

#[test]
fn both_encodings_any_line_end_and_text_around_give_the_same_key() {
    let pkcs1 = KEY.to_pkcs1_pem(LineEnding::CRLF).unwrap().to_string();
    let kid = import(&pkcs1, None).unwrap().kid().to_owned();
    let public = KEY.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    for pem in [pkcs8(&KEY), format!("Bag Attributes\n  friendlyName: x\n{}\n{public}", pkcs8(&KEY))] {
        assert_eq!(import(&pem, None).unwrap().kid(), kid);
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
#[case("EC PRIVATE KEY", ImportError::Kind)]
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

/// Made by `openssl ecparam -name prime256v1 -genkey` and `openssl genpkey`; nothing is signed with them.
const SEC1_P256: &str = "-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIH6AN7Gf+xZaO58i6mfqArU6Rkux+ZrT+xK8br4OA1VsoAoGCCqGSM49
AwEHoUQDQgAEySuc8059nlMB9FKAoH3k24aFfFz/yMWrVyn5jooBBP/LE3yckdzg
lalDpJEVa45lxoFGTAYNkE/lTCIDgq2H4A==
-----END EC PRIVATE KEY-----
";
const PKCS8_P256: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfoA3sZ/7Flo7nyLq
Z+oCtTpGS7H5mtP7Erxuvg4DVWyhRANCAATJK5zzTn2eUwH0UoCgfeTbhoV8XP/I
xatXKfmOigEE/8sTfJyR3OCVqUOkkRVrjmXGgUZMBg2QT+VMIgOCrYfg
-----END PRIVATE KEY-----
";
const PKCS8_P384: &str = "-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDPTO12PmIzkFknePMU
xQc+OCOhy3mCF6AHF+I3sgnbMsXUQEEr5HbkNVNrdSfMakuhZANiAAQHyqKmAvus
OXvuuAcKTiRVGA8p+2fh9Dhy3I57KhC+QIidPmdiQ55kukqJ6FxrJJJEKm+yHmcC
T6cCXUJkPpCf+6fDfaYPiRFjCQim8ZChHj1jWd+c14Mjr4q+ykzLQ4A=
-----END PRIVATE KEY-----
";
const PKCS8_ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ0VFL/XgRi8sHWlyyYuZekHMfLJYozb5NKXEuKthlK9
-----END PRIVATE KEY-----
";

#[rstest]
#[case::rsa(&pkcs8(&KEY), Algorithm::Rs256, &[Algorithm::Rs256, Algorithm::Ps256])]
#[case::sec1(SEC1_P256, Algorithm::Es256, &[Algorithm::Es256])]
#[case::p256(PKCS8_P256, Algorithm::Es256, &[Algorithm::Es256])]
#[case::ed25519(PKCS8_ED25519, Algorithm::Ed25519, &[Algorithm::Ed25519])]
fn a_key_signs_with_what_it_is_made_for(
    #[case] pem: &str,
    #[case] unasked: Algorithm,
    #[case] fitting: &[Algorithm],
) {
    assert_eq!(import(pem, None).unwrap().alg(), unasked);
    for alg in Algorithm::ALL {
        match import(pem, Some(alg)) {
            Ok(key) => assert!(fitting.contains(&alg) && key.alg() == alg, "{alg}"),
            Err(error) => {
                assert!(!fitting.contains(&alg) && error.to_string().contains(alg.name()), "{alg}: {error}");
            }
        }
    }
}

#[test]
fn both_encodings_of_a_point_give_the_same_key() {
    let kid = |pem| import(pem, None).unwrap().kid().to_owned();
    assert_eq!(kid(SEC1_P256), kid(PKCS8_P256));
}

#[test]
fn another_curve() {
    assert_eq!(refused(PKCS8_P384), ImportError::Kind);
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
        if let Ok(key) = import(&pem, None) {
            assert_eq!(key.kid(), import(&pkcs8(&KEY), None).unwrap().kid(), "byte {at}");
        }
    }
}
