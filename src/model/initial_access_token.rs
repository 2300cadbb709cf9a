//! What lets somebody register clients.

use uuid::Uuid;

use crate::time::Timestamp;

/// An initial access token (RFC 7591 §3), without the token itself.
#[derive(Debug, Clone)]
pub struct InitialAccessToken {
    /// Its identifier, which is no secret.
    pub id: Uuid,
    /// Whom or what it was made for, in the operator's words.
    pub name: String,
    /// How many clients may still be registered with it; `None`: any number.
    pub uses_left: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}
