//! Client authentication (RFC 6749 §2.3).

use std::sync::Arc;

use super::assertion::{self, Expected};
use super::{KeySets, Registry, secrets};
use crate::jose::{SignedClaims, UnverifiedAssertion};
use crate::keys::MasterKeys;
use crate::model::{
    AssertionKeys, AuditEvent, AuditEventKind, AuthMethod, Client, ClientAuthentication, ClientId, ClientKeys,
};
use crate::protocol::{ClientCredentials, TokenError, TokenErrorCode};
use crate::secret::Secret;
use crate::store::Store;
use crate::telemetry::events;
use crate::time::Timestamp;

/// A client that has proved to be who it says, or a public one that has only said so. Only
/// [`Authenticator::authenticate`] makes it.
#[derive(Debug, Clone)]
pub struct AuthenticatedClient(Arc<Client>);

impl std::ops::Deref for AuthenticatedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

/// What client authentication needs.
pub struct Authenticator<'a> {
    /// The registered clients.
    pub registry: &'a Registry,
    /// Where they and the used assertions are stored.
    pub store: &'a Store,
    /// What secrets are hashed with.
    pub master_keys: &'a MasterKeys,
    /// Public keys that are given by address.
    pub key_sets: &'a KeySets,
    /// The issuer identifier, which an assertion must be for.
    pub issuer: &'a str,
}

impl Authenticator<'_> {
    /// Finds the client and checks what it presents.
    ///
    /// # Errors
    /// `invalid_client` for everything that does not fit; the description names the remedy without telling
    /// whether a secret or a signature was near.
    pub async fn authenticate(
        &self,
        credentials: &ClientCredentials,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, TokenError> {
        let id = ClientId::from(credentials.client_id().to_owned());
        let Some(client) = self.registry.client(self.store, &id).await? else {
            self.record_refusal(None).await;
            return Err(TokenError::invalid_client("no client is registered under this 'client_id'"));
        };
        let checked = self.check(&client, credentials, now).await;
        if checked.as_ref().is_err_and(|error| error.code() == TokenErrorCode::InvalidClient) {
            self.record_refusal(Some(&client.id)).await;
        }
        checked.map(|()| AuthenticatedClient(client))
    }

    /// A name that no client has is not recorded: it may be anything.
    async fn record_refusal(&self, id: Option<&ClientId>) {
        let kind = AuditEventKind::ClientAuthenticationFailed;
        let event = id.map_or_else(|| AuditEvent::new(kind), |id| AuditEvent::about_client(kind, id));
        self.store.record_refusal(event, id.map_or("", ClientId::as_str)).await;
    }

    async fn check(
        &self,
        client: &Client,
        credentials: &ClientCredentials,
        now: Timestamp,
    ) -> Result<(), TokenError> {
        if client.disabled_at.is_some() {
            return Err(TokenError::invalid_client("this client has been switched off"));
        }
        let latest = now.max(self.registry.database_time());
        let (method, secret) = match credentials {
            ClientCredentials::Basic { client_secret, .. } => {
                (AuthMethod::ClientSecretBasic, Some(client_secret))
            }
            ClientCredentials::Post { client_secret, .. } => {
                (AuthMethod::ClientSecretPost, Some(client_secret))
            }
            ClientCredentials::None { .. } => (AuthMethod::None, None),
            ClientCredentials::Assertion { assertion, .. } => {
                return self.check_assertion(client, assertion.expose(), now, latest).await;
            }
        };
        self.check_secret(client, method, secret, latest)
    }

    fn check_secret(
        &self,
        client: &Client,
        presented: AuthMethod,
        secret: Option<&Secret<String>>,
        latest: Timestamp,
    ) -> Result<(), TokenError> {
        match (&client.authentication, secret) {
            // RFC 6749 §2.3.1: an empty secret may be sent; some libraries do so for public clients.
            (ClientAuthentication::Public, secret)
                if secret.is_none_or(|secret| secret.expose().is_empty()) =>
            {
                Ok(())
            }
            (ClientAuthentication::Public, _) => Err(is_public()),
            (ClientAuthentication::Secret { .. }, None) => Err(TokenError::invalid_client(
                "this client must authenticate: send its secret by HTTP Basic or as 'client_secret' in the form",
            )),
            (ClientAuthentication::Secret { method, secrets }, Some(secret)) => {
                if let Some(required) = method.map(AuthMethod::from).filter(|required| *required != presented)
                {
                    return Err(must_authenticate_by(required));
                }
                if secrets::is_secret(secrets, secret.expose(), self.master_keys, latest) {
                    Ok(())
                } else {
                    Err(TokenError::invalid_client("the client's secret is wrong or has expired"))
                }
            }
            (ClientAuthentication::SecretAssertion(_), _) => {
                Err(must_authenticate_by(AuthMethod::ClientSecretJwt))
            }
            (ClientAuthentication::KeyAssertion(_), _) => {
                Err(must_authenticate_by(AuthMethod::PrivateKeyJwt))
            }
        }
    }

    /// RFC 7523 §3. The signature comes first: only who can make it learns what is wrong with the claims, and only
    /// what it covers is recorded.
    async fn check_assertion(
        &self,
        client: &Client,
        assertion: &str,
        now: Timestamp,
        latest: Timestamp,
    ) -> Result<(), TokenError> {
        let refuse = |reason: &dyn std::fmt::Display| TokenError::invalid_client(reason.to_string());
        let unverified = UnverifiedAssertion::parse(assertion).map_err(|error| refuse(&error))?;
        let claims = match &client.authentication {
            ClientAuthentication::Public => return Err(is_public()),
            ClientAuthentication::Secret { method, .. } => {
                return Err(must_authenticate_by(
                    method.map_or(AuthMethod::ClientSecretBasic, AuthMethod::from),
                ));
            }
            ClientAuthentication::SecretAssertion(secrets) => secrets
                .live(latest)
                .filter_map(|secret| secrets::open(secret, &client.id, self.master_keys))
                .find_map(|secret| unverified.verify_by_secret(secret.expose())),
            ClientAuthentication::KeyAssertion(keys) => {
                self.verify_by_keys(&client.id, keys, &unverified).await?
            }
        };
        let claims = claims.ok_or_else(|| {
            TokenError::invalid_client(
                "the client assertion is not signed with what is registered for this client",
            )
        })?;
        let claims = claims.map_err(|error| refuse(&error))?;
        let expected = Expected { client_id: client.id.as_str(), issuer: self.issuer, now, latest };
        let accepted = assertion::check(&claims, &expected).map_err(|error| refuse(&error))?;
        if self.store.use_client_assertion(&accepted.hash, accepted.expires_at).await? {
            return Ok(());
        }
        events::client_assertion_replayed(client.id.as_str());
        Err(TokenError::invalid_client(
            "the client assertion was used before: make a new one for each request",
        ))
    }

    async fn verify_by_keys(
        &self,
        id: &ClientId,
        registered: &AssertionKeys,
        assertion: &UnverifiedAssertion<'_>,
    ) -> Result<Option<SignedClaims>, TokenError> {
        if let Some(alg) = registered.signing_alg.filter(|alg| *alg != assertion.alg()) {
            return Err(TokenError::invalid_client(format!(
                "this client's assertions must be signed with {alg}"
            )));
        }
        match &registered.keys {
            ClientKeys::Value(jwks) => Ok(assertion.verify_by_keys(jwks.keys())),
            ClientKeys::Uri(uri) => Ok(self.key_sets.verify(id, uri, assertion).await?),
        }
    }
}

fn is_public() -> TokenError {
    TokenError::invalid_client("this client is public: send its 'client_id' in the form and no secret")
}

fn must_authenticate_by(method: AuthMethod) -> TokenError {
    TokenError::invalid_client(format!("this client must authenticate by {method}"))
}
