//! Messages to apps whose person's session has ended (OpenID Connect Back-Channel Logout §2.5), laid out by what ended it
//! and sent until one arrives.
//!
//! Whoever sends one claims it by a lease in its row: it is due again when the lease ends, so that one that was being
//! sent by a process that died is sent by another. A claim is known by when its lease ends, and what came of it is
//! written only if no other claim followed and nobody wanted it sent again meanwhile.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use super::audit::{self, audited};
use super::{Store, StoreError, interval};
use crate::model::{AuditEvent, AuditEventKind, ClientId, LogoutDelivery, SessionId, UserId};
use crate::time::Timestamp;

/// Which deliveries are listed.
#[derive(Debug, Clone)]
pub struct LogoutDeliveryQuery {
    /// Only those to this client.
    pub client_id: Option<ClientId>,
    /// Only those that are still to be sent.
    pub pending: bool,
    /// At most so many, the newest.
    pub limit: u32,
}

/// What waits in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingDeliveries {
    /// How many.
    pub count: u64,
    /// How long the oldest has waited.
    pub oldest: Duration,
}

/// The one list of columns that a [`Row`] has.
macro_rules! deliveries {
    ($head:literal + columns + $tail:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            $head + " d.id, d.client_id, d.user_id, d.session_id, d.created_at, d.attempts, d.next_attempt_at,
                d.delivered_at, d.last_error " + $tail,
            $($argument),*
        )
    };
}

impl Store {
    /// Claims the delivery that has been due for the longest, but none to these clients, for as long as `lease`.
    /// Others that look at the same moment get another one.
    pub async fn claim_logout_delivery(
        &self,
        except: &[String],
        lease: Duration,
    ) -> Result<Option<LogoutDelivery>, StoreError> {
        let row = deliveries!(
            "WITH due AS (
                 SELECT id FROM logout_deliveries
                 WHERE next_attempt_at IS NOT NULL AND next_attempt_at <= statement_timestamp()
                     AND client_id <> ALL ($1)
                 ORDER BY next_attempt_at LIMIT 1
                 FOR UPDATE SKIP LOCKED
             )
             UPDATE logout_deliveries d
             SET attempts = attempts + 1, next_attempt_at = clock_timestamp() + $2::interval
             FROM due WHERE d.id = due.id
             RETURNING "
                + columns
                + "",
            except,
            interval(lease)
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(LogoutDelivery::from))
    }

    /// The app has taken the message.
    pub async fn logout_was_delivered(&self, delivery: &LogoutDelivery) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE logout_deliveries
             SET next_attempt_at = NULL, delivered_at = clock_timestamp(), last_error = NULL
             WHERE id = $1 AND delivered_at IS NULL",
            delivery.id,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The message did not arrive: it is sent again after a while, or, without one, no more.
    pub async fn logout_was_not_delivered(
        &self,
        delivery: &LogoutDelivery,
        error: &str,
        again_after: Option<Duration>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE logout_deliveries SET next_attempt_at = clock_timestamp() + $3::interval, last_error = $4
             WHERE id = $1 AND next_attempt_at = $2",
            delivery.id,
            delivery.next_attempt_at.map(Timestamp::to_datetime),
            again_after.map(interval) as Option<PgInterval>,
            error,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The last attempt has failed; that is worth an entry in the audit log. Whether this was the one to say so.
    pub async fn give_up_logout_delivery(
        &self,
        delivery: &LogoutDelivery,
        error: &str,
    ) -> Result<bool, StoreError> {
        let event = AuditEvent::about_session(
            AuditEventKind::LogoutNotDelivered,
            delivery.session_id,
            delivery.user_id,
        )
        .of_client(&delivery.client_id);
        let given_up = audited!(
            "written AS (
                 UPDATE logout_deliveries SET next_attempt_at = NULL, last_error = $4
                 WHERE id = $2 AND next_attempt_at = $3
                 RETURNING user_id
             )",
            self.audit(std::slice::from_ref(&event)),
            delivery.id,
            delivery.next_attempt_at.map(Timestamp::to_datetime),
            error,
        )
        .execute(&self.pool)
        .await?;
        Ok(audit::done(&given_up, &[event]))
    }

    /// What waits to be sent, or to be sent again.
    pub async fn waiting_logout_deliveries(&self) -> Result<WaitingDeliveries, StoreError> {
        let row = sqlx::query!(
            r#"SELECT count(*) AS "count!",
                   coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::double precision AS "oldest!"
               FROM logout_deliveries WHERE next_attempt_at IS NOT NULL"#
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(WaitingDeliveries {
            count: row.count.unsigned_abs(),
            oldest: Duration::try_from_secs_f64(row.oldest).unwrap_or_default(),
        })
    }

    /// Deliveries, the newest last.
    pub async fn logout_deliveries(
        &self,
        query: &LogoutDeliveryQuery,
    ) -> Result<Vec<LogoutDelivery>, StoreError> {
        let mut rows = deliveries!(
            "SELECT"
                + columns
                + "FROM logout_deliveries d
             WHERE ($1::text IS NULL OR client_id = $1) AND (NOT $2 OR next_attempt_at IS NOT NULL)
             ORDER BY created_at DESC LIMIT $3",
            query.client_id.as_ref().map(ClientId::as_str),
            query.pending,
            i64::from(query.limit)
        )
        .fetch_all(&self.pool)
        .await?;
        rows.reverse();
        Ok(rows.into_iter().map(LogoutDelivery::from).collect())
    }

    /// Lets what was not delivered be sent now, with all attempts before it again: one delivery, or all to one client,
    /// or all. How many there are.
    pub async fn retry_logout_deliveries(
        &self,
        id: Option<Uuid>,
        client: Option<&ClientId>,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query!(
            "UPDATE logout_deliveries SET next_attempt_at = clock_timestamp(), attempts = 0
             WHERE delivered_at IS NULL AND ($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR client_id = $2)",
            id,
            client.map(ClientId::as_str),
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Deletes up to `limit` deliveries that nothing more is done about and that began before `before`; the number.
    pub async fn delete_past_logout_deliveries(
        &self,
        limit: i64,
        before: Timestamp,
    ) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            "DELETE FROM logout_deliveries WHERE id IN (
                 SELECT id FROM logout_deliveries
                 WHERE created_at < $2 AND next_attempt_at IS NULL ORDER BY created_at LIMIT $1)",
            limit,
            before.to_datetime(),
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}

struct Row {
    id: Uuid,
    client_id: String,
    user_id: Uuid,
    session_id: Uuid,
    created_at: time::OffsetDateTime,
    attempts: i32,
    next_attempt_at: Option<time::OffsetDateTime>,
    delivered_at: Option<time::OffsetDateTime>,
    last_error: Option<String>,
}

impl From<Row> for LogoutDelivery {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            client_id: row.client_id.into(),
            user_id: UserId::from(row.user_id),
            session_id: SessionId::from(row.session_id),
            created_at: row.created_at.into(),
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at.map(Into::into),
            delivered_at: row.delivered_at.map(Into::into),
            last_error: row.last_error,
        }
    }
}
