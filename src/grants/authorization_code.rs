//! The authorization code grant (RFC 6749 §4.1.3).

use super::refresh_family::AuthenticToken;
use super::{Approved, Grants, IssuedRefreshToken, audience, effective_scopes, person};
use crate::clients::AuthenticatedClient;
use crate::model::{AuthorizationCode, CodeId, GrantType};
use crate::protocol::{AuthorizationCodeRequest, CodeChallenge, TokenError, pkce};
use crate::secret::{TokenKind, constant_time_eq, sha256};
use crate::store::{CodeView, FirstRefresh};
use crate::time::Timestamp;

impl Grants<'_> {
    pub(super) async fn authorization_code(
        &self,
        client: &AuthenticatedClient,
        request: AuthorizationCodeRequest,
        now: Timestamp,
    ) -> Result<Approved, TokenError> {
        let view = self.find_code(request.code.expose(), now).await?.ok_or_else(unknown_code)?;
        check_binding(&view, client, &request)?;
        if view.code.used_at.is_some() {
            return Err(self.revoke_used(&view).await?);
        }
        check_alive(&view)?;
        let audience =
            audience(request.resources.as_slice(), &view.grant.grant.resources, client, self.issuer)?;
        let scopes = self.scopes_for(&audience, effective_scopes(&view.grant, &self.registry.scopes()))?;
        let refresh_token = self.redeem(client, &view, now).await?;
        Ok(Approved {
            client: client.clone(),
            subject: person(&view.grant, &scopes),
            id_token: self.id_token_for(client, &view.grant, &scopes, view.code.nonce.clone()),
            scopes,
            audience,
            refresh_token,
        })
    }

    async fn find_code(&self, code: &str, now: Timestamp) -> Result<Option<CodeView>, TokenError> {
        let Some(bytes) = TokenKind::AuthorizationCode.decode::<48>(code) else { return Ok(None) };
        let Some((id, secret)) = bytes.split_first_chunk::<16>() else { return Ok(None) };
        let view = self.store.authorization_code(CodeId::from_bytes(*id), now).await?;
        Ok(view.filter(|view| constant_time_eq(&sha256(secret), &view.code_hash)))
    }

    async fn redeem(
        &self,
        client: &AuthenticatedClient,
        view: &CodeView,
        now: Timestamp,
    ) -> Result<Option<IssuedRefreshToken>, TokenError> {
        let key = self.keys.current();
        let first =
            client.allows_grant(GrantType::RefreshToken).then(|| AuthenticToken::first(view.code.grant_id));
        let hash = first.as_ref().map(AuthenticToken::hash);
        let idle_lifetime = self.refresh_idle_lifetime(client);
        let family = hash.as_ref().map(|hash| FirstRefresh { hash, key_id: key.id(), idle_lifetime });
        if !self.store.redeem_authorization_code(view.code.id, &view.grant.grant, family, now).await? {
            return Err(self.revoke_used(view).await?);
        }
        Ok(first.map(|token| IssuedRefreshToken {
            token: token.encode(key),
            expires_in: Self::refresh_expires_in(&view.grant, view.grant.now + idle_lifetime),
        }))
    }

    /// RFC 6749 §4.1.2: a code used twice ends what the first use gave. The request was otherwise valid.
    async fn revoke_used(&self, view: &CodeView) -> Result<TokenError, TokenError> {
        self.store.revoke_grant_of_used_code(view.code.id, &view.grant.grant).await?;
        Ok(TokenError::invalid_grant(
            "the code was used before or has expired: start the authorization again",
        ))
    }
}

fn unknown_code() -> TokenError {
    TokenError::invalid_grant("the 'code' is not one that this server issued")
}

fn check_binding(
    view: &CodeView,
    client: &AuthenticatedClient,
    request: &AuthorizationCodeRequest,
) -> Result<(), TokenError> {
    // RFC 6749 §4.1.3: the code was issued to this client.
    if view.grant.grant.client_id != client.id {
        return Err(unknown_code());
    }
    check_redirect_uri(&view.code, request.redirect_uri.as_deref())?;
    // RFC 7636 §4.6, and RFC 9700 §4.8.2: a verifier without a challenge is a downgrade.
    match (&view.code.code_challenge, &request.code_verifier) {
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier))
            if CodeChallenge::from_stored(challenge)
                .is_some_and(|challenge| pkce::verify(verifier, &challenge)) =>
        {
            Ok(())
        }
        (Some(_), Some(_)) => {
            Err(TokenError::invalid_grant("the 'code_verifier' does not belong to the 'code_challenge'"))
        }
        (Some(_), None) => Err(TokenError::invalid_grant("the 'code_verifier' is missing")),
        (None, Some(_)) => {
            Err(TokenError::invalid_grant("there was no 'code_challenge' in the authorization request"))
        }
    }
}

/// RFC 6749 §4.1.3; OAuth 2.1 §10.2 lets it be absent, which is safe only where PKCE binds the code.
fn check_redirect_uri(code: &AuthorizationCode, presented: Option<&str>) -> Result<(), TokenError> {
    match presented {
        Some(presented) if presented == code.redirect_uri => Ok(()),
        None if code.code_challenge.is_some() => Ok(()),
        Some(_) => Err(TokenError::invalid_grant(
            "the 'redirect_uri' is not the one of the authorization request: send the same string",
        )),
        None => Err(TokenError::invalid_grant("the 'redirect_uri' of the authorization request is missing")),
    }
}

fn check_alive(view: &CodeView) -> Result<(), TokenError> {
    if view.code.expires_at <= view.grant.now {
        return Err(TokenError::invalid_grant("the code has expired: start the authorization again"));
    }
    if !view.grant.is_alive() {
        return Err(TokenError::invalid_grant("the approval behind this code has ended"));
    }
    Ok(())
}
