//! The grants of the token endpoint, one file each: look, decide, write.

mod authorization_code;
mod client_credentials;
mod refresh_family;
mod refresh_token;
mod resources;

use std::time::Duration;

use crate::clients::{AuthenticatedClient, Registry, ScopeCatalogue, role_names};
use crate::config::Tokens;
use crate::keys::MasterKeys;
use crate::model::{Attributes, Client, GrantId, GrantType, Role, SessionId, UserId};
use crate::protocol::scope::OPENID;
use crate::protocol::{RequestedClaims, TokenError, TokenRequest};
use crate::secret::Secret;
use crate::store::{GrantView, Store};
use crate::time::Timestamp;

pub use refresh_family::AuthenticToken;
pub use resources::audience;

/// What the grants reach for.
pub struct Grants<'a> {
    /// The database.
    pub store: &'a Store,
    /// The keys that derive refresh tokens.
    pub keys: &'a MasterKeys,
    /// The registered scopes and resource servers.
    pub registry: &'a Registry,
    /// Configured lifetimes.
    pub lifetimes: &'a Tokens,
    /// The issuer, the audience of a token that is for no resource in particular.
    pub issuer: &'a str,
}

/// Everything that the tokens of one answer are made from.
pub struct Approved {
    /// The client that gets them.
    pub client: AuthenticatedClient,
    /// Whom the access token speaks of.
    pub subject: Subject,
    /// The scopes of the access token.
    pub scopes: Vec<String>,
    /// The resources that the access token is for.
    pub audience: Vec<String>,
    /// The refresh token, if one is given.
    pub refresh_token: Option<IssuedRefreshToken>,
    /// Whether and how an ID token is made.
    pub id_token: Option<IdTokenFor>,
}

/// Whom an access token speaks of.
pub enum Subject {
    /// A person.
    User {
        /// Who.
        id: UserId,
        /// The approval that the token rests on.
        grant_id: GrantId,
        /// When the person had authenticated.
        auth_time: Timestamp,
        /// The roles that the token names.
        roles: Vec<String>,
        /// The grant's end: no token outlives it.
        ends_at: Timestamp,
    },
    /// The client itself.
    Client,
}

/// A refresh token to be given to the client.
pub struct IssuedRefreshToken {
    /// The token.
    pub token: Secret<String>,
    /// How long it can be used.
    pub expires_in: Duration,
}

/// What an ID token needs beyond the access token.
pub struct IdTokenFor {
    /// The session in which the person approved; `None`: an older release did not write it down.
    pub session: Option<SessionId>,
    /// The authorization request's `nonce`, in the first ID token alone.
    pub nonce: Option<String>,
    /// What it tells of the person beyond `sub`; `None`: nothing was asked for.
    pub personal: Option<PersonalClaims>,
}

/// Claims about the person that were asked for by name, for the ID token (OpenID Connect Core §5.5).
pub struct PersonalClaims {
    /// What was asked for and agreed to.
    pub by_name: RequestedClaims,
    /// Scopes whose claims may be told by name.
    pub available: Vec<String>,
    /// What is known of the person.
    pub attributes: Attributes,
}

/// A token request that was checked and whose one-time parts were used up: tokens may be minted. Only
/// [`Grants::validate`] makes it.
pub struct ValidatedTokenRequest(Approved);

impl ValidatedTokenRequest {
    /// What to mint.
    pub fn into_approved(self) -> Approved {
        self.0
    }
}

impl Grants<'_> {
    /// Checks a token request, uses up what is used once, and says what to mint.
    ///
    /// # Errors
    /// As RFC 6749 §5.2 names them; a refused request uses up nothing.
    pub async fn validate(
        &self,
        client: &AuthenticatedClient,
        request: TokenRequest,
        now: Timestamp,
    ) -> Result<ValidatedTokenRequest, TokenError> {
        let grant_type = match &request {
            TokenRequest::AuthorizationCode(_) => GrantType::AuthorizationCode,
            TokenRequest::RefreshToken(_) => GrantType::RefreshToken,
            TokenRequest::ClientCredentials(_) => GrantType::ClientCredentials,
        };
        // RFC 6749 §5.2 unauthorized_client: the client is registered for this grant.
        if !client.allows_grant(grant_type) {
            return Err(TokenError::unauthorized_client(format!(
                "this client is not registered for the grant '{grant_type}'"
            )));
        }
        let approved = match request {
            TokenRequest::AuthorizationCode(request) => self.authorization_code(client, request, now).await?,
            TokenRequest::RefreshToken(request) => self.refresh_token(client, request, now).await?,
            TokenRequest::ClientCredentials(request) => self.client_credentials(client, request)?,
        };
        Ok(ValidatedTokenRequest(approved))
    }

    /// OpenID Connect Core §3.1.2.1: an ID token is for who asked for `openid`.
    fn id_token_for(
        &self,
        client: &Client,
        view: &GrantView,
        scopes: &[String],
        nonce: Option<String>,
    ) -> Option<IdTokenFor> {
        if !scopes.iter().any(|scope| scope == OPENID) {
            return None;
        }
        let session = view.grant.started_in.or(view.grant.session_id);
        let personal = personal_claims(client, view, &self.registry.scopes());
        Some(IdTokenFor { session, nonce, personal })
    }

    fn refresh_idle_lifetime(&self, client: &AuthenticatedClient) -> Duration {
        client.refresh_idle_lifetime.unwrap_or(self.lifetimes.refresh_idle_lifetime)
    }

    /// How long a refresh token can be used that is given out at `view.now` and otherwise ends at `idle_ends_at`.
    fn refresh_expires_in(view: &GrantView, idle_ends_at: Timestamp) -> Duration {
        idle_ends_at.min(view.alive_until.unwrap_or(view.now)).since(view.now)
    }
}

/// The granted scopes that the person may still grant today: a restricted scope goes with the role.
pub fn effective_scopes(view: &GrantView, catalogue: &ScopeCatalogue) -> Vec<String> {
    view.grant.scopes.iter().filter(|scope| catalogue.may_grant(scope, &view.roles)).cloned().collect()
}

/// The scopes that the client is registered for and a person with these roles may grant today: no claim of another is
/// told because it was asked for by its name.
pub fn available_scopes(client: &Client, roles: &[Role], catalogue: &ScopeCatalogue) -> Vec<String> {
    client.scopes.iter().filter(|scope| catalogue.may_grant(scope, roles)).cloned().collect()
}

/// What the grant's ID tokens tell of the person.
fn personal_claims(client: &Client, view: &GrantView, catalogue: &ScopeCatalogue) -> Option<PersonalClaims> {
    let by_name = view.grant.claims.id_token.clone();
    let attributes = view.attributes.clone().filter(|_| !by_name.is_empty())?;
    Some(PersonalClaims { by_name, available: available_scopes(client, &view.roles, catalogue), attributes })
}

/// The person of a grant, with the roles that `scopes` let through.
fn person(view: &GrantView, scopes: &[String]) -> Subject {
    Subject::User {
        id: view.grant.user_id,
        grant_id: view.grant.id,
        auth_time: view.grant.auth_time,
        roles: role_names(&view.roles, scopes).into_iter().map(str::to_owned).collect(),
        ends_at: view.grant.expires_at,
    }
}
