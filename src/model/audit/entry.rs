//! An event as it is read.

use serde::Serialize;
use serde_json::Value;

use crate::model::{ClientId, GrantId, UserId};
use crate::time::Timestamp;

/// An event as it stands in the log.
#[derive(Debug, Clone, Serialize)]
pub struct AuditEntry {
    /// Its identifier; later events have greater ones.
    pub id: uuid::Uuid,
    /// When it was, by the database's clock.
    pub occurred_at: Timestamp,
    /// What happened: a name of [`AuditEventKind`], or one of a later release.
    pub event: String,
    /// `success` or `failure`.
    pub outcome: String,
    /// `user`, `client`, `operator`, `anonymous` or `system`.
    pub actor_kind: String,
    /// Which one of them.
    pub actor_id: Option<String>,
    /// What kind of thing it was done to.
    pub target_kind: Option<String>,
    /// Which one of them.
    pub target_id: Option<String>,
    /// The person whom it concerns.
    pub user_id: Option<UserId>,
    /// The client that it concerns.
    pub client_id: Option<ClientId>,
    /// The grant that it concerns.
    pub grant_id: Option<GrantId>,
    /// Where the request came from.
    pub address: Option<String>,
    /// What this kind of event has beyond that.
    pub details: Option<Value>,
    /// The name that the person has today.
    pub username: Option<String>,
}
