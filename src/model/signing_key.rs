//! A signing key as it is stored.

use std::time::Duration;

use crate::jose::Algorithm;
use crate::time::Timestamp;

/// A signing key, its private part encrypted.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// The `kid` (RFC 7515 §4.1.4): the RFC 7638 thumbprint.
    pub kid: String,
    /// The algorithm that it signs with, and no other.
    pub alg: Algorithm,
    /// The public part as a JWK.
    pub public_jwk: serde_json::Value,
    /// The private part, encrypted under a master key; empty once it has been erased.
    pub wrapped_private_key: Vec<u8>,
    /// The id of that master key.
    pub master_key_id: Vec<u8>,
    /// The longest lifetime on record of a token that it may have signed.
    pub longest_token_lifetime: Duration,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs, unless a newer one does.
    pub activates_at: Timestamp,
    /// Since when it is withdrawn.
    pub retired_at: Option<Timestamp>,
}

impl SigningKey {
    /// Whether the private part is gone: the key can still be looked at, and never sign again.
    pub fn is_erased(&self) -> bool {
        self.wrapped_private_key.is_empty()
    }
}

/// Where a key is in its life; a function of all keys and the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SigningKeyState {
    /// Published, not yet signing.
    Next,
    /// Published and signing.
    Active,
    /// Published until the last token that it signed has expired.
    Retiring,
    /// No longer published.
    Retired,
}

impl SigningKeyState {
    /// The state in a word, as programs get it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }
}

/// A signing key that is about to be stored; its times come from the database's clock.
#[derive(Debug, Clone)]
pub struct NewSigningKey {
    /// The `kid`.
    pub kid: String,
    /// The algorithm.
    pub alg: Algorithm,
    /// The public part as a JWK.
    pub public_jwk: serde_json::Value,
    /// The private part, encrypted under a master key.
    pub wrapped_private_key: Vec<u8>,
    /// The id of that master key.
    pub master_key_id: Vec<u8>,
}

/// What is to be done to the signing keys, all of it or nothing.
#[derive(Debug, Clone, Default)]
pub struct SigningKeyChange {
    /// The key to withdraw.
    pub retire: Option<String>,
    /// The key to sign with from now on.
    pub activate: Option<String>,
    /// The key to add, and how long from now it begins to sign.
    pub insert: Option<(NewSigningKey, Duration)>,
    /// Whether that key was made elsewhere.
    pub imported: bool,
    /// The keys whose private parts are erased; with that they are withdrawn for good.
    pub erase: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_one_name() {
        for state in [
            SigningKeyState::Next,
            SigningKeyState::Active,
            SigningKeyState::Retiring,
            SigningKeyState::Retired,
        ] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}
