//! Minting: a validated token request becomes signed tokens.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::access_token::{AccessTokenClaims, Audience, random_jti};
use super::id_token::{IdTokenClaims, at_hash};
use super::released_claims::{Asked, released_claims};
use crate::clients::ClaimCatalogue;
use crate::config::Tokens;
use crate::grants::{Approved, IdTokenFor, PersonalClaims, Subject, ValidatedTokenRequest};
use crate::jose::{AccessToken, Algorithm, IdToken, TokenType};
use crate::keys::{KeyError, KeySet, Pseudonyms, Signer};
use crate::protocol::authentication_context::{PASSWORD_ACR, PASSWORD_AMR};
use crate::protocol::{TokenError, TokenResponse, TokenType as ResponseTokenType};
use crate::secret::Secret;
use crate::time::Timestamp;

/// Mints the tokens of one answer.
pub struct Mint<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// The keys of this moment.
    pub keys: &'a KeySet,
    /// This moment, by the clock that keys live by.
    pub key_time: Timestamp,
    /// What clients call people and sessions.
    pub pseudonyms: &'a Pseudonyms,
    /// Configured lifetimes.
    pub lifetimes: &'a Tokens,
    /// The claims about people.
    pub claims: Arc<ClaimCatalogue>,
}

impl Mint<'_> {
    /// The answer of RFC 6749 §5.1.
    ///
    /// # Errors
    /// `server_error` if signing fails.
    pub async fn issue(
        &self,
        validated: ValidatedTokenRequest,
        now: Timestamp,
    ) -> Result<TokenResponse, TokenError> {
        let approved = validated.into_approved();
        let claims = self.access_token_claims(&approved, now);
        let signer = self.signer(approved.client.access_token_signing_alg)?;
        let access_token = sign::<AccessToken>(&approved.subject, signer, &claims).await?;
        let id_token = match &approved.id_token {
            Some(details) => self.id_token(&approved, details, &access_token, now).await?,
            None => None,
        };
        let (refresh_token, refresh_token_expires_in) = match approved.refresh_token {
            Some(issued) => (Some(issued.token), Some(issued.expires_in.as_secs())),
            None => (None, None),
        };
        Ok(TokenResponse {
            access_token: Secret::new(access_token),
            expires_in: u64::try_from(claims.exp - claims.iat).unwrap_or(0),
            scope: approved.scopes.iter().collect(),
            token_type: ResponseTokenType::Bearer,
            refresh_token,
            refresh_token_expires_in,
            id_token: id_token.map(Secret::new),
        })
    }

    fn access_token_claims(&self, approved: &Approved, now: Timestamp) -> AccessTokenClaims {
        let client = &approved.client;
        let lifetime = client.access_token_lifetime.unwrap_or(self.lifetimes.access_token_lifetime);
        let (sub, grant_id, auth_time, roles, exp) = match &approved.subject {
            Subject::User { id, grant_id, auth_time, roles, ends_at } => (
                self.pseudonyms.subject(client, *id),
                Some(*grant_id),
                Some(auth_time.unix_seconds()),
                roles.clone(),
                (now + lifetime).min(*ends_at),
            ),
            Subject::Client => (client.id.to_string(), None, None, Vec::new(), now + lifetime),
        };
        AccessTokenClaims {
            iss: self.issuer.to_owned(),
            sub,
            aud: Audience::new(approved.audience.clone()),
            exp: exp.unix_seconds(),
            iat: now.unix_seconds(),
            jti: random_jti(grant_id),
            client_id: client.id.to_string(),
            scope: approved.scopes.join(" "),
            auth_time,
            roles,
        }
    }

    async fn id_token(
        &self,
        approved: &Approved,
        details: &IdTokenFor,
        access_token: &str,
        now: Timestamp,
    ) -> Result<Option<String>, TokenError> {
        let Subject::User { id, auth_time, .. } = &approved.subject else { return Ok(None) };
        let client = &approved.client;
        let lifetime: Duration = self.lifetimes.id_token_lifetime;
        let signer = self.signer(client.id_token_signed_response_alg)?;
        let claims = IdTokenClaims {
            iss: self.issuer.to_owned(),
            sub: self.pseudonyms.subject(client, *id),
            aud: client.id.to_string(),
            exp: (now + lifetime).unix_seconds(),
            iat: now.unix_seconds(),
            auth_time: auth_time.unix_seconds(),
            nonce: details.nonce.clone(),
            acr: PASSWORD_ACR,
            amr: PASSWORD_AMR,
            azp: client.id.to_string(),
            sid: details.session.map(|session| self.pseudonyms.session(&client.id, session)),
            at_hash: at_hash(access_token, signer.alg()),
            requested: self.requested_claims(details),
        };
        sign::<IdToken>(&approved.subject, signer, &claims).await.map(Some)
    }

    /// OpenID Connect Core §5.4: by scopes an ID token tells nothing, since UserInfo does.
    fn requested_claims(&self, details: &IdTokenFor) -> Map<String, Value> {
        let Some(PersonalClaims { by_name, available, attributes }) = &details.personal else {
            return Map::new();
        };
        released_claims(Asked { scopes: &[], by_name, available }, attributes, &self.claims)
    }

    /// The key for what a client is registered for; RS256 where it is registered for nothing else.
    fn signer(&self, alg: Option<Algorithm>) -> Result<&Signer, TokenError> {
        Ok(self.keys.signer(alg.unwrap_or_default(), self.key_time).map_err(not_signed)?)
    }
}

async fn sign<T: TokenType>(
    subject: &Subject,
    signer: &Signer,
    claims: &impl Serialize,
) -> Result<String, TokenError> {
    // What was committed together is ready together. Signed in one go, a quarter of a millisecond each, it would leave
    // the disk idle: others could send their statements only afterwards. Who yields goes on after the sockets were
    // looked at. A client's own token has waited for no statement, and goes on at once.
    if let Subject::User { .. } = subject {
        tokio::task::yield_now().await;
    }
    signer.sign_jwt::<T>(claims).await.map_err(not_signed)
}

fn not_signed(error: KeyError) -> TokenError {
    TokenError::server_error("the token could not be signed").with_source(error)
}
