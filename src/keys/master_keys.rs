//! The master keys of a process, and what they do together.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{MasterKey, MasterKeyError, Purpose};
use crate::secret::{Secret, constant_time_eq};

/// The master keys of this process: the first writes, all read.
#[derive(Debug, Clone)]
pub struct MasterKeys(Vec<Arc<MasterKey>>);

impl MasterKeys {
    /// Reads keys from texts, each with its source's name for messages. A text holds one key, or
    /// several separated by white space or commas. A key that is listed twice counts once.
    ///
    /// # Errors
    /// If there is no key at all or a text is not 32 bytes in base64.
    pub fn load(sources: &[(String, Secret<String>)]) -> Result<Self, MasterKeyError> {
        let mut keys: Vec<Arc<MasterKey>> = Vec::new();
        for (source, text) in sources {
            let separator = |c: char| c.is_whitespace() || c == ',';
            let mut texts = text.expose().split(separator).filter(|part| !part.is_empty()).peekable();
            if texts.peek().is_none() {
                return Err(MasterKeyError::Malformed { source_name: source.clone() });
            }
            for text in texts {
                let key = MasterKey::parse(text, source)?;
                if !keys.iter().any(|known| known.id() == key.id()) {
                    keys.push(Arc::new(key));
                }
            }
        }
        if keys.is_empty() { Err(MasterKeyError::Missing) } else { Ok(Self(keys)) }
    }

    /// The key that writes.
    pub fn current(&self) -> &MasterKey {
        &self.0[0]
    }

    /// The key with this id.
    pub fn by_id(&self, id: &[u8]) -> Option<&MasterKey> {
        self.iter().find(|key| key.id() == id)
    }

    /// Adds a key that reads.
    pub(super) fn push(&mut self, key: MasterKey) {
        self.0.push(Arc::new(key));
    }

    /// Something sealed, sealed anew under the key that writes; `None` if it is so already, or does not open.
    pub fn reseal(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &Sealed<'_>,
        aad: &[u8],
    ) -> Option<Vec<u8>> {
        if sealed.key_id == self.current().id() {
            return None;
        }
        let opened =
            self.by_id(sealed.key_id)?.open(purpose, context, sealed.bytes, aad).map(Zeroizing::new)?;
        Some(self.current().seal(purpose, context, &opened, aad))
    }

    /// Whether one of the keys has this id and yields this check value.
    pub fn matches(&self, id: &[u8], check_value: &[u8]) -> bool {
        self.by_id(id).is_some_and(|key| constant_time_eq(key.check_value(), check_value))
    }

    /// All keys, the writing one first.
    pub fn iter(&self) -> impl Iterator<Item = &MasterKey> {
        self.0.iter().map(Arc::as_ref)
    }
}

/// What [`MasterKey::seal`] made, with the id of the key that did.
#[derive(Debug, Clone, Copy)]
pub struct Sealed<'a> {
    /// The id of the master key.
    pub key_id: &'a [u8],
    /// What it made.
    pub bytes: &'a [u8],
}
