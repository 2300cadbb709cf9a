//! The session cookie's value: a random token of which only the hash is stored.

use crate::secret::{Secret, base64url, from_base64url, random_bytes, sha256};

/// The secret that a signed-in browser holds.
#[derive(Debug, Clone)]
pub struct SessionToken(Secret<[u8; 32]>);

impl SessionToken {
    /// A fresh one, at each sign-in.
    pub fn random() -> Self {
        Self(Secret::new(random_bytes()))
    }

    /// Reads a cookie's value; `None` for what cannot be one.
    pub fn parse(cookie: &str) -> Option<Self> {
        (cookie.len() == 43)
            .then(|| from_base64url(cookie)?.try_into().ok())
            .flatten()
            .map(|b| Self(Secret::new(b)))
    }

    /// The cookie's value.
    pub fn encode(&self) -> Secret<String> {
        Secret::new(base64url(self.0.expose()))
    }

    /// What is stored and looked up.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.0.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_leads_back_to_the_hash() {
        let token = SessionToken::random();
        let parsed = SessionToken::parse(token.encode().expose());
        assert_eq!(parsed.map(|parsed| parsed.hash()), Some(token.hash()));
        for junk in ["", "x", &"!".repeat(43), &"A".repeat(44)] {
            assert!(SessionToken::parse(junk).is_none(), "{junk}");
        }
    }
}
