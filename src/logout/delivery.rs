//! Sending one logout token (OpenID Connect Back-Channel Logout §2.5), and what comes of it.

use std::sync::Arc;
use std::time::Duration;

use super::logout_token::LogoutTokenClaims;
use super::schedule::retry_after;
use crate::clients::Registry;
use crate::jose::LogoutToken;
use crate::keys::{KeyError, Keys, Pseudonyms};
use crate::model::{Client, LogoutDelivery};
use crate::outgoing::{Outgoing, OutgoingError};
use crate::secret::random_bytes;
use crate::store::{Store, StoreError};
use crate::telemetry::events;
use crate::time::Timestamp;

/// How long an app may take to answer.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);

/// What sending a logout token reaches for.
pub struct Deliverer<'a> {
    /// The database.
    pub store: &'a Store,
    /// The registered clients.
    pub registry: &'a Registry,
    /// The signing keys.
    pub keys: &'a Keys,
    /// The names that clients have for people and sessions.
    pub pseudonyms: &'a Pseudonyms,
    /// The way out.
    pub outgoing: &'a Outgoing,
    /// The issuer.
    pub issuer: &'a str,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The app has taken it.
    Delivered,
    /// It has not, and is told again.
    Failed,
    /// It has not, and is told no more.
    GivenUp,
    /// There is nobody to tell: the client is gone, is switched off, or wants to be told no more.
    Pointless,
}

/// Why a logout token did not arrive. For operators.
#[derive(Debug, thiserror::Error)]
enum NotDelivered {
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    #[error("the app answered with {0} and not with 200")]
    Status(u16),
    #[error("the logout token could not be signed: {0}")]
    NotSigned(#[from] KeyError),
}

impl Deliverer<'_> {
    /// Sends a claimed logout token and writes down what came of it. `now` is read when the claim was made.
    ///
    /// # Errors
    /// If the database cannot be asked; the claim then ends by itself.
    pub async fn deliver(&self, delivery: &LogoutDelivery, now: Timestamp) -> Result<Outcome, StoreError> {
        let client = self.registry.client(self.store, &delivery.client_id).await?;
        let client = client.filter(|client| client.disabled_at.is_none());
        let Some((client, uri)) = client.as_ref().and_then(addressee) else {
            let nobody = "the client is gone, is switched off, or has no backchannel_logout_uri any more";
            self.store.logout_was_not_delivered(delivery, nobody, None).await?;
            return Ok(Outcome::Pointless);
        };
        match self.send(delivery, client, uri, now).await {
            Ok(()) => {
                self.store.logout_was_delivered(delivery).await?;
                events::logout_delivered();
                Ok(Outcome::Delivered)
            }
            Err(error) => self.not_delivered(delivery, &error).await,
        }
    }

    async fn send(
        &self,
        delivery: &LogoutDelivery,
        client: &Client,
        uri: &str,
        now: Timestamp,
    ) -> Result<(), NotDelivered> {
        let token = self.logout_token(delivery, client, now).await?;
        let form =
            form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
        // §2.8 of the specification: 200, and 204 from frameworks that know nothing to say.
        match self.outgoing.post(uri, form, TIME_LIMIT).await? {
            200 | 204 => Ok(()),
            status => Err(NotDelivered::Status(status)),
        }
    }

    /// Made anew for each attempt: it is good for two minutes, by whichever clock is behind.
    async fn logout_token(
        &self,
        delivery: &LogoutDelivery,
        client: &Client,
        now: Timestamp,
    ) -> Result<String, KeyError> {
        let now = self.registry.earlier_time(now);
        let claims = LogoutTokenClaims::new(self.issuer, delivery, client, self.pseudonyms, now);
        // §2.6: with what the client's ID tokens are signed with.
        let alg = client.id_token_signed_response_alg.unwrap_or_default();
        let key_time = self.registry.database_time();
        let keys = self.keys.with(&[alg], self.store, key_time).await?;
        keys.signer(alg, key_time)?.sign_jwt::<LogoutToken>(&claims).await
    }

    /// A 400 (§2.8) is no reason to stop: it also says that the app's own logout failed.
    async fn not_delivered(
        &self,
        delivery: &LogoutDelivery,
        error: &NotDelivered,
    ) -> Result<Outcome, StoreError> {
        let [chance] = random_bytes();
        let reason = error.to_string();
        match retry_after(delivery.attempts, chance) {
            Some(wait) => {
                self.store.logout_was_not_delivered(delivery, &reason, Some(wait)).await?;
                events::logout_not_delivered(delivery.client_id.as_str(), delivery.attempts, &reason);
                Ok(Outcome::Failed)
            }
            None => {
                if self.store.give_up_logout_delivery(delivery, &reason).await? {
                    events::logout_given_up(delivery.client_id.as_str(), &delivery.id, &reason);
                }
                Ok(Outcome::GivenUp)
            }
        }
    }
}

fn addressee(client: &Arc<Client>) -> Option<(&Client, &str)> {
    client.logout().backchannel_logout_uri.as_deref().map(|uri| (client.as_ref(), uri))
}
