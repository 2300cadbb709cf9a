//! Everything that a handler can reach, built once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::authorization::{CodeIssuer, Incoming};
use crate::clients::{
    AuthenticatedClient, Authenticator, KeySets, Registry, ScopeCatalogue, SelfRegistration,
};
use crate::config::Config;
use crate::demo::DemoApp;
use crate::grants::Grants;
use crate::jose::{self, Algorithm, IntrospectionAnswer};
use crate::keys::{KeyError, KeySet, Keys, MasterKeys, Pseudonyms};
use crate::model::{Client, Origin};
use crate::outgoing::{Outgoing, Policy};
use crate::protocol::{BearerError, ClientCredentials, TokenError};
use crate::store::Store;
use crate::time::Timestamp;
use crate::tokens::{
    IdTokenHint, IdTokenHintError, Introspection, IntrospectionResponse, Mint, Revocation,
    SignedIntrospection, SignedUserInfo, UserInfo, UserInfoAnswer,
};
use crate::users::{Accounts, PasswordHasher, SignIn, Waiting};

/// Clocks further apart than this make a process not ready: it could revive what has expired.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(30);

/// What all workers of a process share.
pub struct Shared {
    /// The configuration.
    pub config: Config,
    /// The master keys.
    pub master_keys: Arc<MasterKeys>,
    /// The signing keys.
    pub keys: Keys,
    /// What clients call people and sessions.
    pub pseudonyms: Pseudonyms,
    /// The registered clients and scopes.
    pub registry: Registry,
    /// The way out.
    pub outgoing: Outgoing,
    /// Public keys of clients that are given by address.
    pub key_sets: KeySets,
    /// The hashing pool.
    pub passwords: PasswordHasher,
    /// Who has to wait before trying a password again.
    pub waiting: Waiting,
    /// The demo app, where a first run made one.
    pub demo: Option<DemoApp>,
    draining: AtomicBool,
    keys_are_unreadable: AtomicBool,
}

/// What a handler reaches: the shared parts, and its worker's own connections.
#[derive(Clone)]
pub struct App {
    shared: Arc<Shared>,
    /// The database, through this worker's own pool.
    pub store: Store,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Shared {
    /// Puts the parts together.
    pub fn new(
        config: Config,
        master_keys: Arc<MasterKeys>,
        keys: Keys,
        pseudonyms: Pseudonyms,
        registry: Registry,
        passwords: PasswordHasher,
        demo: Option<DemoApp>,
    ) -> Self {
        let policy = Policy::new(&config.outgoing.allowed_origins, config.issuer.is_loopback());
        let outgoing = Outgoing::new(policy);
        let key_sets = KeySets::new(outgoing.clone());
        Self {
            config,
            master_keys,
            keys,
            pseudonyms,
            registry,
            outgoing,
            key_sets,
            passwords,
            waiting: Waiting::new(),
            demo,
            draining: AtomicBool::new(false),
            keys_are_unreadable: AtomicBool::new(false),
        }
    }

    /// Whether the signing keys have changed and could not be read. Whether that is news.
    pub fn set_keys_are_unreadable(&self, are_unreadable: bool) -> bool {
        self.keys_are_unreadable.swap(are_unreadable, Ordering::Relaxed) != are_unreadable
    }

    /// From now on the process says that it is not ready, and parts from each client with the next answer.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the process is about to end.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Why the process should get no more traffic; `None`: it is ready.
    pub fn not_ready(&self) -> Option<&'static str> {
        if self.is_draining() {
            Some("shutting down")
        } else if !self.registry.is_fresh() {
            Some("the database does not answer")
        } else if self.registry.clock_skew() > MAX_CLOCK_SKEW {
            Some("the clocks of this process and of the database are too far apart")
        } else if self.keys_are_unreadable.load(Ordering::Relaxed) {
            Some("the signing keys cannot be read")
        } else {
            None
        }
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        self.config.issuer.as_str()
    }
}

impl App {
    /// The app of a worker.
    pub fn new(shared: Arc<Shared>, store: Store) -> Self {
        Self { shared, store }
    }

    /// The same app, which writes on somebody else's behalf.
    #[must_use]
    pub fn on_behalf_of(&self, origin: Origin) -> Self {
        Self { shared: Arc::clone(&self.shared), store: self.store.on_behalf_of(origin) }
    }

    /// Client authentication (RFC 6749 §2.3).
    pub async fn authenticate(
        &self,
        credentials: &ClientCredentials,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, TokenError> {
        let authenticator = Authenticator {
            registry: &self.registry,
            store: &self.store,
            master_keys: &self.master_keys,
            key_sets: &self.key_sets,
            issuer: self.issuer(),
        };
        authenticator.authenticate(credentials, now).await
    }

    /// Clients that register themselves (RFC 7591). `scopes` are those of this moment.
    pub fn self_registration<'a>(&'a self, scopes: &'a ScopeCatalogue) -> SelfRegistration<'a> {
        SelfRegistration {
            store: &self.store,
            master_keys: &self.master_keys,
            config: &self.config.registration,
            scopes,
            algorithms: self.keys.current().algorithms(self.registry.database_time()).collect(),
            outgoing: &self.outgoing,
            issuer: self.issuer(),
        }
    }

    /// The grants of the token endpoint.
    pub fn grants(&self) -> Grants<'_> {
        Grants {
            store: &self.store,
            keys: &self.master_keys,
            registry: &self.registry,
            lifetimes: &self.config.tokens,
            issuer: self.issuer(),
        }
    }

    /// The signing keys of this moment, among them those for a client's tokens.
    pub async fn keys_for(&self, client: &Client) -> Result<Arc<KeySet>, KeyError> {
        let algorithms = [client.access_token_signing_alg, client.id_token_signed_response_alg];
        let algorithms = algorithms.map(Option::unwrap_or_default);
        self.keys.with(&algorithms, &self.store, self.registry.database_time()).await
    }

    /// Minting, with the keys of this moment. Keys live by the database's clock, which all processes share: one
    /// that is ahead would sign with a key before every cache has it.
    pub fn mint<'a>(&'a self, keys: &'a KeySet) -> Mint<'a> {
        Mint {
            issuer: self.issuer(),
            keys,
            key_time: self.registry.database_time(),
            pseudonyms: &self.pseudonyms,
            lifetimes: &self.config.tokens,
            claims: self.registry.claims(),
        }
    }

    /// Introspection (RFC 7662).
    pub async fn introspect(
        &self,
        client: &AuthenticatedClient,
        token: &str,
        now: Timestamp,
    ) -> Result<IntrospectionResponse, TokenError> {
        let keys = self.keys.current();
        let introspection = Introspection {
            store: &self.store,
            verification_keys: keys.verification_keys(self.registry.database_time()),
            master_keys: &self.master_keys,
            scopes: &self.registry.scopes(),
            resources: &self.registry.resources(),
            pseudonyms: &self.pseudonyms,
            issuer: self.issuer(),
        };
        Ok(introspection.introspect(client, token, now).await?)
    }

    /// An introspection answer as a signed JWT for the client that asked (RFC 9701 §5).
    pub async fn sign_introspection(
        &self,
        client: &AuthenticatedClient,
        answer: &IntrospectionResponse,
        now: Timestamp,
    ) -> Result<String, KeyError> {
        let claims = SignedIntrospection {
            iss: self.issuer(),
            aud: client.id.as_str(),
            iat: now.unix_seconds(),
            token_introspection: answer,
        };
        let alg = client.introspection_signed_response_alg.unwrap_or_default();
        let key_time = self.registry.database_time();
        let keys = self.keys.with(&[alg], &self.store, key_time).await?;
        keys.signer(alg, key_time)?.sign_jwt::<IntrospectionAnswer>(&claims).await
    }

    /// UserInfo (OpenID Connect Core §5.3).
    pub async fn userinfo(&self, token: &str, now: Timestamp) -> Result<UserInfoAnswer, BearerError> {
        let keys = self.keys.current();
        let userinfo = UserInfo {
            store: &self.store,
            registry: &self.registry,
            verification_keys: keys.verification_keys(self.registry.database_time()),
            pseudonyms: &self.pseudonyms,
            issuer: self.issuer(),
        };
        userinfo.answer(token, now).await
    }

    /// A UserInfo answer as a signed JWT (OpenID Connect Core §5.3.2).
    pub async fn sign_userinfo(&self, answer: &UserInfoAnswer, alg: Algorithm) -> Result<String, KeyError> {
        let claims =
            SignedUserInfo { iss: self.issuer(), aud: answer.client.id.as_str(), claims: &answer.claims };
        let key_time = self.registry.database_time();
        let keys = self.keys.with(&[alg], &self.store, key_time).await?;
        keys.signer(alg, key_time)?.sign_jwt::<jose::UserInfoAnswer>(&claims).await
    }

    /// Reads an ID token that a client hands back (OpenID Connect Core §3.1.2.1), also one that has expired.
    pub fn id_token_hint(&self, text: &str) -> Result<IdTokenHint, IdTokenHintError> {
        IdTokenHint::verify(text, self.keys.current().keys_on_record(), self.issuer())
    }

    /// Revocation (RFC 7009).
    pub async fn revoke(
        &self,
        client: &AuthenticatedClient,
        token: &str,
        now: Timestamp,
    ) -> Result<(), TokenError> {
        let keys = self.keys.current();
        let revocation = Revocation {
            store: &self.store,
            verification_keys: keys.verification_keys(self.registry.database_time()),
            master_keys: &self.master_keys,
            issuer: self.issuer(),
        };
        revocation.revoke(client, token, now).await
    }

    /// Signing in.
    pub fn sign_in(&self) -> SignIn<'_> {
        SignIn {
            store: &self.store,
            keys: &self.master_keys,
            waiting: &self.waiting,
            passwords: &self.passwords,
            lifetimes: &self.config.sessions,
        }
    }

    /// Accounts.
    pub fn accounts(&self) -> Accounts {
        Accounts::new(self.store.clone(), self.passwords.clone(), self.config.passwords.min_length)
    }

    /// Judging authorization requests.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { store: &self.store, registry: &self.registry, issuer: self.issuer() }
    }

    /// Issuing codes.
    pub fn code_issuer(&self) -> CodeIssuer<'_> {
        CodeIssuer { store: &self.store, tokens: &self.config.tokens, sessions: &self.config.sessions }
    }
}
