//! Secrets: a wrapper that never prints, random tokens in a recognisable form, and their hashes.

use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroize;

/// A value that no log, error or `Debug` output may show. It is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; each call is a place to look at in review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<'de, T: Zeroize + serde::Deserialize<'de>> serde::Deserialize<'de> for Secret<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

/// `N` bytes from the operating system's generator.
///
/// # Panics
/// If the operating system has no randomness to give: nothing safe can be done then.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::expect_used, reason = "without randomness no answer is safe")]
    rand::fill(&mut bytes).expect("the operating system's random generator failed");
    bytes
}

/// SHA-256.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// SHA-512.
pub fn sha512(data: &[u8]) -> [u8; 64] {
    let mut out = [0; 64];
    out.copy_from_slice(digest::digest(&digest::SHA512, data).as_ref());
    out
}

/// Compares in a time that does not depend on where the two differ.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Base64url without padding (RFC 7515 §2).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Writes [`base64url`] to the end of a text.
pub fn append_base64url(text: &mut String, bytes: &[u8]) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// The reverse of [`base64url`]; `None` where the text is not exactly that.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The kinds of opaque tokens that Grantor hands out. Each has its own prefix, so that a secret
/// scanner recognises a leaked one and one kind is never taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An authorization code (RFC 6749 §1.3.1).
    AuthorizationCode,
    /// A refresh token (RFC 6749 §1.5).
    RefreshToken,
    /// A client secret (RFC 6749 §2.3.1).
    ClientSecret,
    /// A one-time link to set a password.
    SetPassword,
    /// Lets who has it register clients (RFC 7591 §3).
    InitialAccessToken,
    /// Lets a client read and change its own registration (RFC 7592).
    RegistrationAccessToken,
}

impl TokenKind {
    /// What the token begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "grc_",
            Self::RefreshToken => "grr_",
            Self::ClientSecret => "grs_",
            Self::SetPassword => "grp_",
            Self::InitialAccessToken => "gri_",
            Self::RegistrationAccessToken => "grg_",
        }
    }

    /// Prefix, then base64url of the payload and its CRC-32.
    pub fn encode(self, payload: &[u8]) -> Secret<String> {
        let mut bytes = payload.to_vec();
        bytes.extend_from_slice(&crc32fast::hash(payload).to_be_bytes());
        let text = format!("{}{}", self.prefix(), base64url(&bytes));
        bytes.zeroize();
        Secret::new(text)
    }

    /// The payload, if the prefix, the checksum and the length `N` fit: junk never costs a query.
    pub fn decode<const N: usize>(self, token: &str) -> Option<[u8; N]> {
        let encoded = token.strip_prefix(self.prefix())?;
        if encoded.len() > (N + 4).div_ceil(3) * 4 {
            return None;
        }
        let bytes = from_base64url(encoded)?;
        let (payload, checksum) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(payload).to_be_bytes() != *checksum {
            return None;
        }
        payload.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn debug_output_hides_the_value() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "[secret]");
    }

    #[test]
    fn kinds_are_not_taken_for_each_other() {
        let token = TokenKind::RefreshToken.encode(&[7; 32]);
        assert_eq!(TokenKind::RefreshToken.decode::<32>(token.expose()), Some([7; 32]));
        assert_eq!(TokenKind::AuthorizationCode.decode::<32>(token.expose()), None);
        assert_eq!(TokenKind::RefreshToken.decode::<31>(token.expose()), None);
    }

    proptest! {
        #[test]
        fn junk_is_not_a_token(junk in ".{0,200}") {
            prop_assert_eq!(TokenKind::AuthorizationCode.decode::<48>(&junk), None);
        }

        #[test]
        fn a_changed_character_is_noticed(payload in any::<[u8; 32]>(), at in 4usize..52, to in "[A-Za-z0-9_-]") {
            let token = TokenKind::ClientSecret.encode(&payload).expose().clone();
            let mut changed = token.clone();
            changed.replace_range(at..=at, &to);
            let decoded = TokenKind::ClientSecret.decode::<32>(&changed);
            prop_assert_eq!(decoded.is_some(), changed == token);
        }
    }
}
