//! Consents: which apps a person has agreed to, and taking that back.

use super::audit::audited;
use super::{Store, StoreError, in_transaction};
use crate::model::{AppAccess, AuditEvent, AuditEventKind, AuthorizedApp, ClientId, EndReason, UserId};
use crate::time::Timestamp;

/// So many grants are revoked when a consent is taken back. It takes a fraction of a second.
const MOST_REVOKED: i64 = 10_000;

impl Store {
    /// The apps that a person has agreed to, at most `limit`, or `only` this one: those first to which the person
    /// agreed last.
    pub async fn apps_of(
        &self,
        user: UserId,
        only: Option<&ClientId>,
        limit: i64,
        now: Timestamp,
    ) -> Result<Vec<AuthorizedApp>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT k.client_id, c.name, c.redirect_uris, c.self_registered, c.skip_consent,
                   c.disabled_at IS NOT NULL AS "is_disabled!", k.scopes, k.claims, k.created_at, k.updated_at,
                   EXISTS (SELECT FROM grant_lives g
                       WHERE g.user_id = k.user_id AND g.client_id = k.client_id AND g.session_id IS NULL
                           AND g.ends_at > clock.now AND g.idle_expires_at > clock.now AND g.refresh_hash IS NOT NULL
                   ) AS "is_lasting!",
                   EXISTS (SELECT FROM grant_lives g
                       WHERE g.user_id = k.user_id AND g.client_id = k.client_id AND g.session_id IS NOT NULL
                           AND g.ends_at > clock.now
                   ) AS "is_while_signed_in!"
               FROM consents k
               JOIN clients c ON c.client_id = k.client_id
               CROSS JOIN (SELECT greatest($4, clock_timestamp()) AS now) clock
               WHERE k.user_id = $1 AND ($2::text IS NULL OR k.client_id = $2)
               ORDER BY k.updated_at DESC, k.client_id
               LIMIT $3"#,
            user.as_uuid(),
            only.map(ClientId::as_str),
            limit,
            now.to_datetime(),
        )
        .fetch_all(&self.pool)
        .await?;
        let apps = rows.into_iter().map(|row| AuthorizedApp {
            client_id: row.client_id.into(),
            name: row.name,
            redirect_uris: row.redirect_uris,
            self_registered: row.self_registered,
            skip_consent: row.skip_consent,
            is_disabled: row.is_disabled,
            scopes: row.scopes,
            claims: row.claims,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            access: match (row.is_lasting, row.is_while_signed_in) {
                (true, _) => AppAccess::Lasting,
                (false, true) => AppAccess::WhileSignedIn,
                (false, false) => AppAccess::None,
            },
        });
        Ok(apps.collect())
    }

    /// Takes a person's consent to a client back: the client's grants end, and it has to ask again. Whether there was
    /// any.
    ///
    /// Without the consent no grant of it lives, also one that is being written just now. The grants are revoked
    /// beside that, so that a consent given anew revives none, whatever the database's clock says then, and a refresh
    /// that has looked already writes nothing. By a second statement, which sees those whose approval the first one
    /// waited for, and locks them in the order in which the end of a session does. An app that has made grants without
    /// end does not make this fail: it revokes a bounded number. The person's row is locked first, as by everybody who
    /// changes it: the deletion writes there that consents are looked for from now on.
    pub async fn withdraw_consent(&self, user: UserId, client: &ClientId) -> Result<bool, StoreError> {
        let event = AuditEvent::about_client(AuditEventKind::ConsentWithdrawn, client);
        in_transaction!(self, |transaction| {
            let withdrawn = audited!(
                "held AS (
                     SELECT id FROM users WHERE id = $2 FOR NO KEY UPDATE
                 ), written AS (
                     DELETE FROM consents USING held WHERE user_id = held.id AND client_id = $3
                     RETURNING user_id, jsonb_build_object('scopes', scopes) AS details
                 )",
                self.audit(std::slice::from_ref(&event)),
                user.as_uuid(),
                client.as_str(),
            )
            .execute(&mut transaction)
            .await?;
            sqlx::query!(
                "WITH held AS (
                     SELECT id FROM grants WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL
                     ORDER BY id LIMIT $4 FOR UPDATE
                 )
                 UPDATE grants g SET revoked_at = clock_timestamp(), revoked_reason = $3
                 FROM held WHERE g.id = held.id AND g.revoked_at IS NULL",
                user.as_uuid(),
                client.as_str(),
                EndReason::ConsentWithdrawn.as_str(),
                MOST_REVOKED,
            )
            .execute(&mut transaction)
            .await?;
            transaction.commit().await?;
            Ok(withdrawn.rows_affected() > 0)
        })
    }
}
