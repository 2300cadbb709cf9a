//! Client secrets: made here, compared here, and for `client_secret_jwt` kept readable under the master key.

use crate::keys::{MasterKey, MasterKeys, Purpose};
use crate::model::{ClientAuthentication, ClientId, ClientSecret, ClientSecrets, SecretHash};
use crate::secret::{Secret, TokenKind, constant_time_eq, random_bytes};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// A secret that was just made, and what is stored of it.
pub(super) struct NewSecret {
    pub secret: Secret<String>,
    pub stored: ClientSecret,
}

/// Makes a secret; `sealed`: it is also stored encrypted.
pub(super) fn new_secret(
    master_key: &MasterKey,
    id: &ClientId,
    expires_at: Option<Timestamp>,
    sealed: bool,
) -> NewSecret {
    let secret = TokenKind::ClientSecret.encode(&random_bytes::<32>());
    let hash = hash_secret(master_key, secret.expose());
    let sealed = sealed.then(|| seal(master_key, id, &hash, &secret).into());
    NewSecret { secret, stored: ClientSecret { hash, expires_at, sealed } }
}

/// The keyed hash under which a client's secret is stored. It is fast: the secret is random, so there is
/// nothing to guess, and the token endpoint needs it with each request.
pub fn hash_secret(master_key: &MasterKey, secret: &str) -> SecretHash {
    SecretHash { hash: keyed_hash(master_key, secret), key_id: *master_key.id() }
}

fn keyed_hash(master_key: &MasterKey, secret: &str) -> [u8; 32] {
    master_key.hmac(Purpose::ClientSecret, &[secret.as_bytes()])
}

/// Whether this is one of the secrets that have not expired.
pub(super) fn is_secret(secrets: &ClientSecrets, presented: &str, keys: &MasterKeys, now: Timestamp) -> bool {
    let matches = |secret: &ClientSecret| {
        let Some(key) = keys.by_id(&secret.hash.key_id) else { return false };
        constant_time_eq(&keyed_hash(key, presented), &secret.hash.hash)
    };
    secrets.live(now).any(matches)
}

/// Encrypts anew, under the master key that writes, the secrets that stay readable. Hashes are made anew with them;
/// those of secrets that are only compared cannot be, until the client gets another. How many were.
pub async fn rewrap_secrets(store: &Store, keys: &MasterKeys) -> Result<usize, StoreError> {
    let mut rewrapped = 0;
    for client in store.clients().await? {
        let ClientAuthentication::SecretAssertion(secrets) = &client.authentication else { continue };
        for stored in secrets.all() {
            if let Some(renewed) = renewed(stored, &client.id, keys) {
                rewrapped +=
                    usize::from(store.rewrap_client_secret(&client.id, &stored.hash, &renewed).await?);
            }
        }
    }
    Ok(rewrapped)
}

/// `None`: it is under the right key, or cannot be read.
fn renewed(stored: &ClientSecret, id: &ClientId, keys: &MasterKeys) -> Option<ClientSecret> {
    let current = keys.current();
    if stored.hash.key_id == *current.id() {
        return None;
    }
    let secret = open(stored, id, keys)?;
    let secret = Secret::new(std::str::from_utf8(secret.expose()).ok()?.to_owned());
    let hash = hash_secret(current, secret.expose());
    let sealed = Some(seal(current, id, &hash, &secret).into());
    Some(ClientSecret { hash, expires_at: stored.expires_at, sealed })
}

/// What is encrypted belongs to this client and this hash: an old one put back beside a newer hash does not open.
fn binding(id: &ClientId, hash: &SecretHash) -> Vec<u8> {
    let id = id.as_str().as_bytes();
    [&(id.len() as u64).to_be_bytes(), id, &hash.hash].concat()
}

fn seal(master_key: &MasterKey, id: &ClientId, hash: &SecretHash, secret: &Secret<String>) -> Vec<u8> {
    master_key.seal(Purpose::SealedClientSecret, b"", secret.expose().as_bytes(), &binding(id, hash))
}

/// The secret itself, where it is stored; `None` also where it is that of another client or of another time.
pub(super) fn open(secret: &ClientSecret, id: &ClientId, keys: &MasterKeys) -> Option<Secret<Vec<u8>>> {
    let key = keys.by_id(&secret.hash.key_id)?;
    let aad = binding(id, &secret.hash);
    key.open(Purpose::SealedClientSecret, b"", secret.sealed.as_ref()?, &aad).map(Secret::new)
}

#[cfg(test)]
mod tests;
