//! The refresh token grant (RFC 6749 §6, RFC 9700 §4.14).

use super::refresh_family::{AuthenticToken, Standing, standing};
use super::{Approved, Grants, IssuedRefreshToken, audience, effective_scopes, person};
use crate::clients::AuthenticatedClient;
use crate::keys::MasterKey;
use crate::model::{EndReason, RefreshState};
use crate::protocol::{RefreshTokenRequest, ScopeSet, TokenError};
use crate::store::{GrantView, Rotation};
use crate::time::Timestamp;

/// A race is lost once; who loses again meets a change that a new look would not explain.
const LOOKS: usize = 2;

impl Grants<'_> {
    pub(super) async fn refresh_token(
        &self,
        client: &AuthenticatedClient,
        request: RefreshTokenRequest,
        now: Timestamp,
    ) -> Result<Approved, TokenError> {
        let token =
            AuthenticToken::parse(request.refresh_token.expose(), self.keys).ok_or_else(unknown_token)?;
        for _ in 0..LOOKS {
            let view = self.store.grant(token.grant_id(), None, now).await?.ok_or_else(unknown_token)?;
            if let Some(approved) = self.attempt(client, &request, &token, &view, now).await? {
                return Ok(approved);
            }
        }
        Err(TokenError::temporarily_unavailable("the refresh token was used many times at once: try again"))
    }

    /// One look, decision and write; `None` if the row changed between the look and the write.
    async fn attempt(
        &self,
        client: &AuthenticatedClient,
        request: &RefreshTokenRequest,
        token: &AuthenticToken,
        view: &GrantView,
        now: Timestamp,
    ) -> Result<Option<Approved>, TokenError> {
        // RFC 6749 §6: the refresh token was issued to this client.
        if view.grant.client_id != client.id {
            return Err(unknown_token());
        }
        let family = view.refresh.as_ref().ok_or_else(unknown_token)?;
        // A family under a key that is no longer listed cannot be continued.
        let family_key = self.keys.by_id(&family.key_id).ok_or_else(unknown_token)?;
        let standing =
            standing(token, family, family_key, self.lifetimes.refresh_reuse_window, view.database_time);
        if standing == Standing::Reused {
            return Err(self.revoke_reused(view).await?);
        }
        check_alive(view, family)?;
        let catalogue = self.registry.scopes();
        let scopes = narrowed(request.scope.as_ref(), view, effective_scopes(view, &catalogue))?;
        let audience = audience(request.resources.as_slice(), &view.grant.resources, client, self.issuer)?;
        let scopes = self.scopes_for(&audience, scopes)?;
        let (given, key) = match standing {
            Standing::JustReplaced => (token.successor(family_key), family_key),
            _ if client.rotate_refresh_tokens => (token.successor(self.keys.current()), self.keys.current()),
            _ => (token.clone(), family_key),
        };
        // A repeated answer does not begin the idle time anew.
        let idle_ends_at = match standing {
            Standing::JustReplaced => family.idle_expires_at,
            _ => view.now + self.refresh_idle_lifetime(client),
        };
        if standing == Standing::Current && !self.rotate(client, token, &given, key, now).await? {
            return Ok(None);
        }
        Ok(Some(Approved {
            client: client.clone(),
            subject: person(view, &scopes),
            // OpenID Connect Core §12.2: of the same person, sign-in and session, and without the nonce.
            id_token: self.id_token_for(client, view, &scopes, None),
            scopes,
            audience,
            refresh_token: Some(IssuedRefreshToken {
                token: given.encode(key),
                expires_in: Self::refresh_expires_in(view, idle_ends_at),
            }),
        }))
    }

    async fn rotate(
        &self,
        client: &AuthenticatedClient,
        token: &AuthenticToken,
        given: &AuthenticToken,
        key: &MasterKey,
        now: Timestamp,
    ) -> Result<bool, TokenError> {
        let rotation = Rotation {
            grant_id: token.grant_id(),
            generation: token.generation(),
            hash: &token.hash(),
            new_hash: &given.hash(),
            new_key_id: key.id(),
            new_generation: given.generation(),
            idle_lifetime: self.refresh_idle_lifetime(client),
        };
        Ok(self.store.rotate_refresh(rotation, now).await?)
    }

    /// RFC 9700 §4.14.2: the token was used before; whoever holds the newest one loses it.
    async fn revoke_reused(&self, view: &GrantView) -> Result<TokenError, TokenError> {
        self.store.revoke_grant(&view.grant, EndReason::RefreshTokenReused).await?;
        Ok(TokenError::invalid_grant("the refresh token was used before: the person must sign in again"))
    }
}

fn unknown_token() -> TokenError {
    TokenError::invalid_grant("the 'refresh_token' is not one that this server issued to this client")
}

fn check_alive(view: &GrantView, family: &RefreshState) -> Result<(), TokenError> {
    if !view.is_alive() || family.idle_expires_at <= view.now {
        return Err(TokenError::invalid_grant(
            "the refresh token has ended: it expired, or the person or an operator withdrew it; authorize again",
        ));
    }
    Ok(())
}

/// RFC 6749 §6: a narrower scope narrows this answer's access token only. What was asked for at the
/// authorization but not granted is ignored: many clients send the original scope again.
fn narrowed(
    requested: Option<&ScopeSet>,
    view: &GrantView,
    effective: Vec<String>,
) -> Result<Vec<String>, TokenError> {
    let Some(requested) = requested else { return Ok(effective) };
    let never_asked = requested.iter().find(|scope| {
        !view.grant.requested_scopes.iter().chain(&view.grant.scopes).any(|known| known == scope)
    });
    if let Some(scope) = never_asked {
        return Err(TokenError::invalid_scope(format!(
            "the scope '{scope}' was not part of the authorization request: authorize again to add it"
        )));
    }
    Ok(effective.into_iter().filter(|scope| requested.contains(scope)).collect())
}
