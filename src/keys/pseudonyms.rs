//! Names that a person and a session have for one client alone, so that clients cannot compare them.
//!
//! They are computed, not stored. The key outlives master keys: if it changed, every app would take its people for
//! strangers.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::master_key::hmac_of_parts;
use super::{KeyError, MasterKeys, Purpose, Sealed};
use crate::model::{Client, ClientId, SessionId, UserId};
use crate::secret::{base64url, random_bytes};
use crate::store::{InstallationSecret, Store};

/// The name of the key in the database, bound to its ciphertext.
const NAME: &str = "pseudonyms";

/// Computes pairwise subjects and session identifiers.
pub struct Pseudonyms {
    key: hmac::Key,
}

impl Pseudonyms {
    /// Reads the installation's key; the first process of an installation makes it.
    ///
    /// # Errors
    /// If the database fails or none of the master keys opens what it holds.
    pub async fn load(store: &Store, keys: &MasterKeys) -> Result<Self, KeyError> {
        let stored = match store.installation_secret(NAME).await? {
            Some(stored) => stored,
            None => {
                let fresh = Zeroizing::new(random_bytes::<32>());
                let current = keys.current();
                let wrapped = current.seal(Purpose::InstallationSecret, b"", fresh.as_ref(), NAME.as_bytes());
                let fresh = InstallationSecret { wrapped, master_key_id: current.id().to_vec() };
                store.ensure_installation_secret(NAME, &fresh).await?
            }
        };
        let master_key = keys.by_id(&stored.master_key_id).ok_or_else(|| {
            unusable("it was encrypted under a master key that is neither listed nor on record")
        })?;
        let opened = master_key
            .open(Purpose::InstallationSecret, b"", &stored.wrapped, NAME.as_bytes())
            .map(Zeroizing::new)
            .ok_or_else(|| unusable("it does not decrypt"))?;
        Ok(Self::new(&opened))
    }

    fn new(key: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// The `sub` that this client sees (OpenID Connect Core §8): the person's identifier, or one for the client's
    /// sector alone.
    pub fn subject(&self, client: &Client, user: UserId) -> String {
        match &client.openid.pairwise {
            None => user.to_string(),
            Some(sector) => self.name(&[b"sub", sector.identifier.as_bytes(), user.as_uuid().as_bytes()]),
        }
    }

    /// The `sid` that this client sees (OpenID Connect Back-Channel Logout §2.1).
    pub fn session(&self, client: &ClientId, session: SessionId) -> String {
        self.name(&[b"sid", client.as_str().as_bytes(), session.as_uuid().as_bytes()])
    }

    /// 128 bits: enough that no two are ever equal by chance.
    fn name(&self, parts: &[&[u8]]) -> String {
        base64url(&hmac_of_parts(&self.key, parts)[..16])
    }
}

const fn unusable(reason: &'static str) -> KeyError {
    KeyError::InstallationSecret { name: NAME, reason }
}

/// Encrypts the key anew under the master key that writes. Whether there was anything to do.
pub(super) async fn rewrap(store: &Store, keys: &MasterKeys) -> Result<bool, KeyError> {
    let Some(stored) = store.installation_secret(NAME).await? else { return Ok(false) };
    if stored.master_key_id == keys.current().id() {
        return Ok(false);
    }
    let sealed = Sealed { key_id: &stored.master_key_id, bytes: &stored.wrapped };
    let wrapped = keys
        .reseal(Purpose::InstallationSecret, b"", &sealed, NAME.as_bytes())
        .ok_or_else(|| unusable("none of the master keys opens it"))?;
    let renewed = InstallationSecret { wrapped, master_key_id: keys.current().id().to_vec() };
    Ok(store.rewrap_installation_secret(NAME, &stored, &renewed).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_sees_another_session_and_the_same_one_each_time() {
        let (pseudonyms, session) = (Pseudonyms::new(&[1; 32]), SessionId::random());
        let (one, other) = (ClientId::from("one".to_owned()), ClientId::from("other".to_owned()));
        assert_eq!(pseudonyms.session(&one, session), pseudonyms.session(&one, session));
        assert_ne!(pseudonyms.session(&one, session), pseudonyms.session(&other, session));
        assert_ne!(pseudonyms.session(&one, session), pseudonyms.session(&one, SessionId::random()));
        assert_ne!(pseudonyms.session(&one, session), Pseudonyms::new(&[2; 32]).session(&one, session));
        assert_eq!(pseudonyms.session(&one, session).len(), 22);
    }
}
