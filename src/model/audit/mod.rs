//! What the audit log holds: who did what to what, from where. When it was, the database's clock says.

mod details;
mod entry;
mod kind;

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{ClientId, Grant, GrantId, SessionId, UserId};
pub use details::{Details, EndReason};
pub use entry::AuditEntry;
pub use kind::{AuditEventKind, Outcome};

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who has not shown who it is.
    Anonymous,
    /// A person.
    User(UserId),
    /// A client that has authenticated, or a public one that said its name.
    Client(ClientId),
    /// Whoever runs a command, by the name of the operating system's account.
    Operator(String),
    /// Grantor itself.
    System,
}

impl Actor {
    /// The kind in a word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::Client(_) => "client",
            Self::Operator(_) => "operator",
            Self::System => "system",
        }
    }

    /// Which one of that kind.
    fn id(&self) -> Option<String> {
        match self {
            Self::User(id) => Some(id.to_string()),
            Self::Client(id) => Some(id.to_string()),
            Self::Operator(name) => Some(name.clone()),
            Self::Anonymous | Self::System => None,
        }
    }
}

/// For whom, and for somebody where, the store writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who acts, where the event itself does not say it better.
    pub actor: Actor,
    /// Where a request comes from; `None`: not from the network.
    pub address: Option<IpAddr>,
}

impl Origin {
    /// Grantor itself.
    pub const SYSTEM: Self = Self { actor: Actor::System, address: None };

    /// A request from this address.
    pub const fn request(address: IpAddr) -> Self {
        Self { actor: Actor::Anonymous, address: Some(address) }
    }

    /// A command that this account of the operating system runs.
    pub const fn command(account: String) -> Self {
        Self { actor: Actor::Operator(account), address: None }
    }
}

/// An event that is to be written. It has its kind from the start; the constructors say what it is about.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// What happened.
    pub kind: AuditEventKind,
    /// Who did it; `None`: the one for whom the store writes.
    actor: Option<Actor>,
    target: Option<(&'static str, String)>,
    user_id: Option<UserId>,
    client_id: Option<ClientId>,
    grant_id: Option<GrantId>,
    details: Option<Details>,
}

impl AuditEvent {
    /// About nothing in particular.
    pub const fn new(kind: AuditEventKind) -> Self {
        Self {
            kind,
            actor: None,
            target: None,
            user_id: None,
            client_id: None,
            grant_id: None,
            details: None,
        }
    }

    /// About something that has no constructor of its own.
    pub fn about(kind: AuditEventKind, what: &'static str, id: impl Into<String>) -> Self {
        Self { target: Some((what, id.into())), ..Self::new(kind) }
    }

    /// About an account.
    pub fn about_user(kind: AuditEventKind, id: UserId) -> Self {
        Self { user_id: Some(id), ..Self::about(kind, "user", id.to_string()) }
    }

    /// About a client.
    pub fn about_client(kind: AuditEventKind, id: &ClientId) -> Self {
        Self { client_id: Some(id.clone()), ..Self::about(kind, "client", id.as_str()) }
    }

    /// About a person's session.
    pub fn about_session(kind: AuditEventKind, id: SessionId, user: UserId) -> Self {
        Self { user_id: Some(user), ..Self::about(kind, "session", id.to_string()) }
    }

    /// About a person's grant to a client; the client acts.
    pub fn about_grant(kind: AuditEventKind, grant: &Grant) -> Self {
        Self {
            actor: Some(Actor::Client(grant.client_id.clone())),
            user_id: Some(grant.user_id),
            client_id: Some(grant.client_id.clone()),
            grant_id: Some(grant.id),
            ..Self::about(kind, "grant", grant.id.to_string())
        }
    }

    /// Done by this one, whoever the store writes for.
    #[must_use]
    pub fn by(self, actor: Actor) -> Self {
        Self { actor: Some(actor), ..self }
    }

    /// Concerns this client, too.
    #[must_use]
    pub fn of_client(self, client: &ClientId) -> Self {
        Self { client_id: Some(client.clone()), ..self }
    }

    /// Concerns this grant, too.
    #[must_use]
    pub fn of_grant(self, grant: Option<GrantId>) -> Self {
        Self { grant_id: grant, ..self }
    }

    /// With what this kind of event has beyond that.
    #[must_use]
    pub fn with(self, details: Details) -> Self {
        Self { details: Some(details), ..self }
    }

    /// With why something ended.
    #[must_use]
    pub fn because(self, reason: EndReason) -> Self {
        self.with(Details::Reason { reason })
    }

    /// The person whom it concerns.
    pub const fn user_id(&self) -> Option<UserId> {
        self.user_id
    }

    /// The client that it concerns.
    pub const fn client_id(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }

    /// The grant that it concerns.
    pub const fn grant_id(&self) -> Option<GrantId> {
        self.grant_id
    }

    /// The columns of its row but for id and time.
    pub fn columns(&self, origin: &Origin) -> Value {
        let actor = self.actor.as_ref().unwrap_or(&origin.actor);
        json!({
            "event": self.kind.as_str(),
            "outcome": self.kind.outcome().as_str(),
            "actor_kind": actor.kind(),
            "actor_id": actor.id(),
            "target_kind": self.target.as_ref().map(|(kind, _)| kind),
            "target_id": self.target.as_ref().map(|(_, id)| id),
            "user_id": self.user_id,
            "client_id": self.client_id,
            "grant_id": self.grant_id,
            "address": origin.address.map(|address| address.to_canonical()),
            "details": self.details,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_knows_the_actor_better_than_the_store() {
        let address: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        let user = UserId::random();
        let event = AuditEvent::about_user(AuditEventKind::PasswordChanged, user);
        let columns = event.columns(&Origin::request(address));
        assert_eq!((&columns["actor_kind"], &columns["actor_id"]), (&json!("anonymous"), &Value::Null));
        assert_eq!(columns["address"], "192.0.2.1");
        let columns = event.by(Actor::User(user)).columns(&Origin::request(address));
        assert_eq!((&columns["actor_kind"], &columns["actor_id"]), (&json!("user"), &json!(user)));
    }

    #[test]
    fn an_operator_has_a_name_and_no_address() {
        let event = AuditEvent::about(AuditEventKind::RoleDeleted, "role", "editor");
        let columns = event.columns(&Origin::command("alice".to_owned()));
        let expected = json!({
            "event": "role.deleted", "outcome": "success", "actor_kind": "operator", "actor_id": "alice",
            "target_kind": "role", "target_id": "editor", "user_id": null, "client_id": null, "grant_id": null,
            "address": null, "details": null,
        });
        assert_eq!(columns, expected);
    }
}
