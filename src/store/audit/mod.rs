//! The audit log: written with what it records, read by time.
//!
//! A change of one statement takes its events along by [`audited`]; one of several statements records them in its
//! transaction. So a change that was acknowledged has its events, and one that was rolled back has none. What was
//! refused changed nothing and is recorded by itself, within the bounds of [`Flood`].

mod client_changes;
mod flood;

use std::num::NonZeroU32;

use serde_json::Value;
use sqlx::PgExecutor;
use sqlx::postgres::PgQueryResult;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::model::{Actor, AuditEntry, AuditEvent, AuditEventKind, ClientId, Origin, UserId, first_id_at};
use crate::telemetry::events;
use crate::time::Timestamp;

pub(super) use client_changes::{client_changes, client_row};
pub(super) use flood::Flood;

/// A write and its events in one statement: `$ctes` are the queries of its `WITH`, one of them named `written`, and
/// each row of `written` is recorded with each of the events, which are `$1`. A column of `written` that is named
/// like one of the log's says it where the event cannot. The rows affected are those of the log.
macro_rules! audited {
    ($ctes:literal, $events:expr $(, $argument:expr)* $(,)?) => {
        sqlx::query!(
            "WITH " + $ctes + "
             INSERT INTO audit_events
             SELECT row.*
             FROM written, jsonb_array_elements($1::jsonb) AS columns, audit_event(columns || to_jsonb(written)) AS row",
            $events
            $(, $argument)*
        )
    };
}
pub(super) use audited;

/// Which events to read.
#[derive(Debug, Clone)]
pub struct AuditQuery {
    /// From this time on.
    pub since: Timestamp,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Only of these kinds; empty: of all.
    pub kinds: Vec<AuditEventKind>,
    /// Only what concerns this person.
    pub user_id: Option<UserId>,
    /// Only what concerns this client.
    pub client_id: Option<ClientId>,
    /// At most so many, the newest.
    pub limit: NonZeroU32,
}

impl Store {
    /// The same database, written to on behalf of somebody else.
    #[must_use]
    pub fn on_behalf_of(&self, origin: Origin) -> Self {
        Self { origin, ..self.clone() }
    }

    /// The same, in the name of somebody whom this change has shown.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        self.on_behalf_of(Origin { actor, ..self.origin.clone() })
    }

    /// The events as [`audited`] takes them.
    pub(super) fn audit(&self, events: &[AuditEvent]) -> Value {
        columns(&self.origin, events)
    }

    /// Records what changed nothing in the database.
    pub async fn record(&self, event: AuditEvent) -> Result<(), StoreError> {
        record(&self.pool, &self.origin, std::slice::from_ref(&event)).await?;
        announce(&event);
        Ok(())
    }

    /// Records a refusal that a stranger can bring about at will: within bounds, beyond which it is only counted. A
    /// failure to write it is no reason for another answer.
    /// `named` is what the stranger named, known or not: the bounds are the same, and so is the time that it takes.
    pub async fn record_refusal(&self, event: AuditEvent, named: &str) {
        announce(&event);
        if self.flood.admits(event.kind, self.origin.address, named)
            && let Err(error) = self.record_soon(&event).await
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(event = event.kind.as_str(), error, "a refusal is not in the audit log");
        }
    }

    /// Nobody waits for the disk: what a crash of the database loses is the last second's refusals.
    async fn record_soon(&self, event: &AuditEvent) -> Result<(), StoreError> {
        sqlx::query!(
            "INSERT INTO audit_events
             SELECT row.* FROM (SELECT set_config('synchronous_commit', 'off', true)) AS soon,
                 jsonb_array_elements($1::jsonb) AS columns, audit_event(columns) AS row",
            self.audit(std::slice::from_ref(event)),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Events, the oldest first.
    pub async fn audit_events(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let kinds: Vec<String> = query.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
        let mut rows = sqlx::query_as!(
            Row,
            r#"SELECT audit_events.id, occurred_at, event, outcome, actor_kind, actor_id, target_kind, target_id, user_id,
                 client_id, grant_id, host(address) AS address, details, users.username AS "username?"
             FROM audit_events
             LEFT JOIN users ON users.id = user_id
             WHERE audit_events.id >= $1 AND ($2::uuid IS NULL OR audit_events.id < $2)
                 AND ($3::text[] = '{}' OR event = ANY($3))
                 AND ($4::uuid IS NULL OR user_id = $4)
                 AND ($5::text IS NULL OR client_id = $5)
             ORDER BY audit_events.id DESC LIMIT $6"#,
            first_id_at(query.since),
            query.until.map(first_id_at),
            &kinds,
            query.user_id.map(UserId::as_uuid),
            query.client_id.as_ref().map(ClientId::as_str),
            i64::from(query.limit.get()),
        )
        .fetch_all(&self.pool)
        .await?;
        rows.reverse();
        Ok(rows.into_iter().map(AuditEntry::from).collect())
    }
}

/// Whether an [`audited`] write was done; if so, log and metrics are told.
pub(super) fn done(written: &PgQueryResult, events: &[AuditEvent]) -> bool {
    let done = written.rows_affected() > 0;
    if done {
        events.iter().for_each(announce);
    }
    done
}

/// Records events, in the transaction of a change if the executor is one. No kind that [`announce`] knows is
/// recorded so: it would be told of before it is certain.
pub(super) async fn record(
    executor: impl PgExecutor<'_>,
    origin: &Origin,
    events: &[AuditEvent],
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO audit_events
         SELECT row.* FROM jsonb_array_elements($1::jsonb) AS columns, audit_event(columns) AS row",
        columns(origin, events),
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// The events as [`audited`] takes them, on somebody's behalf.
pub(super) fn columns(origin: &Origin, events: &[AuditEvent]) -> Value {
    events.iter().map(|event| event.columns(origin)).collect()
}

/// Tells log and metrics of what is written: the one place from which those events get there that have a line or
/// a count, too.
fn announce(event: &AuditEvent) {
    match (event.kind, event.client_id(), event.grant_id()) {
        (AuditEventKind::SignInSucceeded, ..) => events::signed_in("signed_in"),
        (AuditEventKind::SignInFailed, ..) => events::signed_in("not_recognized"),
        (AuditEventKind::SignInThrottled, ..) => events::signed_in("throttled"),
        (AuditEventKind::CodeReused, Some(client), Some(grant)) => {
            events::authorization_code_reused(client.as_str(), &grant);
        }
        (AuditEventKind::RefreshTokenReused, Some(client), Some(grant)) => {
            events::refresh_token_reused(client.as_str(), &grant);
        }
        _ => {}
    }
}

struct Row {
    id: Uuid,
    occurred_at: time::OffsetDateTime,
    event: String,
    outcome: String,
    actor_kind: String,
    actor_id: Option<String>,
    target_kind: Option<String>,
    target_id: Option<String>,
    user_id: Option<Uuid>,
    client_id: Option<String>,
    grant_id: Option<Uuid>,
    address: Option<String>,
    details: Option<Value>,
    username: Option<String>,
}

impl From<Row> for AuditEntry {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            occurred_at: row.occurred_at.into(),
            event: row.event,
            outcome: row.outcome,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            target_kind: row.target_kind,
            target_id: row.target_id,
            user_id: row.user_id.map(UserId::from),
            client_id: row.client_id.map(ClientId::from),
            grant_id: row.grant_id.map(Into::into),
            address: row.address,
            details: row.details,
            username: row.username,
        }
    }
}
