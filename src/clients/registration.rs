//! Registering a client, changing it, and giving it a new secret.

use std::time::Duration;

use super::registration_checks::{Refusal, check, refuse};
use super::registration_method::{Method, check_method};
use super::secrets::{NewSecret, new_secret};
use super::sector::{self, SectorDocument};
use crate::jose::{Algorithm, AssertionAlgorithm};
use crate::keys::MasterKeys;
use crate::model::{
    AboutClient, ApplicationType, AuthMethod, Client, ClientAuthentication, ClientId, ClientKeys,
    ClientSecrets, GrantType, LogoutMetadata, OpenIdMetadata, Scope,
};
use crate::outgoing::OutgoingError;
use crate::secret::Secret;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// What an operator says of a client; the names are those of RFC 7591 §2 where it has them.
#[derive(Debug, Clone)]
pub struct ClientMetadata {
    /// The name that people see on the consent page.
    pub name: String,
    /// Whether it cannot keep a secret (RFC 6749 §2.1).
    pub public: bool,
    /// The only accepted method of authentication; without one a confidential client may use Basic or post.
    pub auth_method: Option<AuthMethod>,
    /// Its public keys, for `private_key_jwt`.
    pub keys: Option<ClientKeys>,
    /// The only accepted algorithm of its assertions; without one any that fits its key.
    pub token_endpoint_auth_signing_alg: Option<AssertionAlgorithm>,
    /// How long its first secret works; without one it does not end by itself.
    pub secret_lifetime: Option<Duration>,
    /// Without one: native iff public and all redirect URIs are loopback or private-use.
    pub application_type: Option<ApplicationType>,
    /// Where answers may go.
    pub redirect_uris: Vec<String>,
    /// Without one: `authorization_code` and `refresh_token`.
    pub grant_types: Option<Vec<GrantType>>,
    /// Without them: `openid profile email offline_access` for a client that people sign in to, else none.
    pub scopes: Option<Vec<String>>,
    /// Resource identifiers that it may get tokens for (RFC 8707).
    pub audiences: Vec<String>,
    /// Resource identifiers that it is (RFC 7662 §4).
    pub resource_servers: Vec<String>,
    /// Lifetime of its access tokens.
    pub access_token_lifetime: Option<Duration>,
    /// A refresh token not used for this long ends.
    pub refresh_idle_lifetime: Option<Duration>,
    /// A grant ends after this long even when refreshed.
    pub refresh_absolute_lifetime: Option<Duration>,
    /// Whether a refresh token is replaced at each use; only a confidential client may do without.
    pub rotate_refresh_tokens: bool,
    /// Whether `code_challenge` is required; only a confidential client may do without.
    pub require_pkce: bool,
    /// What its access tokens are signed with; without one RS256.
    pub access_token_signing_alg: Option<Algorithm>,
    /// What its ID tokens are signed with; without one RS256.
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// What introspection answers for it are signed with (RFC 9701 §6); without one RS256.
    pub introspection_signed_response_alg: Option<Algorithm>,
    /// What people are shown of it.
    pub about: AboutClient,
    /// What it asks of ID tokens and UserInfo answers; of its sector ([`Sector::requested`](crate::model::Sector)) the
    /// identifier is found here.
    pub openid: OpenIdMetadata,
    /// The document of its sector ([`super::sector::read`]), where it names one by address.
    pub sector_document: Option<SectorDocument>,
    /// Whether a change may give its people other subjects.
    pub may_change_subjects: bool,
    /// What happens to it when a session ends.
    pub logout: LogoutMetadata,
    /// Whether it is the operator's own, so that nobody is asked for consent.
    pub skip_consent: bool,
}

impl ClientMetadata {
    /// A confidential client of this name with nothing but defaults.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            public: false,
            auth_method: None,
            keys: None,
            token_endpoint_auth_signing_alg: None,
            secret_lifetime: None,
            application_type: None,
            redirect_uris: Vec::new(),
            grant_types: None,
            scopes: None,
            audiences: Vec::new(),
            resource_servers: Vec::new(),
            access_token_lifetime: None,
            refresh_idle_lifetime: None,
            refresh_absolute_lifetime: None,
            rotate_refresh_tokens: true,
            require_pkce: true,
            access_token_signing_alg: None,
            id_token_signed_response_alg: None,
            introspection_signed_response_alg: None,
            about: AboutClient::default(),
            openid: OpenIdMetadata::default(),
            sector_document: None,
            may_change_subjects: false,
            logout: LogoutMetadata::default(),
            skip_consent: false,
        }
    }
}

impl From<Client> for ClientMetadata {
    /// What is registered already, as the start of a change.
    fn from(client: Client) -> Self {
        Self {
            public: !client.is_confidential(),
            name: client.name,
            auth_method: client.authentication.method(),
            keys: client.authentication.keys().map(|keys| keys.keys.clone()),
            token_endpoint_auth_signing_alg: client.authentication.keys().and_then(|keys| keys.signing_alg),
            secret_lifetime: None,
            application_type: Some(client.application_type),
            redirect_uris: client.redirect_uris,
            grant_types: Some(client.grant_types),
            scopes: Some(client.scopes),
            audiences: client.audiences,
            resource_servers: client.resource_servers,
            access_token_lifetime: client.access_token_lifetime,
            refresh_idle_lifetime: client.refresh_idle_lifetime,
            refresh_absolute_lifetime: client.refresh_absolute_lifetime,
            rotate_refresh_tokens: client.rotate_refresh_tokens,
            require_pkce: client.require_pkce,
            access_token_signing_alg: client.access_token_signing_alg,
            id_token_signed_response_alg: client.id_token_signed_response_alg,
            introspection_signed_response_alg: client.introspection_signed_response_alg,
            about: client.about.map(|about| *about).unwrap_or_default(),
            openid: client.openid,
            sector_document: None,
            may_change_subjects: false,
            logout: client.logout.map(|logout| *logout).unwrap_or_default(),
            skip_consent: client.skip_consent,
        }
    }
}

/// Why a client was not registered or changed.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// A redirect URI is not acceptable: `invalid_redirect_uri` of RFC 7591 §3.2.2.
    #[error("{0}")]
    RedirectUri(String),
    /// Something else is not: `invalid_client_metadata` of RFC 7591 §3.2.2.
    #[error("{0}")]
    Metadata(String),
    /// The document at the `sector_identifier_uri` cannot be read. Why is for operators and the log: who registers a
    /// client shall not look around by the server's eyes.
    #[error(
        "the sector_identifier_uri cannot be read: it must answer with 200 and a JSON array of redirect URIs, within \
         3 s and 64 KiB"
    )]
    SectorDocument(#[source] OutgoingError),
    /// There is no such client, or it has no secret to replace.
    #[error("there is no such client")]
    NotFound,
    /// A public client, or one with keys, has no secret.
    #[error("this client has no secret: it is public, or has keys instead")]
    NoSecret,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for RegistrationError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::RedirectUri(reason) => Self::RedirectUri(reason),
            Refusal::Metadata(reason) => Self::Metadata(reason),
        }
    }
}

/// Registers a client. The secret of one that has any is returned here and never again.
pub async fn create(
    store: &Store,
    master_keys: &MasterKeys,
    metadata: ClientMetadata,
    now: Timestamp,
) -> Result<(Client, Option<Secret<String>>), RegistrationError> {
    let (client, secret) = new_client(master_keys, metadata, &store.scopes().await?, now)?;
    make_room(store, &client).await?;
    store.insert_client(&client).await?;
    Ok((client, secret))
}

/// A client that is not stored yet, and its secret if it has any.
pub(super) fn new_client(
    master_keys: &MasterKeys,
    mut metadata: ClientMetadata,
    scopes: &[Scope],
    now: Timestamp,
) -> Result<(Client, Option<Secret<String>>), Refusal> {
    let id = ClientId::random();
    let expires_at = metadata.secret_lifetime.map(|lifetime| now + lifetime);
    let secrets = |sealed| {
        let NewSecret { secret, stored } = new_secret(master_keys.current(), &id, expires_at, sealed);
        (ClientSecrets { newest: stored, previous: None }, Some(secret))
    };
    let (authentication, secret) = match check_method(&metadata)? {
        Method::Public => (ClientAuthentication::Public, None),
        Method::Key(keys) => (ClientAuthentication::KeyAssertion(keys), None),
        Method::Secret(method) => {
            let (secrets, secret) = secrets(false);
            (ClientAuthentication::Secret { method, secrets }, secret)
        }
        Method::SecretAssertion => {
            let (secrets, secret) = secrets(true);
            (ClientAuthentication::SecretAssertion(secrets), secret)
        }
    };
    let document = metadata.sector_document.take();
    let mut client = check(metadata, scopes, id, authentication, now)?;
    client.openid.pairwise = sector::check(&client, None, document.as_ref())?;
    Ok((client, secret))
}

/// Changes a client by what `change` does to its metadata, under the same checks as a new one.
pub async fn update(
    store: &Store,
    id: &ClientId,
    change: impl Fn(&mut ClientMetadata),
) -> Result<Client, RegistrationError> {
    store
        .repeatedly(async || {
            let changing = store.change_client(id).await?.ok_or(RegistrationError::NotFound)?;
            let mut metadata = ClientMetadata::from(changing.client().clone());
            change(&mut metadata);
            let client = changed_client(changing.client(), metadata, &store.scopes().await?)?;
            make_room(store, &client).await?;
            changing.write(&client).await?;
            Ok(client)
        })
        .await
}

/// What becomes of a registered client with this metadata.
pub(super) fn changed_client(
    registered: &Client,
    mut metadata: ClientMetadata,
    scopes: &[Scope],
) -> Result<Client, Refusal> {
    let public = !registered.is_confidential();
    if metadata.public != public || (metadata.auth_method == Some(AuthMethod::None)) != public {
        return refuse("a client stays public or confidential: register a new one instead");
    }
    let authentication = changed(&registered.authentication, check_method(&metadata)?)?;
    let (document, may_change_subjects) = (metadata.sector_document.take(), metadata.may_change_subjects);
    let client = check(metadata, scopes, registered.id.clone(), authentication, registered.created_at)?;
    if registered.self_registered && client.skip_consent {
        return refuse(
            "this client registered itself, and nobody has vouched for what it says: it cannot skip consent",
        );
    }
    let mut client = Client {
        disabled_at: registered.disabled_at,
        self_registered: registered.self_registered,
        registration_tokens: registered.registration_tokens.clone(),
        ..client
    };
    client.openid.pairwise = sector::check(&client, Some(registered), document.as_ref())?;
    if !may_change_subjects {
        sector::check_subjects_stay(registered, &client)?;
    }
    Ok(client)
}

/// What remains of a client's secrets under another method. A secret is known in full only when it is made.
fn changed(current: &ClientAuthentication, method: Method) -> Result<ClientAuthentication, Refusal> {
    let secrets = match current {
        ClientAuthentication::Secret { secrets, .. } | ClientAuthentication::SecretAssertion(secrets) => {
            Some(secrets.clone())
        }
        ClientAuthentication::Public | ClientAuthentication::KeyAssertion(_) => None,
    };
    match (method, secrets) {
        (Method::Public, _) => Ok(ClientAuthentication::Public),
        (Method::Key(keys), _) => Ok(ClientAuthentication::KeyAssertion(keys)),
        (Method::Secret(method), Some(secrets)) => Ok(ClientAuthentication::Secret { method, secrets }),
        (Method::SecretAssertion, Some(secrets)) if secrets.newest.sealed.is_some() => {
            Ok(ClientAuthentication::SecretAssertion(secrets))
        }
        (Method::SecretAssertion, _) => refuse(
            "client_secret_jwt needs a secret that is stored encrypted, and this client's is not: register a new \
             client",
        ),
        (Method::Secret(_), None) => refuse("this client has keys and no secret: register a new client"),
    }
}

/// A lifetime longer than any before needs partitions for the grants that it lets live.
async fn make_room(store: &Store, client: &Client) -> Result<(), StoreError> {
    match client.refresh_absolute_lifetime {
        Some(lifetime) => store.ensure_partitions(lifetime).await,
        None => Ok(()),
    }
}

/// Switches a client off (`Some`) or on again (`None`).
pub async fn set_disabled(
    store: &Store,
    id: &ClientId,
    disabled_at: Option<Timestamp>,
) -> Result<Client, RegistrationError> {
    store
        .repeatedly(async || {
            let changing = store.change_client(id).await?.ok_or(RegistrationError::NotFound)?;
            let mut client = changing.client().clone();
            client.disabled_at = disabled_at.map(|now| client.disabled_at.unwrap_or(now));
            changing.write(&client).await?;
            Ok(client)
        })
        .await
}

/// From now on an operator answers for a client that registered itself: it counts as registered by hand, and so it
/// cannot change itself any more.
pub async fn vouch(store: &Store, id: &ClientId) -> Result<Client, RegistrationError> {
    store
        .repeatedly(async || {
            let changing = store.change_client(id).await?.ok_or(RegistrationError::NotFound)?;
            let registered = changing.client().clone();
            let client = Client { self_registered: false, registration_tokens: None, ..registered };
            changing.write(&client).await?;
            Ok(client)
        })
        .await
}

/// What a new secret may bring with it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rotation {
    /// How long the old secret goes on working; `None`: it ends.
    pub keep_old: Option<Duration>,
    /// How long the new one works; `None`: it does not end by itself.
    pub lifetime: Option<Duration>,
}

/// Gives a client that has a secret a new one, which is returned here and never again.
pub async fn rotate_secret(
    store: &Store,
    master_keys: &MasterKeys,
    id: &ClientId,
    rotation: Rotation,
    now: Timestamp,
) -> Result<Secret<String>, RegistrationError> {
    let client = store.client(id).await?.ok_or(RegistrationError::NotFound)?;
    let sealed = match client.authentication {
        ClientAuthentication::Secret { .. } => false,
        ClientAuthentication::SecretAssertion(_) => true,
        _ => return Err(RegistrationError::NoSecret),
    };
    let expires_at = rotation.lifetime.map(|lifetime| now + lifetime);
    let NewSecret { secret, stored } = new_secret(master_keys.current(), id, expires_at, sealed);
    let keep_old_until = rotation.keep_old.map(|keep| now + keep);
    let replaced = store.replace_client_secret(id, &stored, keep_old_until).await?;
    if replaced { Ok(secret) } else { Err(RegistrationError::NotFound) }
}
