//! The pending authorization request, sealed, in the URL of the sign-in and consent pages.
//!
//! An anonymous request writes nothing, survives a restart, and any replica continues it. What is sealed says
//! what the client asked and when, and of what the person did only which session chose its account: replayed in
//! another browser it is no more than the authorization link itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::keys::{MasterKeys, Purpose};
use crate::model::SessionId;
use crate::protocol::AuthorizationRequest;
use crate::secret::{base64url, from_base64url};
use crate::time::Timestamp;

/// How long a person may take to sign in and agree.
pub const LIFETIME: Duration = Duration::from_secs(3_600);

const KEY_ID: usize = 8;

/// An authorization request with the time at which it came, by the database's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SealedRequest {
    /// What the client asked.
    pub request: AuthorizationRequest,
    /// The `sub` of the `id_token_hint` that came with it, verified: the person whom the request is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hinted_subject: Option<String>,
    /// The session whose person chose this account, on the page that only this session could send. Anywhere else it
    /// means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chosen_in: Option<SessionId>,
    /// Microseconds since 1970.
    requested_at: i64,
}

impl SealedRequest {
    /// A request that came at `requested_at`, by the database's clock.
    pub fn new(request: AuthorizationRequest, requested_at: Timestamp) -> Self {
        let requested_at = requested_at.unix_micros();
        Self { request, hinted_subject: None, chosen_in: None, requested_at }
    }

    /// The same request, for nobody but the person of this `sub` (OpenID Connect Core §3.1.2.1 `id_token_hint`).
    #[must_use]
    pub fn for_subject(self, hinted_subject: Option<String>) -> Self {
        Self { hinted_subject, ..self }
    }

    /// The same request, after the person of this session chose to go on with its account.
    #[must_use]
    pub fn chosen_in(self, session: SessionId) -> Self {
        Self { chosen_in: Some(session), ..self }
    }

    /// Whether the person of this session has chosen its account for this request.
    pub fn is_chosen_in(&self, session: SessionId) -> bool {
        self.chosen_in == Some(session)
    }

    /// When the request came, by the database's clock.
    pub fn requested_at(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.requested_at)
    }

    /// Master key id, hour, and the request encrypted under the key of that hour.
    pub fn seal(&self, keys: &MasterKeys) -> Result<String, serde_json::Error> {
        let key = keys.current();
        let hour = hour_of(self.requested_at());
        let sealed = key.seal(Purpose::SealedRequest, &hour, &serde_json::to_vec(self)?, key.id());
        Ok(base64url(&[&key.id()[..], &hour, &sealed].concat()))
    }

    /// What [`Self::seal`] made, if it is not older than [`LIFETIME`].
    pub fn open(text: &str, keys: &MasterKeys, now: Timestamp) -> Option<Self> {
        let bytes = from_base64url(text)?;
        let (key_id, rest) = bytes.split_first_chunk::<KEY_ID>()?;
        let (hour, sealed) = rest.split_first_chunk::<8>()?;
        let key = keys.by_id(key_id)?;
        let opened: Self =
            serde_json::from_slice(&key.open(Purpose::SealedRequest, hour, sealed, key_id)?).ok()?;
        (now < opened.requested_at() + LIFETIME).then_some(opened)
    }
}

fn hour_of(instant: Timestamp) -> [u8; 8] {
    instant.unix_seconds().div_euclid(3_600).to_be_bytes()
}

#[cfg(test)]
mod tests;
