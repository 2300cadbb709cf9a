//! Authorization codes: single use, guarded in the statement that redeems.

use super::audit::{self, audited};
use super::grants::{FirstRefresh, GrantRow, GrantView};
use super::{Store, StoreError, interval};
use crate::model::{AuditEvent, AuditEventKind, AuthorizationCode, CodeId, EndReason, Grant};
use crate::time::Timestamp;

/// A code as one read shows it, with its grant.
#[derive(Debug, Clone)]
pub struct CodeView {
    /// The code.
    pub code: AuthorizationCode,
    /// SHA-256 of its secret.
    pub code_hash: Vec<u8>,
    /// The grant that it stands for.
    pub grant: GrantView,
}

impl Store {
    /// A code with everything that a decision about it needs.
    pub async fn authorization_code(
        &self,
        id: CodeId,
        now: Timestamp,
    ) -> Result<Option<CodeView>, StoreError> {
        let row = sqlx::query!(
            r#"SELECT code.code_hash, code.redirect_uri, code.code_challenge, code.nonce,
                   code.expires_at AS code_expires_at, code.used_at,
                   g.id AS "id!", g.user_id AS "user_id!", g.client_id AS "client_id!", g.session_id, g.started_in,
                   g.claims, g.requested_scopes AS "requested_scopes!", g.scopes AS "scopes!",
                   g.resources AS "resources!", g.auth_time AS "auth_time!", g.expires_at AS "expires_at!",
                   g.generation AS "generation!", g.refresh_hash, g.refresh_key_id, g.refreshed_at,
                   g.idle_expires_at, (SELECT roles FROM roles_of_users held WHERE held.user_id = g.user_id) AS roles,
                   CASE WHEN g.claims ? 'id_token' THEN g.attributes END AS attributes,
                   clock.now AS "database_time!",
                   g.ends_at, g.client_audiences
               FROM authorization_codes code
               CROSS JOIN (SELECT clock_timestamp() AS now) clock
               JOIN grant_lives g ON g.id = code.grant_id
               WHERE code.id = $1"#,
            id.as_uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let code = AuthorizationCode {
            id,
            grant_id: row.id.into(),
            redirect_uri: row.redirect_uri,
            code_challenge: row.code_challenge,
            nonce: row.nonce,
            expires_at: row.code_expires_at.into(),
            used_at: row.used_at.map(Timestamp::from),
        };
        let grant = GrantRow {
            place: 1,
            id: row.id,
            user_id: row.user_id,
            client_id: row.client_id,
            session_id: row.session_id,
            started_in: row.started_in,
            claims: row.claims,
            requested_scopes: row.requested_scopes,
            scopes: row.scopes,
            resources: row.resources,
            auth_time: row.auth_time,
            expires_at: row.expires_at,
            generation: row.generation,
            refresh_hash: row.refresh_hash,
            refresh_key_id: row.refresh_key_id,
            refreshed_at: row.refreshed_at,
            idle_expires_at: row.idle_expires_at,
            roles: row.roles,
            attributes: row.attributes,
            database_time: row.database_time,
            ends_at: row.ends_at,
            client_audiences: row.client_audiences,
        };
        Ok(Some(CodeView { code, code_hash: row.code_hash, grant: grant.view(now)? }))
    }

    /// Uses the code up and starts its refresh family, in one statement. `false`: the code was used, has
    /// expired or its grant has ended meanwhile, and nothing was written.
    pub async fn redeem_authorization_code(
        &self,
        id: CodeId,
        grant: &Grant,
        refresh: Option<FirstRefresh<'_>>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let redeemed = audited!(
            "used AS (
                 UPDATE authorization_codes SET used_at = clock_timestamp()
                 WHERE id = $2 AND used_at IS NULL AND expires_at > greatest($7, clock_timestamp())
                     AND EXISTS (SELECT FROM grant_lives life
                         WHERE life.id = $3 AND life.ends_at > greatest($7, clock_timestamp()))
                 RETURNING id
             ),
             written AS (
                 UPDATE grants SET refresh_hash = $4, refresh_key_id = $5, refreshed_at = clock_timestamp(),
                     idle_expires_at = least(expires_at, clock_timestamp() + $6::interval)
                 WHERE id = $3 AND revoked_at IS NULL AND EXISTS (SELECT FROM used)
                 RETURNING user_id
             )",
            self.audit(&[AuditEvent::about_grant(AuditEventKind::CodeRedeemed, grant)]),
            id.as_uuid(),
            grant.id.as_uuid(),
            refresh.as_ref().map(|first| first.hash),
            refresh.as_ref().map(|first| first.key_id),
            refresh.as_ref().map(|first| interval(first.idle_lifetime)),
            now.to_datetime(),
        )
        .execute(&self.pool)
        .await?;
        Ok(redeemed.rows_affected() == 1)
    }

    /// Ends the grant of a code that was used before, judged by a look of this statement's own. Whether
    /// the grant lived until now.
    pub async fn revoke_grant_of_used_code(&self, id: CodeId, grant: &Grant) -> Result<bool, StoreError> {
        let reason = EndReason::CodeReused;
        let events = [
            AuditEvent::about_grant(AuditEventKind::CodeReused, grant),
            AuditEvent::about_grant(AuditEventKind::GrantRevoked, grant).because(reason),
        ];
        let revoked = audited!(
            "written AS (
                 UPDATE grants SET revoked_at = clock_timestamp(), revoked_reason = $4
                 WHERE id = $3 AND revoked_at IS NULL AND EXISTS (
                     SELECT FROM authorization_codes WHERE id = $2 AND used_at IS NOT NULL)
                 RETURNING user_id
             )",
            self.audit(&events),
            id.as_uuid(),
            grant.id.as_uuid(),
            reason.as_str(),
        )
        .execute(&self.pool)
        .await?;
        Ok(audit::done(&revoked, &events))
    }
}
