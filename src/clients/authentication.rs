//! Client authentication (RFC 6749 §2.3).

use std::sync::Arc;

use super::Registry;
use crate::keys::{MasterKeys, Purpose};
use crate::model::{AuthMethod, Client, ClientId, SecretHash};
use crate::protocol::{ClientCredentials, TokenError};
use crate::secret::{Secret, constant_time_eq};
use crate::store::Store;

/// A client that has proved to be who it says, or a public one that has only said so. Only
/// [`authenticate`] makes it.
#[derive(Debug, Clone)]
pub struct AuthenticatedClient(Arc<Client>);

impl std::ops::Deref for AuthenticatedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

/// Finds the client and checks what it presents.
///
/// # Errors
/// `invalid_client` for everything that does not fit; the description names the remedy without telling
/// whether a secret was near.
pub async fn authenticate(
    registry: &Registry,
    store: &Store,
    keys: &MasterKeys,
    credentials: &ClientCredentials,
) -> Result<AuthenticatedClient, TokenError> {
    let id = ClientId::from(credentials.client_id().to_owned());
    let Some(client) = registry.client(store, &id).await? else {
        return Err(TokenError::invalid_client("no client is registered under this 'client_id'"));
    };
    if client.disabled_at.is_some() {
        return Err(TokenError::invalid_client("this client has been switched off"));
    }
    check(&client, credentials, keys)?;
    Ok(AuthenticatedClient(client))
}

fn check(client: &Client, presented: &ClientCredentials, keys: &MasterKeys) -> Result<(), TokenError> {
    let method = match presented {
        ClientCredentials::Basic { .. } => AuthMethod::ClientSecretBasic,
        ClientCredentials::Post { .. } => AuthMethod::ClientSecretPost,
        ClientCredentials::None { .. } => AuthMethod::None,
    };
    match (&client.secret, presented.client_secret()) {
        // RFC 6749 §2.3.1: an empty secret may be sent; some libraries do so for public clients.
        (None, secret) if secret.is_none_or(|secret| secret.expose().is_empty()) => Ok(()),
        (None, _) => Err(TokenError::invalid_client(
            "this client is public: send its 'client_id' in the form and no secret",
        )),
        (Some(_), None) => Err(TokenError::invalid_client(
            "this client must authenticate: send its secret by HTTP Basic or as 'client_secret' in the form",
        )),
        (Some(stored), Some(secret)) => {
            if let Some(required) = client.auth_method.filter(|required| *required != method) {
                return Err(TokenError::invalid_client(format!(
                    "this client must authenticate by {required}"
                )));
            }
            if matches(stored, secret, keys) {
                Ok(())
            } else {
                Err(TokenError::invalid_client("the client's secret is wrong"))
            }
        }
    }
}

fn matches(stored: &SecretHash, secret: &Secret<String>, keys: &MasterKeys) -> bool {
    let Some(key) = keys.by_id(&stored.key_id) else { return false };
    constant_time_eq(&key.hmac(Purpose::ClientSecret, &[secret.expose().as_bytes()]), &stored.hash)
}
