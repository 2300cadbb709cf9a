//! Token revocation (RFC 7009).

use super::access_token::{AccessTokenClaims, grant_of_jti};
use super::introspect::verified_claims;
use crate::clients::AuthenticatedClient;
use crate::grants::AuthenticToken;
use crate::jose::VerificationKeys;
use crate::keys::MasterKeys;
use crate::model::EndReason;
use crate::protocol::TokenError;
use crate::store::Store;
use crate::time::Timestamp;

/// What revocation reaches for.
pub struct Revocation<'a> {
    /// The database.
    pub store: &'a Store,
    /// The published keys.
    pub verification_keys: &'a VerificationKeys,
    /// The keys of refresh tokens.
    pub master_keys: &'a MasterKeys,
    /// The issuer.
    pub issuer: &'a str,
}

impl Revocation<'_> {
    /// Ends a token. A refresh token of any generation ends its grant with all tokens; an access token ends
    /// alone. What is not a token needs no end (§2.2).
    ///
    /// # Errors
    /// `unauthorized_client` if the token was issued to another client (§2.1).
    pub async fn revoke(
        &self,
        client: &AuthenticatedClient,
        token: &str,
        now: Timestamp,
    ) -> Result<(), TokenError> {
        if let Some(token) = AuthenticToken::parse(token, self.master_keys) {
            return self.refresh_token(client, &token, now).await;
        }
        match verified_claims(token, self.verification_keys, self.issuer) {
            Some(claims) => self.access_token(client, &claims, now).await,
            None => Ok(()),
        }
    }

    async fn refresh_token(
        &self,
        client: &AuthenticatedClient,
        token: &AuthenticToken,
        now: Timestamp,
    ) -> Result<(), TokenError> {
        let Some(view) = self.store.grant(token.grant_id(), None, now).await? else { return Ok(()) };
        if view.grant.client_id != client.id {
            return Err(another_clients());
        }
        self.store.revoke_grant(&view.grant, EndReason::ClientRequest).await?;
        Ok(())
    }

    async fn access_token(
        &self,
        client: &AuthenticatedClient,
        claims: &AccessTokenClaims,
        now: Timestamp,
    ) -> Result<(), TokenError> {
        if claims.client_id != client.id.as_str() {
            return Err(another_clients());
        }
        let expires_at = Timestamp::from_unix_seconds(claims.exp);
        if expires_at > now {
            let grant = grant_of_jti(&claims.jti);
            self.store.revoke_access_token(&claims.jti, expires_at, &client.id, grant).await?;
        }
        Ok(())
    }
}

fn another_clients() -> TokenError {
    TokenError::unauthorized_client("the token was not issued to this client")
}
