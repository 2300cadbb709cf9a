//! From parameters to a request that may be put before a person (RFC 6749 §4.1.1, RFC 9700 §2.1).

use std::sync::Arc;

use super::RedirectTarget;
use crate::clients::{Registry, ResourceCatalogue, ScopeCatalogue};
use crate::model::{Client, ClientId, GrantType};
use crate::protocol::scope::{OFFLINE_ACCESS, OPENID};
use crate::protocol::{
    AuthorizationError, AuthorizationRequest, ClientAndRedirect, Parameters, ResponseMode, ScopeSet,
    UntrustedRequest,
};
use crate::store::{Store, StoreError};

/// What the authorization endpoint reaches for to judge a request.
pub struct Incoming<'a> {
    /// The database.
    pub store: &'a Store,
    /// The registered clients and scopes.
    pub registry: &'a Registry,
    /// The issuer.
    pub issuer: &'a str,
}

/// A request of a known client with a registered redirect URI, for scopes that it may ask for.
#[derive(Debug)]
pub struct Pending {
    /// What was asked.
    pub request: AuthorizationRequest,
    /// Who asks.
    pub client: Arc<Client>,
    /// Where the answer goes.
    pub target: RedirectTarget,
    /// The scopes asked for, or the default.
    pub scopes: ScopeSet,
}

/// How a request is refused.
#[derive(Debug)]
pub enum Refusal {
    /// By a page: nothing tells where else it might go.
    Page(UntrustedRequest),
    /// By an answer to the client.
    Answer(Box<RedirectTarget>, AuthorizationError),
    /// The database cannot be asked.
    Store(StoreError),
}

impl From<UntrustedRequest> for Refusal {
    fn from(error: UntrustedRequest) -> Self {
        Self::Page(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Incoming<'_> {
    /// Judges the parameters of an authorization request.
    pub async fn read(&self, parameters: &Parameters) -> Result<Pending, Refusal> {
        let asked = ClientAndRedirect::parse(parameters)?;
        let client = self.client(&asked.client_id).await?;
        let uri = redirect_uri(&client, asked.redirect_uri.as_deref())?;
        let target = self.target(&client, &uri, asked.state.as_deref())?;
        let target = target.by(ResponseMode::of_answers(parameters, &uri));
        match AuthorizationRequest::parse(parameters, asked, uri) {
            Ok(request) => self.judge(request, client, target),
            Err(error) => Err(Refusal::Answer(Box::new(target), error)),
        }
    }

    /// Judges a request that was put before a person before: the client may have changed meanwhile.
    pub async fn resume(&self, request: AuthorizationRequest) -> Result<Pending, Refusal> {
        let client = self.client(&request.client_id).await?;
        let target = self.target(&client, &request.redirect_uri, request.state.as_deref())?;
        let target = target.by(request.response_mode);
        self.judge(request, client, target)
    }

    async fn client(&self, id: &str) -> Result<Arc<Client>, Refusal> {
        let client = self.registry.client(self.store, &ClientId::from(id.to_owned())).await?;
        let client = client.ok_or(UntrustedRequest::UnknownClient)?;
        if client.disabled_at.is_some() {
            return Err(UntrustedRequest::ClientDisabled.into());
        }
        Ok(client)
    }

    fn target(&self, client: &Client, uri: &str, state: Option<&str>) -> Result<RedirectTarget, Refusal> {
        RedirectTarget::new(client, uri, state, self.issuer)
            .ok_or(Refusal::Page(UntrustedRequest::RedirectUriNotRegistered))
    }

    fn judge(
        &self,
        request: AuthorizationRequest,
        client: Arc<Client>,
        target: RedirectTarget,
    ) -> Result<Pending, Refusal> {
        match check(&request, &client, &self.registry.scopes(), &self.registry.resources()) {
            Ok(scopes) => Ok(Pending { request, client, target, scopes }),
            Err(error) => Err(Refusal::Answer(Box::new(target), error)),
        }
    }
}

/// RFC 6749 §3.1.2.3: it may be left out if exactly one is registered.
fn redirect_uri(client: &Client, given: Option<&str>) -> Result<String, UntrustedRequest> {
    match (given, client.redirect_uris.as_slice()) {
        (Some(given), _) => Ok(given.to_owned()),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(UntrustedRequest::RedirectUriMissing),
    }
}

fn check(
    request: &AuthorizationRequest,
    client: &Client,
    catalogue: &ScopeCatalogue,
    resources: &ResourceCatalogue,
) -> Result<ScopeSet, AuthorizationError> {
    if !client.allows_grant(GrantType::AuthorizationCode) {
        return Err(AuthorizationError::unauthorized_client(
            "this client is not registered for the grant authorization_code",
        ));
    }
    // RFC 9700 §2.1.1; a confidential client may be let off.
    if client.require_pkce && request.code_challenge.is_none() {
        return Err(AuthorizationError::invalid_request(
            "the parameter 'code_challenge' is missing: use PKCE with S256 (RFC 7636)",
        ));
    }
    // RFC 8707 §2: only resources that the client is registered for.
    if let Some(unknown) = request.resources.as_slice().iter().find(|one| !client.audiences.contains(one)) {
        return Err(AuthorizationError::invalid_target(format!(
            "the resource '{unknown}' is not an audience of this client"
        )));
    }
    let scopes = scopes(request, client, catalogue)?;
    check_understood(request, &scopes, catalogue, resources)?;
    Ok(scopes)
}

/// A request that could only yield tokens good for nothing is refused before anybody is asked (RFC 8707 §2.1). All
/// scopes stay in it: each token carries those that its own resources understand.
fn check_understood(
    request: &AuthorizationRequest,
    scopes: &ScopeSet,
    catalogue: &ScopeCatalogue,
    resources: &ResourceCatalogue,
) -> Result<(), AuthorizationError> {
    match request.resources.as_slice() {
        [] => Ok(()),
        named => match resources.usable(named, scopes.to_vec(), catalogue) {
            Ok(_) => Ok(()),
            Err(nothing) => Err(AuthorizationError::invalid_scope(nothing.to_string())),
        },
    }
}

fn scopes(
    request: &AuthorizationRequest,
    client: &Client,
    catalogue: &ScopeCatalogue,
) -> Result<ScopeSet, AuthorizationError> {
    let Some(requested) = &request.scope else { return Ok(default_scopes(request, client, catalogue)) };
    for scope in requested.iter() {
        if catalogue.get(scope).is_none() {
            return Err(AuthorizationError::invalid_scope(format!(
                "the scope '{scope}' is not registered: an operator adds it by 'grantor scope create {scope}'"
            )));
        }
        if !client.scopes.iter().any(|registered| registered == scope) {
            return Err(AuthorizationError::invalid_scope(format!(
                "the scope '{scope}' is not registered for this client: an operator adds it by \
                 'grantor client update'"
            )));
        }
    }
    Ok(requested.clone())
}

/// RFC 6749 §3.3: without `scope`, what the client is registered for, less what needs to be asked for.
/// A request that leaves out `redirect_uri` is none of OpenID Connect.
fn default_scopes(request: &AuthorizationRequest, client: &Client, catalogue: &ScopeCatalogue) -> ScopeSet {
    let is_default = |scope: &&String| {
        !catalogue.is_restricted(scope)
            && scope.as_str() != OFFLINE_ACCESS
            && (request.redirect_uri_given || scope.as_str() != OPENID)
    };
    client.scopes.iter().filter(is_default).collect()
}
