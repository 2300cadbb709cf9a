//! Events for people.

use serde_json::Value;

use crate::cli::output::table;
use crate::model::AuditEntry;

/// A table of events.
pub fn list(entries: &[AuditEntry]) -> String {
    let rows = entries.iter().map(|entry| {
        [
            entry.occurred_at.to_string(),
            entry.event.clone(),
            actor(entry),
            target(entry),
            entry.address.clone().unwrap_or_default(),
            entry.details.as_ref().map(details).unwrap_or_default(),
        ]
    });
    let head = ["time", "event", "by", "what", "from", "details"];
    table(head, rows.collect(), "No events. To look further back: grantor audit list --since 30d")
}

fn actor(entry: &AuditEntry) -> String {
    let user = entry.user_id.map(|id| id.to_string());
    match (&entry.actor_id, &entry.username) {
        (Some(id), Some(name)) if entry.actor_kind == "user" && Some(id) == user.as_ref() => {
            format!("user {name}")
        }
        (Some(id), _) => format!("{} {id}", entry.actor_kind),
        (None, _) => entry.actor_kind.clone(),
    }
}

/// What it was done to, and of whom that is.
fn target(entry: &AuditEntry) -> String {
    let person = entry.username.clone().or_else(|| entry.user_id.map(|id| id.to_string()));
    match (entry.target_kind.as_deref(), &entry.target_id, person) {
        (Some("user"), _, Some(person)) => format!("user {person}"),
        (Some(kind), Some(id), Some(person)) => format!("{kind} {id} of {person}"),
        (Some(kind), Some(id), None) => format!("{kind} {id}"),
        (_, _, Some(person)) => format!("user {person}"),
        _ => String::new(),
    }
}

/// `name=value`, lists joined by commas.
fn details(details: &Value) -> String {
    let pairs = details.as_object().into_iter().flatten();
    pairs.map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(" ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::UserId;
    use crate::time::Timestamp;

    fn entry() -> AuditEntry {
        AuditEntry {
            id: uuid::Uuid::nil(),
            occurred_at: Timestamp::from_unix_seconds(0),
            event: "grant.revoked".to_owned(),
            outcome: "success".to_owned(),
            actor_kind: "client".to_owned(),
            actor_id: Some("c1".to_owned()),
            target_kind: Some("grant".to_owned()),
            target_id: Some("g1".to_owned()),
            user_id: Some(UserId::from_bytes([1; 16])),
            client_id: None,
            grant_id: None,
            address: Some("192.0.2.1".to_owned()),
            details: Some(json!({ "reason": "client_request" })),
            username: Some("alice".to_owned()),
        }
    }

    #[test]
    fn an_event_is_a_line_with_names_where_there_are_some() {
        let line = list(&[entry()]).lines().last().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            line,
            "1970-01-01T00:00:00Z grant.revoked client c1 grant g1 of alice 192.0.2.1 reason=client_request"
        );
        let user = Some(UserId::from_bytes([1; 16]).to_string());
        let own = AuditEntry { actor_kind: "user".to_owned(), actor_id: user, ..entry() };
        assert_eq!(actor(&own), "user alice");
        let deleted = AuditEntry { username: None, target_kind: Some("user".to_owned()), ..entry() };
        assert_eq!(target(&deleted), "user 01010101-0101-0101-0101-010101010101");
        assert_eq!(
            details(&json!({ "changed": ["name", "scopes"], "applied": 2 })),
            "applied=2 changed=name,scopes"
        );
    }
}
