use super::*;
use crate::keys::{MasterKeys, Sealed};
use crate::secret::{Secret, from_base64url};

fn keys(texts: &[&str]) -> Result<MasterKeys, MasterKeyError> {
    let sources: Vec<_> =
        texts.iter().map(|text| ("TEST".to_owned(), Secret::new((*text).to_owned()))).collect();
    MasterKeys::load(&sources)
}

const A: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const B: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

#[test]
fn the_derivations_are_a_stored_format() {
    // Computed independently from RFC 5869 and RFC 2104.
    let keys = keys(&[A]).unwrap();
    let key = keys.current();
    assert_eq!(key.name(), "uWD1IwMXCZQ");
    assert_eq!(base64url(key.check_value()), "oMg-8VPDcpThxdDGYSu5zrbHPNMjS2iO4YSyBtvtJ1Y");
    assert_eq!(
        base64url(&key.hmac(Purpose::Csrf, &[b"a", b"b"])),
        "qP6Q460q3gtwv1GnRh0ySzslU24GmJ_UjHXm8fnl85E"
    );
    let sealed = from_base64url("AAECAwQFBgcICQoL38nXBSE_KbPbOqnnnC-lf8gUhLkFXlDuSg").unwrap();
    assert_eq!(key.open(Purpose::SigningKey, b"ctx", &sealed, b"kid"), Some(b"plaintext".to_vec()));
}

#[test]
fn both_alphabets_and_any_padding_give_the_same_key() {
    let standard = keys(&[B]).unwrap();
    let url_safe = B.replace('+', "-").replace('/', "_");
    for text in [url_safe.as_str(), url_safe.trim_end_matches('='), &format!("  {B}\n")] {
        assert_eq!(keys(&[text]).unwrap().current().id(), standard.current().id(), "{text}");
    }
}

#[test]
fn what_is_not_32_bytes_is_refused() {
    for text in
        ["", "   ", "AAAA", "not base64!", &format!("{A}{A}"), &"00".repeat(32), &A.replace("8=", "9=")]
    {
        assert!(matches!(keys(&[text]), Err(MasterKeyError::Malformed { .. })), "{text}");
    }
    assert!(matches!(keys(&[]), Err(MasterKeyError::Missing)));
}

#[test]
fn an_error_does_not_show_the_text() {
    let error = keys(&["c2VjcmV0IGtleQ=="]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("c2Vj"));
}

#[test]
fn the_first_key_writes_and_all_read() {
    let keys = keys(&[&format!("{A},{B}"), A]).unwrap();
    assert_eq!(keys.iter().count(), 2);
    let old = keys.iter().nth(1).unwrap();
    assert_eq!(keys.current().id(), keys.by_id(keys.current().id()).unwrap().id());
    assert!(keys.matches(old.id(), old.check_value()));
    assert!(!keys.matches(old.id(), keys.current().check_value()));
    assert!(keys.by_id(b"12345678").is_none());
}

#[test]
fn parts_are_not_run_together() {
    let keys = keys(&[A]).unwrap();
    let mac = |parts: &[&[u8]]| keys.current().hmac(Purpose::RefreshTag, parts);
    assert_ne!(mac(&[b"ab", b"c"]), mac(&[b"a", b"bc"]));
    assert_ne!(mac(&[b"abc"]), mac(&[b"abc", b""]));
    assert_ne!(mac(&[]), mac(&[b""]));
}

#[test]
fn every_purpose_has_its_own_keys() {
    let keys = keys(&[A]).unwrap();
    for (index, purpose) in Purpose::ALL.into_iter().enumerate() {
        assert_eq!(purpose as usize, index);
        let sealed = keys.current().seal(purpose, b"", b"text", b"");
        for other in Purpose::ALL {
            let same = purpose == other;
            let (mac, other_mac) = (keys.current().hmac(purpose, &[]), keys.current().hmac(other, &[]));
            assert_eq!(mac == other_mac, same);
            assert_eq!(keys.current().open(other, b"", &sealed, b"").is_some(), same);
        }
    }
}

#[test]
fn a_change_anywhere_is_noticed() {
    let keys = keys(&[A, B]).unwrap();
    let key = keys.current();
    let sealed = key.seal(Purpose::SealedRequest, b"hour 7", b"text", b"aad");
    let open =
        |context: &[u8], sealed: &[u8], aad: &[u8]| key.open(Purpose::SealedRequest, context, sealed, aad);
    assert_eq!(open(b"hour 7", &sealed, b"aad"), Some(b"text".to_vec()));
    assert_eq!(open(b"hour 8", &sealed, b"aad"), None);
    assert_eq!(open(b"hour 7", &sealed, b"AAD"), None);
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(open(b"hour 7", &changed, b"aad"), None, "byte {at}");
        assert_eq!(open(b"hour 7", &sealed[..at], b"aad"), None, "length {at}");
    }
    let other = keys.iter().nth(1).unwrap();
    assert_eq!(other.open(Purpose::SealedRequest, b"hour 7", &sealed, b"aad"), None);
}

#[test]
fn the_same_text_is_never_sealed_alike() {
    let keys = keys(&[A]).unwrap();
    let seal = || keys.current().seal(Purpose::SigningKey, b"", b"text", b"");
    assert_ne!(seal(), seal());
}

#[test]
fn debug_output_shows_the_id_only() {
    let keys = keys(&[A]).unwrap();
    assert_eq!(
        format!("{keys:?}"),
        format!("MasterKeys([MasterKey {{ id: {:?}, .. }}])", keys.current().name())
    );
}

#[test]
fn what_an_older_key_sealed_is_sealed_anew_under_the_one_that_writes() {
    let (both, old, new) = (keys(&[B, A]).unwrap(), keys(&[A]).unwrap(), keys(&[B]).unwrap());
    let (purpose, context) = (Purpose::SigningKey, b"context".as_slice());
    let made = old.current().seal(purpose, context, b"plaintext", b"row 1");
    let sealed = Sealed { key_id: old.current().id(), bytes: &made };
    let resealed = both.reseal(purpose, context, &sealed, b"row 1").unwrap();
    let opened = new.current().open(purpose, context, &resealed, b"row 1");
    assert_eq!(opened, Some(b"plaintext".to_vec()));

    assert_eq!(both.reseal(purpose, context, &sealed, b"row 2"), None, "bound to another row");
    assert_eq!(new.reseal(purpose, context, &sealed, b"row 1"), None, "the key is not listed");
    let current = Sealed { key_id: new.current().id(), bytes: &resealed };
    assert_eq!(both.reseal(purpose, context, &current, b"row 1"), None, "nothing to do");
}

#[test]
fn a_key_wrapped_under_another_comes_back_whole() {
    let (one, other) = (keys(&[A]).unwrap(), keys(&[B]).unwrap());
    let wrapped = one.current().wrapped_under(other.current());
    let back = other.current().unwrap(&wrapped, one.current().id(), "the database").unwrap();
    assert_eq!(back.check_value(), one.current().check_value());
    assert_eq!(back.source(), "the database");
    assert_eq!(back.hmac(Purpose::Csrf, &[b"a"]), one.current().hmac(Purpose::Csrf, &[b"a"]));
    assert!(other.current().unwrap(&wrapped, other.current().id(), "x").is_none());
    assert!(one.current().unwrap(&wrapped, one.current().id(), "x").is_none());
}
