//! UserInfo (OpenID Connect Core §5.3): what an app may know of the person at this very moment.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::access_token::{AccessTokenClaims, grant_of_jti};
use super::introspect::{is_registered_audience, verified_claims};
use super::released_claims::{Asked, released_claims};
use crate::clients::Registry;
use crate::grants::{available_scopes, effective_scopes};
use crate::jose::VerificationKeys;
use crate::keys::Pseudonyms;
use crate::model::Client;
use crate::protocol::BearerError;
use crate::protocol::scope::OPENID;
use crate::store::{GrantView, Store};
use crate::time::Timestamp;

/// What UserInfo reaches for.
pub struct UserInfo<'a> {
    /// The database.
    pub store: &'a Store,
    /// The registered clients, scopes and claims.
    pub registry: &'a Registry,
    /// The published keys.
    pub verification_keys: &'a VerificationKeys,
    /// What clients call people.
    pub pseudonyms: &'a Pseudonyms,
    /// The issuer.
    pub issuer: &'a str,
}

/// What is told, and to whom.
#[derive(Debug)]
pub struct UserInfoAnswer {
    /// The client that the token was issued to.
    pub client: Arc<Client>,
    /// The claims, `sub` among them.
    pub claims: Map<String, Value>,
}

/// The claims of a signed answer (§5.3.2). There is no `exp`, so that nobody takes it for an ID token.
#[derive(Debug, Serialize)]
pub struct SignedUserInfo<'a> {
    /// The issuer.
    pub iss: &'a str,
    /// The client.
    pub aud: &'a str,
    /// What the answer would be as JSON.
    #[serde(flatten)]
    pub claims: &'a Map<String, Value>,
}

impl UserInfo<'_> {
    /// What the bearer of this access token may know.
    ///
    /// # Errors
    /// As RFC 6750 §3.1 names them.
    pub async fn answer(&self, token: &str, now: Timestamp) -> Result<UserInfoAnswer, BearerError> {
        let claims = verified_claims(token, self.verification_keys, self.issuer).ok_or_else(|| {
            BearerError::invalid_token("the access token is not one that this server issued")
        })?;
        if claims.exp <= now.unix_seconds() {
            return Err(ended());
        }
        // §5.3.1: an access token of an OpenID Connect sign-in, whatever API it is for. A client's own speaks of nobody.
        if !claims.scope.split(' ').any(|scope| scope == OPENID) {
            return Err(BearerError::insufficient_scope(
                "the access token was issued without the scope openid",
            ));
        }
        let grant_id = grant_of_jti(&claims.jti).ok_or_else(ended)?;
        let view = self.store.grant_with_attributes(grant_id, &claims.jti, now).await?;
        let view = view.filter(|view| self.is_good(&claims, view)).ok_or_else(ended)?;
        let client = self.registry.client(self.store, &view.grant.client_id).await?.ok_or_else(ended)?;
        let told = self.told(&claims, &view, &client).ok_or_else(ended)?;
        Ok(UserInfoAnswer { client, claims: told })
    }

    fn is_good(&self, claims: &AccessTokenClaims, view: &GrantView) -> bool {
        view.is_alive()
            && claims.exp > view.now.unix_seconds()
            && is_registered_audience(claims, &view.client_audiences, self.issuer)
    }

    fn told(
        &self,
        claims: &AccessTokenClaims,
        view: &GrantView,
        client: &Client,
    ) -> Option<Map<String, Value>> {
        let scopes = self.registry.scopes();
        // The token may hold fewer scopes than the grant, and today's grant fewer than the token.
        let mut today = effective_scopes(view, &scopes);
        today.retain(|scope| claims.scope.split(' ').any(|one| one == scope));
        let asked = Asked {
            scopes: &today,
            by_name: &view.grant.claims.userinfo,
            available: &available_scopes(client, &view.roles, &scopes),
        };
        let mut told = released_claims(asked, view.attributes.as_ref()?, &self.registry.claims());
        told.insert("sub".to_owned(), self.pseudonyms.subject(client, view.grant.user_id).into());
        Some(told)
    }
}

fn ended() -> BearerError {
    BearerError::invalid_token("the access token has expired, or what it rests on has ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_answer_says_who_made_it_for_whom_and_has_no_end() {
        let claims = Map::from_iter([("sub".to_owned(), Value::from("ada"))]);
        let answer = SignedUserInfo { iss: "https://id.example", aud: "app", claims: &claims };
        let answer = serde_json::to_value(answer).unwrap();
        assert_eq!(answer, serde_json::json!({ "iss": "https://id.example", "aud": "app", "sub": "ada" }));
    }
}
