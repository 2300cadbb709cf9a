//! A message to an app that a session has ended.

use serde::Serialize;
use uuid::Uuid;

use super::{ClientId, SessionId, UserId};
use crate::time::Timestamp;

/// A logout token that is to be sent to one client, or was (OpenID Connect Back-Channel Logout §2.5).
#[derive(Debug, Clone, Serialize)]
pub struct LogoutDelivery {
    /// The token's `jti`.
    pub id: Uuid,
    /// Whom it is for.
    pub client_id: ClientId,
    /// Whose session ended.
    pub user_id: UserId,
    /// The session.
    pub session_id: SessionId,
    /// When it ended, by the database's clock.
    pub created_at: Timestamp,
    /// How often it was sent, the attempt under way included.
    pub attempts: i32,
    /// When it is sent again; `None`: it was delivered, was given up, or has become pointless.
    pub next_attempt_at: Option<Timestamp>,
    /// When the app took it.
    pub delivered_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}
