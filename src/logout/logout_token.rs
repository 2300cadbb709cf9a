//! The claims of logout tokens (OpenID Connect Back-Channel Logout §2.4).

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::keys::Pseudonyms;
use crate::model::{Client, LogoutDelivery};
use crate::time::Timestamp;

/// §4 of the specification recommends two minutes at most.
const LIFETIME: Duration = Duration::from_secs(120);

/// The member of `events` that makes it a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a client is told. There is no `nonce`: that would make an ID token of it.
#[derive(Debug, Serialize)]
pub struct LogoutTokenClaims {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: Uuid,
    events: Value,
    sid: String,
}

impl LogoutTokenClaims {
    /// What this client is told of the end of a session, in the names that it has for person and session. The `jti`
    /// is the same at each attempt, so that a client which has seen it knows the rest.
    pub fn new(
        issuer: &str,
        delivery: &LogoutDelivery,
        client: &Client,
        pseudonyms: &Pseudonyms,
        now: Timestamp,
    ) -> Self {
        Self {
            iss: issuer.to_owned(),
            sub: pseudonyms.subject(client, delivery.user_id),
            aud: client.id.to_string(),
            iat: now.unix_seconds(),
            exp: (now + LIFETIME).unix_seconds(),
            jti: delivery.id,
            events: json!({ EVENT: {} }),
            sid: pseudonyms.session(&client.id, delivery.session_id),
        }
    }
}
