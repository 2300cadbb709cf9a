//! The end of sessions, whatever brings it about: signing out, another password, a click on the account page; and what
//! ends with them (OpenID Connect Back-Channel Logout §2.7).
//!
//! It takes two statements, in this order. The first ends the sessions: an approval that still found one of them alive
//! is waited for, and any later one finds it ended. Only then can a second, with a look of its own, see every grant that
//! was begun in them.

use serde_json::Value;
use uuid::Uuid;

use super::{Store, StoreError, Transaction, in_transaction};
use crate::model::{Actor, AuditEvent, AuditEventKind, ClientId, EndReason, SessionId, UserId};
use crate::time::Timestamp;

/// A session that has just ended. Those of one change are all of one person.
struct EndedSession {
    id: Uuid,
    user_id: Uuid,
}

/// Ends the sessions that a condition names, and records the event `$1` for each of the first thousand, `$2`: in its
/// person's name.
macro_rules! end_sessions {
    ($condition:literal, $ending:expr $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            EndedSession,
            "WITH ended AS (
                 UPDATE sessions SET ended_at = clock_timestamp()
                 WHERE ended_at IS NULL AND " + $condition + "
                 RETURNING id, user_id
             ), recorded AS (
                 INSERT INTO audit_events
                 SELECT row.*
                 FROM (SELECT id, user_id FROM ended LIMIT 1000) AS one, audit_event(
                     $1::jsonb || jsonb_build_object('target_kind', 'session', 'target_id', id, 'user_id', user_id)
                     || CASE WHEN $2 THEN jsonb_build_object('actor_kind', 'user', 'actor_id', user_id) ELSE '{}' END
                 ) AS row
             )
             SELECT id, user_id FROM ended",
            $ending.event,
            $ending.by_the_person
            $(, $argument)*
        )
    };
}

/// So many grants that end with a session are recorded one by one, and so many sessions that end together: writing that
/// takes longer than ending them, and whoever has made grants or sessions without end must not keep anybody from ending
/// them.
const MOST_RECORDED: i64 = 1_000;

/// What is recorded of an end.
struct Ending {
    event: Value,
    /// Whether whoever the session belongs to ends it.
    by_the_person: bool,
    /// Whether the same change ends every grant of the person at one stroke, so that none needs to be ended by itself.
    ends_all_grants: bool,
}

impl Store {
    /// A person signs out: the session behind the cookie ends, also one that has expired. Whether there was one.
    /// `asked_by` is the client that brought the person to it, if one did.
    pub async fn sign_out(&self, token_hash: &[u8], asked_by: Option<&ClientId>) -> Result<bool, StoreError> {
        let event = AuditEvent::new(AuditEventKind::SignOut);
        let event = asked_by.map_or(event.clone(), |client| event.of_client(client)).columns(&self.origin);
        let ending = Ending { event, by_the_person: true, ends_all_grants: false };
        in_transaction!(self, |transaction| {
            let ended =
                end_sessions!("token_hash = $3", ending, token_hash).fetch_all(&mut transaction).await?;
            self.end_what_hangs_on(&mut transaction, &ended, &ending).await?;
            transaction.commit().await?;
            Ok(!ended.is_empty())
        })
    }

    /// Ends one session of this person. Whether there was one that had not ended.
    pub async fn end_session_by_id(
        &self,
        user: UserId,
        session: SessionId,
        reason: EndReason,
    ) -> Result<bool, StoreError> {
        let ending = self.ending(reason);
        in_transaction!(self, |transaction| {
            let ended = end_sessions!("user_id = $3 AND id = $4", ending, user.as_uuid(), session.as_uuid())
                .fetch_all(&mut transaction)
                .await?;
            self.end_what_hangs_on(&mut transaction, &ended, &ending).await?;
            transaction.commit().await?;
            Ok(!ended.is_empty())
        })
    }

    /// A person ends all sessions but this one. How many there were.
    pub async fn end_other_sessions(&self, user: UserId, keep: SessionId) -> Result<u64, StoreError> {
        in_transaction!(self, |transaction| {
            let ending = self.ending(EndReason::UserRequest);
            let ended = self.end_sessions_of(&mut transaction, user, Some(keep), &ending).await?;
            transaction.commit().await?;
            Ok(ended)
        })
    }

    /// Ends the session that somebody else was in, in the browser in which a person has just signed in. One that has
    /// expired is left alone: time has ended it, and time tells nobody.
    pub(super) async fn end_replaced_session(
        &self,
        transaction: &mut Transaction,
        token_hash: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let ending = self.ending(EndReason::SignedInAgain);
        let ended = end_sessions!(
            "token_hash = $3 AND least(idle_expires_at, expires_at) > greatest($4, clock_timestamp())",
            ending,
            token_hash,
            now.to_datetime(),
        )
        .fetch_all(&mut *transaction)
        .await?;
        self.end_what_hangs_on(transaction, &ended, &ending).await
    }

    /// Ends all sessions of a person but `keep`, within a change that ends all grants of that person.
    pub(super) async fn end_sessions_beside_grants(
        &self,
        transaction: &mut Transaction,
        user: UserId,
        keep: Option<SessionId>,
        reason: EndReason,
    ) -> Result<(), StoreError> {
        let ending = Ending { ends_all_grants: true, ..self.ending(reason) };
        self.end_sessions_of(transaction, user, keep, &ending).await.map(drop)
    }

    async fn end_sessions_of(
        &self,
        transaction: &mut Transaction,
        user: UserId,
        keep: Option<SessionId>,
        ending: &Ending,
    ) -> Result<u64, StoreError> {
        let ended = end_sessions!(
            "user_id = $3 AND id IS DISTINCT FROM $4",
            ending,
            user.as_uuid(),
            keep.map(SessionId::as_uuid),
        )
        .fetch_all(&mut *transaction)
        .await?;
        self.end_what_hangs_on(transaction, &ended, ending).await?;
        Ok(ended.len() as u64)
    }

    fn ending(&self, reason: EndReason) -> Ending {
        let event = AuditEvent::new(AuditEventKind::SessionEnded).because(reason).columns(&self.origin);
        Ending { event, by_the_person: reason == EndReason::UserRequest, ends_all_grants: false }
    }

    /// Offline grants that were begun in ended sessions end where the client is registered so, and a message is laid
    /// out for each client that wants to be told and had a grant there. Every other grant of the sessions is dead
    /// without a word, by the view `grant_lives`. Grants that an older release wrote name only the session that they
    /// end with.
    async fn end_what_hangs_on(
        &self,
        transaction: &mut Transaction,
        ended: &[EndedSession],
        ending: &Ending,
    ) -> Result<(), StoreError> {
        let Some(EndedSession { user_id, .. }) = ended.first() else { return Ok(()) };
        let sessions: Vec<Uuid> = ended.iter().map(|session| session.id).collect();
        let person = ending.by_the_person.then(|| self.acting_as(Actor::User((*user_id).into())));
        let revoked = AuditEvent::new(AuditEventKind::GrantRevoked).because(EndReason::SessionEnded);
        sqlx::query!(
            "WITH begun AS MATERIALIZED (
                 SELECT g.id, g.client_id, coalesce(g.started_in, g.session_id) AS session_id,
                     c.backchannel_logout_uri IS NOT NULL AND c.disabled_at IS NULL AS is_told,
                     NOT $5 AND c.end_offline_grants_with_session AND g.session_id IS NULL
                         AND g.revoked_at IS NULL AS is_ended
                 FROM grants g
                 JOIN clients c USING (client_id)
                 WHERE g.user_id = $2 AND coalesce(g.started_in, g.session_id) = ANY($3)
                     AND (c.backchannel_logout_uri IS NOT NULL OR c.end_offline_grants_with_session)
             ), held AS (
                 SELECT id FROM grants WHERE id IN (SELECT id FROM begun WHERE is_ended) ORDER BY id FOR UPDATE
             ), revoked AS (
                 UPDATE grants g SET revoked_at = clock_timestamp(), revoked_reason = $4
                 FROM held WHERE g.id = held.id AND g.revoked_at IS NULL
                 RETURNING g.id, g.client_id
             ), recorded AS (
                 INSERT INTO audit_events
                 SELECT row.*
                 FROM (SELECT id, client_id FROM revoked LIMIT $6) AS one,
                     audit_event($1::jsonb || jsonb_build_object('target_kind', 'grant', 'target_id', id,
                         'grant_id', id, 'client_id', client_id, 'user_id', $2)) AS row
             )
             INSERT INTO logout_deliveries (id, client_id, user_id, session_id)
             SELECT gen_random_uuid(), told.client_id, $2, told.session_id
             FROM (SELECT DISTINCT client_id, session_id FROM begun WHERE is_told) AS told",
            revoked.columns(&person.as_ref().unwrap_or(self).origin),
            user_id,
            &sessions,
            EndReason::SessionEnded.as_str(),
            ending.ends_all_grants,
            MOST_RECORDED,
        )
        .execute(&mut *transaction)
        .await?;
        Ok(())
    }
}
