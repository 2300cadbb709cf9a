//! Master keys: 32 random bytes from which a separate key for each purpose is derived.
//!
//! HKDF-SHA-256 (RFC 5869) with a fixed salt; the derivations are part of the stored format.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::secret::base64url;

const SALT: &[u8] = b"grantor master key 1";

/// What a derived key is for. Keys of different purposes are independent of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The stored hash of a generated client secret.
    ClientSecret,
    /// The successor's secret of a refresh token.
    RefreshDerive,
    /// The tag that proves that a refresh token was issued here.
    RefreshTag,
    /// A pending authorization request that travels in the URL.
    SealedRequest,
    /// Private signing keys at rest.
    SigningKey,
    /// Tokens against cross-site request forgery.
    Csrf,
    /// The names under which failed sign-ins are counted.
    Throttle,
    /// A sign-in to the demo app that is under way.
    DemoApp,
    /// A client secret that must stay readable, since assertions are verified with it.
    SealedClientSecret,
    /// Another master key, which this one has replaced.
    MasterKey,
    /// A random value of the installation, which outlives master keys.
    InstallationSecret,
}

impl Purpose {
    const ALL: [Self; 11] = [
        Self::ClientSecret,
        Self::RefreshDerive,
        Self::RefreshTag,
        Self::SealedRequest,
        Self::SigningKey,
        Self::Csrf,
        Self::Throttle,
        Self::DemoApp,
        Self::SealedClientSecret,
        Self::MasterKey,
        Self::InstallationSecret,
    ];

    /// The name that goes into the derivation: never to be changed.
    const fn label(self) -> &'static str {
        match self {
            Self::ClientSecret => "client secret",
            Self::RefreshDerive => "refresh derive",
            Self::RefreshTag => "refresh tag",
            Self::SealedRequest => "sealed request",
            Self::SigningKey => "signing key",
            Self::Csrf => "csrf",
            Self::Throttle => "throttle",
            Self::DemoApp => "demo app",
            Self::SealedClientSecret => "sealed client secret",
            Self::MasterKey => "master key",
            Self::InstallationSecret => "installation secret",
        }
    }
}

/// The keys of one purpose: one for HMAC, one from which encryption keys are derived.
struct PurposeKeys {
    hmac: hmac::Key,
    seal: hkdf::Prk,
}

/// One master key and the keys derived from it.
pub struct MasterKey {
    /// The key itself, for no other use than to be encrypted under its successor.
    bytes: Zeroizing<[u8; 32]>,
    id: [u8; 8],
    check_value: [u8; 32],
    source: String,
    purposes: [PurposeKeys; Purpose::ALL.len()],
}

impl MasterKey {
    /// Reads 32 bytes in base64, in the standard or the URL-safe alphabet, padded or not.
    pub(super) fn parse(text: &str, source: &str) -> Result<Self, MasterKeyError> {
        let malformed = || MasterKeyError::Malformed { source_name: source.to_owned() };
        let text = Zeroizing::new(text.trim_end_matches('=').replace('-', "+").replace('_', "/"));
        let bytes = Zeroizing::new(STANDARD_NO_PAD.decode(text.as_bytes()).map_err(|_| malformed())?);
        let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| malformed())?;
        Ok(Self::derive(bytes, source))
    }

    fn derive(bytes: &[u8; 32], source: &str) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(bytes);
        let mut id = [0; 8];
        id.copy_from_slice(&expand(&root, &[b"id"])[..8]);
        Self {
            bytes: Zeroizing::new(*bytes),
            id,
            check_value: *expand(&root, &[b"check value"]),
            source: source.to_owned(),
            purposes: Purpose::ALL.map(|purpose| PurposeKeys {
                hmac: hmac::Key::new(
                    hmac::HMAC_SHA256,
                    expand(&root, &[b"hmac ", purpose.label().as_bytes()]).as_ref(),
                ),
                seal: hkdf::Prk::new_less_safe(
                    hkdf::HKDF_SHA256,
                    expand(&root, &[b"seal ", purpose.label().as_bytes()]).as_ref(),
                ),
            }),
        }
    }

    /// Eight bytes that name the key and say nothing about it.
    pub fn id(&self) -> &[u8; 8] {
        &self.id
    }

    /// The id in text.
    pub(super) fn name(&self) -> String {
        base64url(&self.id)
    }

    /// A value that only this key yields, kept in the database to tell keys apart.
    pub fn check_value(&self) -> &[u8] {
        &self.check_value
    }

    /// Where the key came from: a file's path or a variable's name.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// HMAC-SHA-256 of the parts. Each part is preceded by its length, so that no two different
    /// lists of parts give the same input.
    pub fn hmac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        hmac_of_parts(&self.of(purpose).hmac, parts)
    }

    /// Encrypts with AES-256-GCM under a key of this purpose and context (for example an hour), and
    /// binds `aad` to it. The answer is the random nonce, the ciphertext and the tag.
    ///
    /// # Panics
    /// For a plaintext beyond AES-GCM's limit of 64 GiB.
    pub fn seal(&self, purpose: Purpose, context: &[u8], plaintext: &[u8], aad: &[u8]) -> Vec<u8> {
        let mut body = Vec::with_capacity(plaintext.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plaintext);
        #[expect(clippy::expect_used, reason = "fails only beyond the length that is documented")]
        let nonce = self
            .sealing_key(purpose, context)
            .seal_in_place_append_tag(Aad::from(aad), &mut body)
            .expect("the plaintext is too long");
        [nonce.as_ref().as_slice(), &body].concat()
    }

    /// Decrypts what [`MasterKey::seal`] made; `None` if purpose, context, `aad` or a byte differs.
    pub fn open(&self, purpose: Purpose, context: &[u8], sealed: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut body = body.to_vec();
        let length = self
            .sealing_key(purpose, context)
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut body)
            .ok()?
            .len();
        body.truncate(length);
        Some(body)
    }

    /// This key, encrypted under another one.
    pub(super) fn wrapped_under(&self, other: &Self) -> Vec<u8> {
        other.seal(Purpose::MasterKey, b"", self.bytes.as_ref(), &self.id)
    }

    /// The key that [`Self::wrapped_under`] this one encrypted; `None` if it is another than `id` says.
    pub(super) fn unwrap(&self, sealed: &[u8], id: &[u8], source: &str) -> Option<Self> {
        let bytes = Zeroizing::new(self.open(Purpose::MasterKey, b"", sealed, id)?);
        let key = Self::derive(bytes.as_slice().try_into().ok()?, source);
        (key.id == id).then_some(key)
    }

    fn sealing_key(&self, purpose: Purpose, context: &[u8]) -> RandomizedNonceKey {
        let key = expand(&self.of(purpose).seal, &[context]);
        #[expect(clippy::expect_used, reason = "a key of 32 bytes is what AES-256 takes")]
        RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()).expect("the key has 32 bytes")
    }

    fn of(&self, purpose: Purpose) -> &PurposeKeys {
        &self.purposes[purpose as usize]
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("id", &self.name()).finish_non_exhaustive()
    }
}

/// HMAC-SHA-256 of the parts, each preceded by its length.
pub(super) fn hmac_of_parts(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}

/// HKDF-Expand to 32 bytes. At most one part of `info` may vary in length.
fn expand(key: &hkdf::Prk, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    #[expect(clippy::expect_used, reason = "32 bytes are within what HKDF gives")]
    key.expand(info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(out.as_mut())).expect("HKDF gives 32 bytes");
    out
}

/// Why a master key cannot be used. Never holds key material.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// No source gives a key.
    #[error("there is no master key")]
    Missing,
    /// The text is not a key.
    #[error(
        "the master key from {source_name} is not 32 bytes in base64 (make one with `openssl rand -base64 32`)"
    )]
    Malformed {
        /// Where the text came from.
        source_name: String,
    },
    /// A file cannot be read or made.
    #[error("the master key file {path}: {source}")]
    File {
        /// The file's path.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests;
