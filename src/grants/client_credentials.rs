//! The client credentials grant (RFC 6749 §4.4).

use super::{Approved, Grants, Subject, audience};
use crate::clients::{AuthenticatedClient, ScopeCatalogue};
use crate::model::{Client, GrantType};
use crate::protocol::{ClientCredentialsRequest, ScopeSet, TokenError};

impl Grants<'_> {
    pub(super) fn client_credentials(
        &self,
        client: &AuthenticatedClient,
        request: ClientCredentialsRequest,
    ) -> Result<Approved, TokenError> {
        // RFC 6749 §4.4: only confidential clients.
        if !client.is_confidential() {
            return Err(TokenError::unauthorized_client("a public client cannot act for itself"));
        }
        let scopes = own_scopes(client, request.scope.as_ref(), &self.registry.scopes())?;
        let audience = audience(request.resources.as_slice(), &[], client, self.issuer)?;
        Ok(Approved {
            scopes: self.scopes_for(&audience, scopes)?,
            audience,
            client: client.clone(),
            subject: Subject::Client,
            // RFC 6749 §4.4.3: no refresh token.
            refresh_token: None,
            id_token: None,
        })
    }
}

/// What was asked for, or all unrestricted scopes that the client may have for itself.
fn own_scopes(
    client: &Client,
    requested: Option<&ScopeSet>,
    catalogue: &ScopeCatalogue,
) -> Result<Vec<String>, TokenError> {
    let acts_for_people = client.allows_grant(GrantType::AuthorizationCode);
    let may_have = |scope: &str| catalogue.may_have(scope, &client.scopes, acts_for_people);
    let Some(requested) = requested else {
        let all = client.scopes.iter().filter(|scope| may_have(scope) && !catalogue.is_restricted(scope));
        return Ok(all.cloned().collect());
    };
    match requested.iter().find(|scope| !may_have(scope)) {
        None => Ok(requested.iter().map(str::to_owned).collect()),
        Some(scope) => Err(TokenError::invalid_scope(format!(
            "this client cannot have the scope '{scope}' for itself: register it for the client, or let a person \
             grant it"
        ))),
    }
}
