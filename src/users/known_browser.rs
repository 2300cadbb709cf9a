//! Browsers in which an account has been signed in to before.
//!
//! Such a browser carries a cookie that says so, for that account alone, and its attempts are counted by themselves:
//! whoever guesses elsewhere, from however many addresses, does not keep the person waiting who owns it. It opens
//! nothing; whoever steals it has five guesses, and then waits like anybody else.

use crate::keys::{MasterKey, MasterKeys, Purpose};
use crate::model::FoldedName;
use crate::secret::{base64url, constant_time_eq, from_base64url, random_bytes};

const NONCE: usize = 16;

/// A browser that is known for one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownBrowser {
    nonce: [u8; NONCE],
}

impl KnownBrowser {
    /// One that has just become known, and what its cookie says.
    pub fn introduce(name: &FoldedName, keys: &MasterKeys) -> String {
        let nonce: [u8; NONCE] = random_bytes();
        base64url(&[nonce.as_slice(), &proof(keys.current(), name, &nonce)].concat())
    }

    /// The browser of this cookie, if it was made known for this account. Any of the keys may have proved it.
    pub fn recognize(cookie: &str, name: &FoldedName, keys: &MasterKeys) -> Option<Self> {
        let bytes = from_base64url(cookie)?;
        let (nonce, presented) = bytes.split_first_chunk::<NONCE>()?;
        let known = keys.iter().any(|key| constant_time_eq(&proof(key, name, nonce), presented));
        known.then_some(Self { nonce: *nonce })
    }

    /// What tells it from others.
    pub fn nonce(&self) -> &[u8] {
        &self.nonce
    }
}

fn proof(key: &MasterKey, name: &FoldedName, nonce: &[u8]) -> [u8; 32] {
    key.hmac(Purpose::Throttle, &[b"known browser", name.as_str().as_bytes(), nonce])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn keys(byte: u8) -> MasterKeys {
        let text = aws_key(byte);
        MasterKeys::load(&[("test".to_owned(), Secret::new(text))]).unwrap()
    }

    fn aws_key(byte: u8) -> String {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode([byte; 32])
    }

    #[test]
    fn a_browser_is_known_for_its_account_alone() {
        let (keys, others) = (keys(1), keys(2));
        let (alice, bob) = (FoldedName::new("Alice"), FoldedName::new("bob"));
        let cookie = KnownBrowser::introduce(&alice, &keys);
        assert!(KnownBrowser::recognize(&cookie, &FoldedName::new("ALICE"), &keys).is_some());
        assert_eq!(KnownBrowser::recognize(&cookie, &bob, &keys), None);
        assert_eq!(KnownBrowser::recognize(&cookie, &alice, &others), None);
        let again = KnownBrowser::introduce(&alice, &keys);
        assert_ne!(
            KnownBrowser::recognize(&cookie, &alice, &keys),
            KnownBrowser::recognize(&again, &alice, &keys),
            "each is counted by itself"
        );
        for junk in
            ["", "x", &cookie[..40], &format!("{cookie}A"), &format!("A{}", &cookie[1..]), &"A".repeat(64)]
        {
            if *junk != *cookie {
                assert_eq!(KnownBrowser::recognize(junk, &alice, &keys), None, "{junk}");
            }
        }
    }
}
