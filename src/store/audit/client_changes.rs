//! What was changed of a client: found by comparing rows, so that a new column is not forgotten.

use serde_json::Value;

use crate::model::{AuditEvent, AuditEventKind, ClientId, Details};
use crate::store::{StoreError, Transaction};

/// All columns of a client by their names, but for those that change by the way, for [`client_changes`].
pub async fn client_row(transaction: &mut Transaction, id: &ClientId) -> Result<Value, StoreError> {
    let row = sqlx::query_scalar!(
        r#"SELECT to_jsonb(clients) - 'updated_at' - 'unused_since' - 'registration_token_hash'
               - 'previous_registration_token_hash' AS "row!"
           FROM clients WHERE client_id = $1"#,
        id.as_str(),
    )
    .fetch_one(&mut *transaction)
    .await?;
    Ok(row)
}

/// What a change of a client is in the audit log: the names of the columns with another value, and whether the
/// client was switched off or on.
pub fn client_changes(id: &ClientId, before: &Value, after: &Value) -> Vec<AuditEvent> {
    let names = after.as_object().into_iter().flatten();
    let changed = names.filter(|(name, value)| before.get(name.as_str()) != Some(value));
    let (switched, changed): (Vec<_>, Vec<_>) =
        changed.map(|(name, _)| name.clone()).partition(|name| name == "disabled_at");
    let on = after["disabled_at"].is_null();
    let kind = if on { AuditEventKind::ClientEnabled } else { AuditEventKind::ClientDisabled };
    let switched = switched.iter().map(|_| AuditEvent::about_client(kind, id));
    let changed = (!changed.is_empty()).then(|| {
        AuditEvent::about_client(AuditEventKind::ClientChanged, id).with(Details::Changed { changed })
    });
    switched.chain(changed).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(before: Value, after: Value) -> Vec<&'static str> {
        let events = client_changes(&ClientId::from("c".to_owned()), &before, &after);
        events.iter().map(|event| event.kind.as_str()).collect()
    }

    #[test]
    fn switching_is_an_event_of_its_own() {
        let client = |name, disabled_at: Option<&str>| json!({ "name": name, "disabled_at": disabled_at });
        assert!(named(client("a", None), client("a", None)).is_empty());
        assert_eq!(named(client("a", None), client("b", None)), ["client.changed"]);
        assert_eq!(named(client("a", None), client("a", Some("now"))), ["client.disabled"]);
        assert_eq!(named(client("a", Some("now")), client("b", None)), ["client.enabled", "client.changed"]);
    }
}
