//! Grants: made with their authorization code, read with all that a decision needs, ended for good.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::audit::{self, audited};
use super::grant_looks::GrantLook;
use super::{Store, StoreError, interval};
use crate::model::{
    Actor, Agreement, Attributes, AuditEvent, AuditEventKind, AuthorizationCode, Details, EndReason, Grant,
    GrantId, RefreshState, Role, SessionId,
};
use crate::protocol::ClaimsRequest;
use crate::protocol::standard_claims::standard_claim;
use crate::time::Timestamp;

/// What a person's approval writes: the grant and the code that stands for it.
pub struct NewGrant<'a> {
    /// The grant.
    pub grant: &'a Grant,
    /// Its authorization code.
    pub code: &'a AuthorizationCode,
    /// SHA-256 of the code's secret.
    pub code_hash: &'a [u8],
    /// The session in which the person approved; it must still live.
    pub session_id: SessionId,
    /// The session's idle lifetime, counted anew from this use.
    pub session_idle_lifetime: Duration,
    /// Who agreed. Where that is not on file yet it is then written too.
    pub agreement: Agreement,
    /// Claims that the grant has beyond those that its scopes release.
    pub claims: &'a [String],
    /// Whether the client must still be registered for the code's redirect URI when this is written, as one that changes
    /// itself may not be, though the page showed its address.
    pub holds_redirect_uri: bool,
    /// When the request came, by the database's clock: a scope that was made later is another than the one asked for.
    pub requested_at: Timestamp,
}

/// A grant as one read shows it.
#[derive(Debug, Clone)]
pub struct GrantView {
    /// The grant.
    pub grant: Grant,
    /// Until when it lives as things are; `None`: it does not. Everything that could end it was looked at
    /// in the same statement.
    pub alive_until: Option<Timestamp>,
    /// The resources that the client is registered for today.
    pub client_audiences: Vec<String>,
    /// Its refresh token family, if it has one.
    pub refresh: Option<RefreshState>,
    /// The person's roles of today.
    pub roles: Vec<Role>,
    /// What is known of the person, where it was asked for or the grant has claims for ID tokens.
    pub attributes: Option<Attributes>,
    /// The later of the request's time and the database's clock, when it was read.
    pub now: Timestamp,
    /// The database's clock, when it was read.
    pub database_time: Timestamp,
}

impl GrantView {
    /// Whether it lives.
    pub fn is_alive(&self) -> bool {
        self.alive_until.is_some()
    }
}

/// The new state of a refresh family.
pub struct Rotation<'a> {
    /// The family's grant.
    pub grant_id: GrantId,
    /// The generation that is replaced.
    pub generation: u32,
    /// SHA-256 of the secret that is replaced.
    pub hash: &'a [u8],
    /// SHA-256 of the successor's secret.
    pub new_hash: &'a [u8],
    /// The id of the master key that derived the successor.
    pub new_key_id: &'a [u8],
    /// The generation from now on: one more, or the same where the client does not rotate.
    pub new_generation: u32,
    /// The successor's end if it is not used.
    pub idle_lifetime: Duration,
}

/// The first refresh token of a grant.
pub struct FirstRefresh<'a> {
    /// SHA-256 of its secret.
    pub hash: &'a [u8],
    /// The id of the master key that derives the family.
    pub key_id: &'a [u8],
    /// Its end if it is not used.
    pub idle_lifetime: Duration,
}

impl Store {
    /// Writes the approval: session touched, consent, grant and code in one statement. `false`: the
    /// session, the person, the client or its redirect URI, a scope or a claim is gone meanwhile, and nothing was written.
    /// Scopes, claims and client are locked before all else that who changes one changes.
    pub async fn insert_grant(&self, new: NewGrant<'_>, now: Timestamp) -> Result<bool, StoreError> {
        let NewGrant { grant, code, code_hash, .. } = new;
        let added: Vec<_> =
            new.claims.iter().filter(|name| standard_claim(name).is_none()).cloned().collect();
        // What an operator vouches for, nobody was asked.
        let agreed_claims = if new.agreement == Agreement::Person { new.claims } else { &[] };
        let inserted = sqlx::query!(
            "WITH held AS (
                 SELECT name FROM scopes WHERE name = ANY($8) AND NOT built_in AND created_at <= $21
                 ORDER BY name FOR KEY SHARE
             ), held_claims AS (
                 SELECT name FROM claims WHERE name = ANY($25) AND created_at <= $21 ORDER BY name FOR KEY SHARE
             ), held_client AS (
                 SELECT client_id FROM clients WHERE $27 AND client_id = $5 AND $16 = ANY(redirect_uris) FOR SHARE
             ), alive AS (
                 UPDATE sessions SET last_seen_at = statement_timestamp(),
                     idle_expires_at = greatest(idle_expires_at, statement_timestamp() + $3::interval)
                 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL
                     AND least(idle_expires_at, expires_at) > greatest($4, clock_timestamp())
                     AND (SELECT count(*) FROM held)
                         + (SELECT count(*) FROM scopes WHERE name = ANY($8) AND built_in) = cardinality($8::text[])
                     AND (SELECT count(*) FROM held_claims) = cardinality($25::text[])
                     AND (NOT $27 OR EXISTS (SELECT FROM held_client))
                 RETURNING id
             ), consent AS (
                 INSERT INTO consents AS k
                     (user_id, client_id, scopes, unasked_scopes, claims, created_at, updated_at)
                 SELECT $2, $5, $8, CASE WHEN $24 THEN $8 ELSE '{}' END, $26, statement_timestamp(),
                     statement_timestamp() FROM alive WHERE $6
                 ON CONFLICT (user_id, client_id) DO UPDATE
                 SET updated_at = excluded.updated_at,
                     scopes = ARRAY(SELECT DISTINCT unnest(k.scopes || excluded.scopes) ORDER BY 1),
                     unasked_scopes = CASE WHEN $24
                         THEN ARRAY(SELECT unnest(excluded.scopes) EXCEPT SELECT unnest(k.scopes)) || k.unasked_scopes
                         ELSE ARRAY(SELECT unnest(k.unasked_scopes) EXCEPT SELECT unnest(excluded.scopes)) END,
                     claims = ARRAY(SELECT DISTINCT unnest(k.claims || excluded.claims) ORDER BY 1)
                 RETURNING created_at
             ), granted AS (
                 INSERT INTO grants (id, user_id, client_id, session_id, requested_scopes, scopes, resources,
                     auth_time, created_at, expires_at, started_in, claims)
                 SELECT $9, $2, $5, $10, $7, $8, $11, $12,
                     greatest(statement_timestamp(), (SELECT created_at FROM consent)), $13, $22, $23 FROM alive
                 RETURNING id
             )
             , recorded AS (
                 INSERT INTO audit_events
                 SELECT row.* FROM consent, granted, audit_event($20) AS row
             )
             INSERT INTO authorization_codes
                 (id, code_hash, grant_id, redirect_uri, code_challenge, nonce, expires_at)
             SELECT $14, $15, granted.id, $16, $17, $18, $19 FROM granted",
            new.session_id.as_uuid(),
            grant.user_id.as_uuid(),
            interval(new.session_idle_lifetime),
            now.to_datetime(),
            grant.client_id.as_str(),
            new.agreement != Agreement::OnFile,
            &grant.requested_scopes,
            &grant.scopes,
            grant.id.as_uuid(),
            grant.session_id.map(SessionId::as_uuid),
            &grant.resources,
            grant.auth_time.to_datetime(),
            grant.expires_at.to_datetime(),
            code.id.as_uuid(),
            code_hash,
            code.redirect_uri,
            code.code_challenge,
            code.nonce,
            code.expires_at.to_datetime(),
            agreed(grant, new.agreement).columns(&self.origin),
            new.requested_at.to_datetime(),
            grant.started_in.map(SessionId::as_uuid),
            claims_column(&grant.claims),
            new.agreement == Agreement::Operator,
            &added,
            agreed_claims,
            new.holds_redirect_uri,
        )
        .execute(&self.pool)
        .await;
        match inserted {
            Ok(inserted) => Ok(inserted.rows_affected() == 1),
            // The client or the person was deleted meanwhile.
            Err(error) if error.as_database_error().is_some_and(|error| error.is_foreign_key_violation()) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A grant with everything that a decision about it needs. With the `jti` of an access token, the
    /// grant counts as alive only if that token is not revoked.
    pub async fn grant(
        &self,
        id: GrantId,
        jti: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<GrantView>, StoreError> {
        self.look_at_grant(GrantLook { id, jti: jti.map(str::to_owned), with_attributes: false, now }).await
    }

    /// The same with what is known of the person, in the same statement.
    pub async fn grant_with_attributes(
        &self,
        id: GrantId,
        jti: &str,
        now: Timestamp,
    ) -> Result<Option<GrantView>, StoreError> {
        self.look_at_grant(GrantLook { id, jti: Some(jti.to_owned()), with_attributes: true, now }).await
    }

    /// Rotates a refresh family, or only counts its idle time anew where the generation stays. `false`:
    /// the row is no longer as it was read, and nothing was written; look again.
    pub async fn rotate_refresh(&self, rotation: Rotation<'_>, now: Timestamp) -> Result<bool, StoreError> {
        let updated = sqlx::query!(
            "UPDATE grants SET generation = $4, refresh_hash = $5, refresh_key_id = $8,
                 refreshed_at = CASE WHEN generation = $4 THEN refreshed_at ELSE clock_timestamp() END,
                 idle_expires_at = least(expires_at, clock_timestamp() + $6::interval)
             WHERE id = $1 AND generation = $2 AND refresh_hash = $3 AND revoked_at IS NULL
                 AND least(idle_expires_at, expires_at) > greatest($7, clock_timestamp())
                 AND EXISTS (SELECT FROM grant_lives life
                     WHERE life.id = $1 AND life.ends_at > greatest($7, clock_timestamp()))",
            rotation.grant_id.as_uuid(),
            generation_column(rotation.generation),
            rotation.hash,
            generation_column(rotation.new_generation),
            rotation.new_hash,
            interval(rotation.idle_lifetime),
            now.to_datetime(),
            rotation.new_key_id,
        )
        .execute(&self.pool)
        .await?;
        Ok(updated.rows_affected() == 1)
    }

    /// Ends a grant: its refresh tokens at once and, by introspection, its access tokens. Whether it lived.
    pub async fn revoke_grant(&self, grant: &Grant, reason: EndReason) -> Result<bool, StoreError> {
        let reused = (reason == EndReason::RefreshTokenReused)
            .then(|| AuditEvent::about_grant(AuditEventKind::RefreshTokenReused, grant));
        let revoked = AuditEvent::about_grant(AuditEventKind::GrantRevoked, grant).because(reason);
        let events: Vec<_> = reused.into_iter().chain([revoked]).collect();
        let revoked = audited!(
            "written AS (
                 UPDATE grants SET revoked_at = clock_timestamp(), revoked_reason = $3
                 WHERE id = $2 AND revoked_at IS NULL
                 RETURNING user_id
             )",
            self.audit(&events),
            grant.id.as_uuid(),
            reason.as_str(),
        )
        .execute(&self.pool)
        .await?;
        Ok(audit::done(&revoked, &events))
    }
}

/// The event that is written with a consent.
fn agreed(grant: &Grant, agreement: Agreement) -> AuditEvent {
    let event = match agreement {
        Agreement::Operator => AuditEvent::about_grant(AuditEventKind::ConsentSkipped, grant),
        Agreement::Person | Agreement::OnFile => {
            AuditEvent::about_grant(AuditEventKind::ConsentGiven, grant).by(Actor::User(grant.user_id))
        }
    };
    event.with(Details::Scopes { scopes: grant.scopes.clone() })
}

/// A row of `grants` joined with what its life depends on.
pub(super) struct GrantRow {
    /// Which of the grants that were looked for it is, counted from 1.
    pub(super) place: i64,
    pub(super) id: uuid::Uuid,
    pub(super) user_id: uuid::Uuid,
    pub(super) client_id: String,
    pub(super) session_id: Option<uuid::Uuid>,
    pub(super) started_in: Option<uuid::Uuid>,
    pub(super) claims: Option<serde_json::Value>,
    pub(super) requested_scopes: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) auth_time: time::OffsetDateTime,
    pub(super) expires_at: time::OffsetDateTime,
    pub(super) generation: i32,
    pub(super) refresh_hash: Option<Vec<u8>>,
    pub(super) refresh_key_id: Option<Vec<u8>>,
    pub(super) refreshed_at: Option<time::OffsetDateTime>,
    pub(super) idle_expires_at: Option<time::OffsetDateTime>,
    pub(super) roles: Option<serde_json::Value>,
    pub(super) attributes: Option<serde_json::Value>,
    pub(super) database_time: time::OffsetDateTime,
    pub(super) ends_at: Option<time::OffsetDateTime>,
    pub(super) client_audiences: Option<Vec<String>>,
}

impl GrantRow {
    /// The same, counted from 0.
    pub(super) fn index(&self) -> usize {
        usize::try_from(self.place - 1).unwrap_or(usize::MAX)
    }

    pub(super) fn view(self, now: Timestamp) -> Result<GrantView, StoreError> {
        let database_time = Timestamp::from(self.database_time);
        let now = now.max(database_time);
        let refresh = match (self.refresh_hash, self.refresh_key_id, self.refreshed_at, self.idle_expires_at)
        {
            (Some(hash), Some(key_id), Some(refreshed_at), Some(idle_expires_at)) => Some(RefreshState {
                generation: self.generation.cast_unsigned(),
                hash,
                key_id,
                refreshed_at: refreshed_at.into(),
                idle_expires_at: idle_expires_at.into(),
            }),
            _ => None,
        };
        Ok(GrantView {
            grant: Grant {
                id: self.id.into(),
                user_id: self.user_id.into(),
                client_id: self.client_id.into(),
                session_id: self.session_id.map(SessionId::from),
                started_in: self.started_in.map(SessionId::from),
                claims: self.claims.map(decoded).transpose()?.unwrap_or_default(),
                requested_scopes: self.requested_scopes,
                scopes: self.scopes,
                resources: self.resources,
                auth_time: self.auth_time.into(),
                expires_at: self.expires_at.into(),
            },
            alive_until: self.ends_at.map(Timestamp::from).filter(|end| *end > now),
            client_audiences: self.client_audiences.unwrap_or_default(),
            refresh,
            roles: roles(self.roles)?,
            attributes: self.attributes.map(decoded).transpose()?,
            now,
            database_time,
        })
    }
}

/// Reads the `roles` column of the view `roles_of_users`.
pub(super) fn roles(column: Option<serde_json::Value>) -> Result<Vec<Role>, StoreError> {
    #[derive(Deserialize)]
    struct RoleColumn {
        name: String,
        scopes: Vec<String>,
    }
    let Some(column) = column else { return Ok(Vec::new()) };
    let roles: Vec<RoleColumn> = decoded(column)?;
    Ok(roles.into_iter().map(|role| Role { name: role.name, scopes: role.scopes }).collect())
}

fn decoded<T: DeserializeOwned>(column: serde_json::Value) -> Result<T, StoreError> {
    serde_json::from_value(column).map_err(|error| StoreError::Database(sqlx::Error::Decode(error.into())))
}

/// Where nothing was asked for by name there is nothing.
fn claims_column(claims: &ClaimsRequest) -> Option<serde_json::Value> {
    if claims.is_empty() { None } else { serde_json::to_value(claims).ok() }
}

/// PostgreSQL has no unsigned integers; the bits are kept.
pub(super) fn generation_column(generation: u32) -> i32 {
    generation.cast_signed()
}
