//! Token introspection (RFC 7662): the answer of this very moment.

use serde::Serialize;

use super::access_token::{AccessTokenClaims, Audience, grant_of_jti};
use crate::clients::{AuthenticatedClient, ResourceCatalogue, ScopeCatalogue, role_names};
use crate::grants::{AuthenticToken, effective_scopes};
use crate::jose::{AccessToken, UnverifiedJwt, VerificationKeys};
use crate::keys::{MasterKeys, Pseudonyms};
use crate::model::{Client, ClientId, GrantId, GrantType};
use crate::secret::constant_time_eq;
use crate::store::{ClientToken, GrantView, Store, StoreError};
use crate::time::Timestamp;

/// What introspection reaches for.
pub struct Introspection<'a> {
    /// The database.
    pub store: &'a Store,
    /// The published keys.
    pub verification_keys: &'a VerificationKeys,
    /// The keys of refresh tokens.
    pub master_keys: &'a MasterKeys,
    /// The registered scopes.
    pub scopes: &'a ScopeCatalogue,
    /// The registered resource servers.
    pub resources: &'a ResourceCatalogue,
    /// What clients call people.
    pub pseudonyms: &'a Pseudonyms,
    /// The issuer.
    pub issuer: &'a str,
}

/// The answer (RFC 7662 §2.2). An inactive token's says nothing else.
#[derive(Debug, Default, Serialize)]
pub struct IntrospectionResponse {
    /// Whether the token can be relied on now.
    pub active: bool,
    /// Today's scopes, space-separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The client that the token was issued to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// `Bearer` for an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// Its end, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was issued, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// The person or client that it speaks of, as the token's client knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The resources that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience>,
    /// The issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Its identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The person's roles of today, as far as the scopes let them through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// When the person had authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
}

/// The claims of a signed answer (RFC 9701 §5). There is no `sub` and no `exp`, so that nobody takes it for a token.
#[derive(Debug, Serialize)]
pub struct SignedIntrospection<'a> {
    /// The issuer.
    pub iss: &'a str,
    /// Who asked: a client's identifier.
    pub aud: &'a str,
    /// When it was answered, in seconds since 1970.
    pub iat: i64,
    /// What the answer would be as JSON.
    pub token_introspection: &'a IntrospectionResponse,
}

impl Introspection<'_> {
    /// What `client` may know of `token`; `{"active":false}` for anything else, without a reason.
    ///
    /// # Errors
    /// Only if the database cannot be asked.
    pub async fn introspect(
        &self,
        client: &AuthenticatedClient,
        token: &str,
        now: Timestamp,
    ) -> Result<IntrospectionResponse, StoreError> {
        let answer = match AuthenticToken::parse(token, self.master_keys) {
            Some(token) => self.refresh_token(client, &token, now).await?,
            None => self.access_token(client, token, now).await?,
        };
        Ok(answer.unwrap_or_default())
    }

    async fn access_token(
        &self,
        client: &AuthenticatedClient,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<IntrospectionResponse>, StoreError> {
        let Some(claims) = verified_claims(token, self.verification_keys, self.issuer) else {
            return Ok(None);
        };
        let concerned = concerned(client, &claims);
        if claims.exp <= now.unix_seconds() || concerned.is_empty() {
            return Ok(None);
        }
        match grant_of_jti(&claims.jti) {
            Some(grant_id) => self.person_token(grant_id, claims, &concerned, now).await,
            None => self.client_token(claims, &concerned, now).await,
        }
    }

    async fn person_token(
        &self,
        grant_id: GrantId,
        claims: AccessTokenClaims,
        concerned: &[String],
        now: Timestamp,
    ) -> Result<Option<IntrospectionResponse>, StoreError> {
        let view = self.store.grant(grant_id, Some(&claims.jti), now).await?;
        let is_good = |view: &GrantView| {
            view.is_alive()
                && claims.exp > view.now.unix_seconds()
                && is_registered_audience(&claims, &view.client_audiences, self.issuer)
        };
        let Some(view) = view.filter(is_good) else { return Ok(None) };
        // The token may hold fewer scopes than the grant, and today's grant fewer than the token.
        let scopes = self.scopes_within(&claims, &effective_scopes(&view, self.scopes), concerned);
        let roles = role_names(&view.roles, &scopes).into_iter().map(str::to_owned).collect();
        Ok(Some(response(claims, &scopes, roles)))
    }

    async fn client_token(
        &self,
        claims: AccessTokenClaims,
        concerned: &[String],
        now: Timestamp,
    ) -> Result<Option<IntrospectionResponse>, StoreError> {
        let id = ClientId::from(claims.client_id.clone());
        let expires_at = Timestamp::from_unix_seconds(claims.exp);
        let registered = self.store.client_token(&claims.jti, &id, expires_at, now).await?;
        let is_good = |client: &ClientToken| {
            allows(client, GrantType::ClientCredentials)
                && is_registered_audience(&claims, &client.audiences, self.issuer)
        };
        let Some(registered) = registered.filter(is_good) else { return Ok(None) };
        let acts_for_people = allows(&registered, GrantType::AuthorizationCode);
        let is_todays = |scope: &&String| self.scopes.may_have(scope, &registered.scopes, acts_for_people);
        let today: Vec<String> = registered.scopes.iter().filter(is_todays).cloned().collect();
        let scopes = self.scopes_within(&claims, &today, concerned);
        Ok(Some(response(claims, &scopes, Vec::new())))
    }

    /// The token's scopes, as far as they are still given, and those resources understand them for whose sake is asked
    /// (RFC 9701 §5).
    fn scopes_within(
        &self,
        claims: &AccessTokenClaims,
        today: &[String],
        concerned: &[String],
    ) -> Vec<String> {
        let still_given = |scope: &&str| today.iter().any(|one| one == scope);
        let scopes = claims.scope.split(' ').filter(still_given).map(str::to_owned).collect();
        self.resources.narrow(concerned, scopes, self.scopes)
    }

    /// A refresh token is its own client's business alone.
    async fn refresh_token(
        &self,
        client: &AuthenticatedClient,
        token: &AuthenticToken,
        now: Timestamp,
    ) -> Result<Option<IntrospectionResponse>, StoreError> {
        let Some(view) = self.store.grant(token.grant_id(), None, now).await? else { return Ok(None) };
        let Some(family) = view.refresh.as_ref() else { return Ok(None) };
        let is_current =
            family.generation == token.generation() && constant_time_eq(&family.hash, &token.hash());
        let Some(ends_at) = view.alive_until else { return Ok(None) };
        if view.grant.client_id != client.id || !is_current || family.idle_expires_at <= view.now {
            return Ok(None);
        }
        Ok(Some(IntrospectionResponse {
            active: true,
            scope: Some(effective_scopes(&view, self.scopes).join(" ")),
            client_id: Some(view.grant.client_id.to_string()),
            exp: Some(family.idle_expires_at.min(ends_at).unix_seconds()),
            sub: Some(self.pseudonyms.subject(client, view.grant.user_id)),
            iss: Some(self.issuer.to_owned()),
            auth_time: Some(view.grant.auth_time.unix_seconds()),
            ..IntrospectionResponse::default()
        }))
    }
}

/// The claims of an access token that this server signed; its end is for the caller to check.
pub(super) fn verified_claims(
    token: &str,
    keys: &VerificationKeys,
    issuer: &str,
) -> Option<AccessTokenClaims> {
    let claims: AccessTokenClaims =
        UnverifiedJwt::parse(token).ok()?.verify::<AccessToken>(keys).ok()?.claims().ok()?;
    (claims.iss == issuer).then_some(claims)
}

/// Whether the client is still registered for the resources that the token is for.
pub(super) fn is_registered_audience(
    claims: &AccessTokenClaims,
    registered: &[String],
    issuer: &str,
) -> bool {
    claims.aud.iter().all(|one| one == issuer || registered.iter().any(|known| known == one))
}

/// RFC 7662 §4: the token's resources for whose sake the client may ask. All of them for the client that holds the
/// token, and those that it is for a resource server; none for anybody else.
fn concerned(client: &Client, claims: &AccessTokenClaims) -> Vec<String> {
    let holds_it = claims.client_id == client.id.as_str();
    let is_its_own = |one: &&str| holds_it || client.resource_servers.iter().any(|own| own == one);
    claims.aud.iter().filter(is_its_own).map(str::to_owned).collect()
}

fn allows(client: &ClientToken, grant: GrantType) -> bool {
    client.grant_types.iter().any(|one| one == grant.as_str())
}

fn response(claims: AccessTokenClaims, scopes: &[String], roles: Vec<String>) -> IntrospectionResponse {
    IntrospectionResponse {
        active: true,
        scope: Some(scopes.join(" ")),
        client_id: Some(claims.client_id),
        token_type: Some("Bearer"),
        exp: Some(claims.exp),
        iat: Some(claims.iat),
        sub: Some(claims.sub),
        aud: Some(claims.aud),
        iss: Some(claims.iss),
        jti: Some(claims.jti),
        roles,
        auth_time: claims.auth_time,
    }
}
