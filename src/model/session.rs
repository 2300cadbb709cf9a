//! A signed-in browser.

use super::{SessionId, UserId};
use crate::time::Timestamp;

/// A server-side session, found by the hash of its cookie and alive when it was read.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its public identifier.
    pub id: SessionId,
    /// Who signed in.
    pub user_id: UserId,
    /// The name the person signs in with.
    pub username: String,
    /// When the person authenticated, by the database's clock.
    pub auth_time: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
}
