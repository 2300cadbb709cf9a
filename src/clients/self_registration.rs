//! Clients that register themselves (RFC 7591, OpenID Connect Registration), and read, change and delete their
//! registration (RFC 7592).

use std::time::Duration;

use super::registration::{RegistrationError, changed_client, new_client};
use super::registration_checks::Refusal;
use super::{ClientMetadata, ScopeCatalogue, sector};
use crate::config;
use crate::config::RegistrationMode;
use crate::jose::Algorithm;
use crate::keys::{MasterKeys, Purpose};
use crate::model::{
    Actor, AuditEvent, AuditEventKind, Client, ClientId, Network, RegistrationTokens, Scope, Sector,
};
use crate::outgoing::Outgoing;
use crate::protocol::{ClientRegistrationError, RegistrationRequest};
use crate::secret::{Secret, TokenKind, random_bytes, sha256};
use crate::store::{Admission, Admitted, ChangingClient, Store, StoreError, ThrottleRule};
use crate::time::Timestamp;

mod answer;
mod rules;

pub use answer::RegisteredClient;
use rules::Rules;

/// Why a client is not registered, read, changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum NotRegistered {
    /// The protocol's refusal.
    #[error(transparent)]
    Refused(#[from] ClientRegistrationError),
    /// There are, or there were from this network, as many registrations as there may be.
    #[error("too many clients were registered")]
    TooMany {
        /// When to try again.
        retry_after: Duration,
    },
}

type Refused = ClientRegistrationError;

/// When it may be worth trying again where there is no room.
const UNTIL_ROOM: Duration = Duration::from_secs(3_600);

const DAY: Duration = Duration::from_secs(86_400);

/// Random bytes of a token that is presented at the registration endpoints.
const TOKEN_BYTES: usize = 32;

/// What registering reaches for.
pub struct SelfRegistration<'a> {
    /// The database, on behalf of whoever asks.
    pub store: &'a Store,
    /// For secrets, and for counting networks.
    pub master_keys: &'a MasterKeys,
    /// What the operator allows.
    pub config: &'a config::Registration,
    /// The registered scopes.
    pub scopes: &'a ScopeCatalogue,
    /// Algorithms that there is a signing key for.
    pub algorithms: Vec<Algorithm>,
    /// Which addresses may be fetched from and linked to.
    pub outgoing: &'a Outgoing,
    /// The issuer, under which each client has its own endpoint.
    pub issuer: &'a str,
}

/// A client, as it was when its token was found good.
struct Opened {
    client: Client,
    token: Secret<String>,
    token_hash: [u8; 32],
}

impl SelfRegistration<'_> {
    /// Registers a client. `bearer` is the initial access token, if any came (RFC 7591 §3); `from` is counted where
    /// none did.
    ///
    /// # Errors
    /// Whoever asks may not, asks too often, or for what cannot be; or there is no room.
    pub async fn register(
        &self,
        bearer: Option<&str>,
        body: &[u8],
        from: Network,
        now: Timestamp,
    ) -> Result<RegisteredClient, NotRegistered> {
        let token = self.initial_access_token(bearer, now).await?;
        let request = RegistrationRequest::parse(body)?;
        let sector_uri = request.sector_identifier_uri.clone();
        let mut metadata = self.rules().apply(request, None)?;
        let is_pairwise = metadata.openid.pairwise.is_some();
        let is_counted = token.is_some() || sector_uri.is_some();
        if let Some(uri) = sector_uri {
            // Nobody makes us fetch without end. OpenID Connect Registration §5: also where subjects are public.
            if token.is_none() {
                self.count(from).await?;
            }
            metadata.openid.pairwise = Some(Sector::requested(Some(uri)));
            metadata.sector_document = sector::read(self.outgoing, &metadata, None).await?;
        }
        let scopes = self.store.scopes().await?;
        let (mut client, secret) = new_client(self.master_keys, metadata, &scopes, now)?;
        client.openid.pairwise = client.openid.pairwise.filter(|_| is_pairwise);
        let (registration_token, hash) = new_token(TokenKind::RegistrationAccessToken);
        let tokens = RegistrationTokens { newest: hash, previous: None };
        let client = Client { self_registered: true, registration_tokens: Some(Box::new(tokens)), ..client };
        if !is_counted {
            self.count(from).await?;
        }
        let admission = token.as_ref().map_or(Admission::Open, Admission::Token);
        match self.store.register_client(&client, admission, self.config.max_clients, now).await? {
            Admitted::Registered => {
                Ok(RegisteredClient::new(&client, self.issuer, registration_token, secret))
            }
            Admitted::TokenRefused => Err(self.refuse_token(bearer).await),
            Admitted::Full => {
                self.record_refusal("full").await;
                Err(NotRegistered::TooMany { retry_after: UNTIL_ROOM })
            }
        }
    }

    /// What is registered of a client (RFC 7592 §2.1). Its token stays.
    ///
    /// # Errors
    /// The token is not this client's.
    pub async fn read(&self, id: &ClientId, bearer: Option<&str>) -> Result<RegisteredClient, NotRegistered> {
        let Opened { client, token, .. } = self.open(id, bearer).await?;
        Ok(RegisteredClient::new(&client, self.issuer, token, None))
    }

    /// Puts what a client says now in the place of all that it has said before (RFC 7592 §2.2). It gets a new token;
    /// the one that it came with is good until the new one is used, so that an answer may be lost.
    ///
    /// # Errors
    /// The token is not this client's, or it asks for what cannot be, or too often, counted with the
    /// registrations `from` there.
    pub async fn replace(
        &self,
        id: &ClientId,
        bearer: Option<&str>,
        body: &[u8],
        from: Network,
    ) -> Result<RegisteredClient, NotRegistered> {
        let opened = self.open(id, bearer).await?;
        let registered = &opened.client;
        let request = RegistrationRequest::parse(body)?;
        if request.client_id.as_deref() != Some(id.as_str()) {
            return Err(Refused::invalid_client_metadata("'client_id' must be the client's own").into());
        }
        // Before its row is locked: another machine may take its time.
        let wanted = self.rules().apply(request.clone(), Some(registered))?;
        // Each change has all processes read clients anew, and may have a document fetched.
        self.count(from).await?;
        let sector_document = sector::read(self.outgoing, &wanted, Some(registered)).await?;
        let scopes = self.store.scopes().await?;
        let store = self.store.acting_as(Actor::Client(id.clone()));
        let replaced = store.repeatedly(async || {
            let changing = self.lock(&store, &opened).await?;
            let metadata = self.rules().apply(request.clone(), Some(changing.client()))?;
            let metadata = ClientMetadata { sector_document: sector_document.clone(), ..metadata };
            self.replace_once(changing, &opened.token_hash, metadata, &scopes).await
        });
        replaced.await
    }

    /// Gives a client whose row is locked this metadata, and a new token beside the one that it came with.
    async fn replace_once(
        &self,
        mut changing: ChangingClient<'_>,
        token_hash: &[u8; 32],
        metadata: ClientMetadata,
        scopes: &[Scope],
    ) -> Result<RegisteredClient, NotRegistered> {
        let (registration_token, hash) = new_token(TokenKind::RegistrationAccessToken);
        let tokens = RegistrationTokens { newest: hash, previous: Some(*token_hash) };
        let client = Client {
            registration_tokens: Some(Box::new(tokens)),
            ..changed_client(changing.client(), metadata, scopes)?
        };
        // People agreed that their answers go to the addresses of then. Whoever has got hold of the token must not
        // turn that into a silent way to others, also not by taking away the address that people were shown.
        if client.redirect_uris != changing.client().redirect_uris {
            changing.ask_again().await?;
        }
        changing.count_as_wanted().await?;
        changing.write(&client).await?;
        Ok(RegisteredClient::new(&client, self.issuer, registration_token, None))
    }

    /// Deletes a client, and with it its grants (RFC 7592 §2.3).
    ///
    /// # Errors
    /// The token is not this client's.
    pub async fn delete(&self, id: &ClientId, bearer: Option<&str>) -> Result<(), NotRegistered> {
        let opened = self.open(id, bearer).await?;
        let store = self.store.acting_as(Actor::Client(id.clone()));
        store.repeatedly(async || Ok(self.lock(&store, &opened).await?.delete().await?)).await
    }

    fn rules(&self) -> Rules<'_> {
        Rules {
            config: self.config,
            scopes: self.scopes,
            algorithms: &self.algorithms,
            outgoing: self.outgoing.policy(),
        }
    }

    /// The hash of the initial access token. One that is presented must be good also where anybody may register.
    async fn initial_access_token(
        &self,
        bearer: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<[u8; 32]>, NotRegistered> {
        if bearer.is_none() && self.config.mode == RegistrationMode::Open {
            return Ok(None);
        }
        let token = bearer.and_then(|text| TokenKind::InitialAccessToken.decode::<TOKEN_BYTES>(text));
        match token.map(|token| sha256(&token)) {
            Some(hash) if self.store.is_initial_access_token(&hash, now).await? => Ok(Some(hash)),
            _ => Err(self.refuse_token(bearer).await),
        }
    }

    /// Looks whether the token is that of the client that is named.
    async fn open(&self, id: &ClientId, bearer: Option<&str>) -> Result<Opened, NotRegistered> {
        // The address may name anything, NUL too, which the database cannot be asked for.
        let is_an_id = id.as_str().bytes().all(|byte| byte.is_ascii_graphic());
        if let Some(text) = bearer.filter(|_| is_an_id)
            && let Some(bytes) = TokenKind::RegistrationAccessToken.decode::<TOKEN_BYTES>(text)
        {
            let token_hash = sha256(&bytes);
            if let Some(client) = self.store.client_by_registration_token(id, &token_hash).await? {
                return Ok(Opened { client, token: Secret::new(text.to_owned()), token_hash });
            }
        }
        Err(self.refuse_token(bearer).await)
    }

    /// Locks the client, and judges the token once more: it may have been replaced or have ended meanwhile.
    async fn lock<'s>(&self, store: &'s Store, opened: &Opened) -> Result<ChangingClient<'s>, NotRegistered> {
        let changing = store.change_client(&opened.client.id).await?;
        match changing.filter(|changing| changing.client().is_managed_with(&opened.token_hash)) {
            Some(changing) => Ok(changing),
            None => Err(self.refuse_token(Some(opened.token.expose())).await),
        }
    }

    /// Counts a registration or a change from a network, in the database, so that all processes count together and no
    /// restart forgets.
    async fn count(&self, from: Network) -> Result<(), NotRegistered> {
        let free = self.config.per_network_per_day;
        let pause = DAY / free;
        let key = self.master_keys.current().hmac(Purpose::Throttle, &[b"registration", &from.octets()]);
        let rule = ThrottleRule { key, free, base: pause, cap: pause, leak: pause };
        match self.store.count_attempt(rule).await? {
            Ok(()) => Ok(()),
            Err(throttled) => {
                self.record_refusal("network").await;
                Err(NotRegistered::TooMany { retry_after: throttled.retry_after })
            }
        }
    }

    /// One answer whatever is wrong with the token, so that nobody learns which clients there are.
    async fn refuse_token(&self, bearer: Option<&str>) -> NotRegistered {
        self.record_refusal("token").await;
        let words = match bearer {
            None => "a token is needed here: send it as Authorization: Bearer",
            Some(_) => "the token is not good here, or no longer",
        };
        Refused::invalid_token(words).into()
    }

    async fn record_refusal(&self, why: &str) {
        let event = AuditEvent::new(AuditEventKind::ClientRegistrationRefused);
        self.store.record_refusal(event, why).await;
    }
}

/// A token and what is stored of it.
pub fn new_token(kind: TokenKind) -> (Secret<String>, [u8; 32]) {
    let bytes = random_bytes::<TOKEN_BYTES>();
    (kind.encode(&bytes), sha256(&bytes))
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::RedirectUri(reason) => Self::invalid_redirect_uri(reason),
            Refusal::Metadata(reason) => Self::invalid_client_metadata(reason),
        }
    }
}

impl From<Refusal> for NotRegistered {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<RegistrationError> for NotRegistered {
    fn from(error: RegistrationError) -> Self {
        let words = error.to_string();
        Self::Refused(match error {
            RegistrationError::RedirectUri(reason) => Refused::invalid_redirect_uri(reason),
            RegistrationError::Store(error) => error.into(),
            RegistrationError::SectorDocument(reason) => {
                Refused::invalid_client_metadata(words).with_source(reason)
            }
            _ => Refused::invalid_client_metadata(words),
        })
    }
}

impl From<StoreError> for NotRegistered {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}
