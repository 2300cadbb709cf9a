//! Clients that registered themselves (RFC 7591, RFC 7592).

use std::time::Duration;

use uuid::Uuid;

use super::audit::{self, audited};
use super::clients::insert;
use super::{ChangingClient, Store, StoreError, Transaction, commit_change, in_transaction, interval};
use crate::model::{AuditEvent, AuditEventKind, Client, ClientId, Details};
use crate::time::Timestamp;

/// What lets a client register.
#[derive(Debug, Clone, Copy)]
pub enum Admission<'a> {
    /// An initial access token, by its SHA-256.
    Token(&'a [u8; 32]),
    /// Anybody may.
    Open,
}

/// What came of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// The client is registered.
    Registered,
    /// The initial access token has been used up, has ended, or was revoked.
    TokenRefused,
    /// There are as many clients as there may be without an initial access token.
    Full,
}

impl Store {
    /// Registers a client that registers itself, if it may and there is room. An initial access token is used up in
    /// the same transaction, so that what is refused uses up nothing and parallel uses are as many as it has.
    ///
    /// Other processes need not be told: they remember no client that they have not seen.
    pub async fn register_client(
        &self,
        client: &Client,
        admission: Admission<'_>,
        most: u32,
        now: Timestamp,
    ) -> Result<Admitted, StoreError> {
        in_transaction!(self, |transaction| {
            insert(&mut transaction, client).await?;
            // One after the other, so that none is counted twice or not at all.
            sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('self-registered clients', 0))")
                .execute(&mut transaction)
                .await?;
            let token = match admission {
                Admission::Open => None,
                Admission::Token(hash) => match use_up(&mut transaction, hash, now).await? {
                    Some(token) => Some(token),
                    None => return Ok(Admitted::TokenRefused),
                },
            };
            // Strangers who fill the room do not shut out whom an operator has given a token.
            if token.is_none() && count(&mut transaction).await? > i64::from(most) {
                return Ok(Admitted::Full);
            }
            let event = AuditEvent::about_client(AuditEventKind::ClientRegistered, &client.id);
            let event = match token {
                Some(token) => event.with(Details::InitialAccessToken { initial_access_token: token }),
                None => event,
            };
            audit::record(&mut transaction, &self.origin, &[event]).await?;
            transaction.commit().await?;
            Ok(Admitted::Registered)
        })
    }

    /// The client whose registration access token has this hash, if `id` names that one. The token before it is good
    /// as well, until the newer one is used, as it is here.
    pub async fn client_by_registration_token(
        &self,
        id: &ClientId,
        hash: &[u8; 32],
    ) -> Result<Option<Client>, StoreError> {
        let client = self.client(id).await?.filter(|client| client.is_managed_with(hash));
        let tokens = client.as_ref().and_then(|client| client.registration_tokens.as_ref());
        if tokens.is_some_and(|tokens| tokens.previous.is_some() && tokens.is_newest(hash)) {
            self.forget_previous_registration_token(id, hash).await?;
        }
        Ok(client)
    }

    async fn forget_previous_registration_token(
        &self,
        id: &ClientId,
        newest: &[u8; 32],
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE clients SET previous_registration_token_hash = NULL
             WHERE client_id = $1 AND registration_token_hash = $2",
            id.as_str(),
            newest.as_slice(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes since when nobody has given each client that registered itself access, and forgets it where somebody
    /// has. One that also acts for itself, or that an operator has made a resource server, leaves no trace and counts as
    /// used. What is being changed just now waits for the next time.
    pub async fn note_unused_clients(&self) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE clients SET unused_since = CASE WHEN unused_since IS NULL THEN clock_timestamp() END
             WHERE client_id IN (
                 SELECT client_id FROM clients
                 WHERE self_registered AND (unused_since IS NULL) = (
                     NOT 'client_credentials' = ANY(grant_types)
                     AND resource_servers = '{}'
                     AND NOT EXISTS (SELECT FROM consents WHERE consents.client_id = clients.client_id))
                 FOR NO KEY UPDATE SKIP LOCKED)"
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Deletes up to `limit` clients that registered themselves and that nobody has given access to for `lifetime`;
    /// the number deleted.
    pub async fn delete_unused_clients(
        &self,
        lifetime: Duration,
        limit: i64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        in_transaction!(self, |transaction| {
            let unused = sqlx::query_scalar!(
                "SELECT client_id FROM clients
                 WHERE self_registered AND unused_since < $1::timestamptz - $2::interval
                 ORDER BY unused_since LIMIT $3 FOR UPDATE SKIP LOCKED",
                now.to_datetime(),
                interval(lifetime),
                limit,
            )
            .fetch_all(&mut transaction)
            .await?;
            // A statement of its own: it sees the consent of whoever had locked the client just before. What an operator has
            // made of it since it was noted counts as well.
            let deleted = audited!(
                "written AS (
                     DELETE FROM clients
                     WHERE client_id = ANY($2)
                         AND NOT 'client_credentials' = ANY(grant_types) AND resource_servers = '{}'
                         AND NOT EXISTS (SELECT FROM consents WHERE consents.client_id = clients.client_id)
                     RETURNING 'client' AS target_kind, client_id AS target_id, client_id
                 )",
                self.audit(&[AuditEvent::new(AuditEventKind::ClientExpired)]),
                &unused,
            )
            .execute(&mut transaction)
            .await?
            .rows_affected();
            commit_change(transaction, deleted).await?;
            Ok(deleted)
        })
    }
}

impl ChangingClient<'_> {
    /// Notes that somebody wants the client, although nobody may have given it access.
    pub async fn count_as_wanted(&mut self) -> Result<(), StoreError> {
        let id = self.client().id.clone();
        sqlx::query!(
            "UPDATE clients SET unused_since = clock_timestamp()
             WHERE client_id = $1 AND unused_since IS NOT NULL",
            id.as_str(),
        )
        .execute(self.transaction())
        .await?;
        Ok(())
    }

    /// Has each person asked again who has agreed to something before. Their grants live on.
    pub async fn ask_again(&mut self) -> Result<(), StoreError> {
        let id = self.client().id.clone();
        sqlx::query!(
            "UPDATE consents SET scopes = '{}', unasked_scopes = '{}', claims = '{}' WHERE client_id = $1",
            id.as_str(),
        )
        .execute(self.transaction())
        .await?;
        Ok(())
    }
}

/// Takes one use from an initial access token that has any left; which one it was.
async fn use_up(
    transaction: &mut Transaction,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Uuid>, StoreError> {
    let id = sqlx::query_scalar!(
        "UPDATE initial_access_tokens SET uses_left = uses_left - 1
         WHERE token_hash = $1 AND expires_at > greatest($2, clock_timestamp())
             AND (uses_left IS NULL OR uses_left > 0)
         RETURNING id",
        hash.as_slice(),
        now.to_datetime(),
    )
    .fetch_optional(transaction)
    .await?;
    Ok(id)
}

async fn count(transaction: &mut Transaction) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM clients WHERE self_registered"#)
        .fetch_one(transaction)
        .await?;
    Ok(count)
}
