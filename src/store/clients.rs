//! Registered clients.

use super::audit::{self, audited};
use super::client_row::{ClientRow, Columns, SecretColumns};
use super::resource_servers::register_named;
use super::scopes::HeldScopes;
use super::signing_keys::remember_clients_token_lifetimes;
use super::{Store, StoreError, Transaction, bump_version, in_transaction};
use crate::model::{
    AuditEvent, AuditEventKind, Client, ClientAuthentication, ClientId, ClientSecret, Details, Origin,
    SecretHash,
};
use crate::time::Timestamp;

/// The one list of columns that a [`ClientRow`] has, with what follows `FROM clients`.
macro_rules! select_clients {
    ($tail:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            ClientRow,
            "SELECT client_id, name, confidential, application_type, auth_method, secret_hash, secret_key_id,
                    secret_expires_at, sealed_secret, previous_secret_hash, previous_secret_key_id,
                    previous_secret_expires_at, previous_sealed_secret, jwks, jwks_uri,
                    token_endpoint_auth_signing_alg, redirect_uris, grant_types, scopes, audiences, resource_servers,
                    access_token_lifetime, refresh_idle_lifetime, refresh_absolute_lifetime,
                    rotate_refresh_tokens, require_pkce,
                    access_token_signing_alg, id_token_signed_response_alg, introspection_signed_response_alg,
                    client_uri, logo_uri, policy_uri, tos_uri, contacts, software_id, software_version,
                    sector_identifier, sector_identifier_uri, userinfo_signed_response_alg, default_max_age,
                    require_auth_time, post_logout_redirect_uris, backchannel_logout_uri,
                    backchannel_logout_session_required, end_offline_grants_with_session, skip_consent,
                    self_registered, registration_token_hash, previous_registration_token_hash,
                    disabled_at, created_at
             FROM clients " + $tail,
            $($argument),*
        )
    };
}

impl Store {
    /// Registers a client, and the resource servers that it is the first to name. A scope that was deleted meanwhile
    /// is left out.
    pub async fn insert_client(&self, client: &Client) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| {
            insert(&mut transaction, client).await?;
            let event = AuditEvent::about_client(AuditEventKind::ClientCreated, &client.id);
            audit::record(&mut transaction, &self.origin, &[event]).await?;
            bump_version(&mut transaction).await?;
            Ok(transaction.commit().await?)
        })
    }

    /// The client with this identifier, switched off or not.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let row = select_clients!("WHERE client_id = $1", id.as_str()).fetch_optional(&self.pool).await?;
        row.map(Client::try_from).transpose()
    }

    /// All clients, by name.
    pub async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        let rows = select_clients!("ORDER BY name, client_id").fetch_all(&self.pool).await?;
        rows.into_iter().map(Client::try_from).collect()
    }

    /// Begins to change a client: its row is locked, so that of two changes none is lost. `None`: there is
    /// no such client.
    pub async fn change_client(&self, id: &ClientId) -> Result<Option<ChangingClient<'_>>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let scopes = HeldScopes::hold(&mut transaction).await?;
        let row = select_clients!("WHERE client_id = $1 FOR NO KEY UPDATE", id.as_str())
            .fetch_optional(&mut transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ChangingClient { client: Client::try_from(row)?, scopes, transaction, origin: &self.origin }))
    }

    /// Gives a client that has a secret a new one. The old one ends, or works until `keep_old_until` and no longer
    /// than it would have; the one before that ends. Returns whether there is such a client.
    pub async fn replace_client_secret(
        &self,
        id: &ClientId,
        secret: &ClientSecret,
        keep_old_until: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let columns = SecretColumns::from(secret);
        in_transaction!(self, |transaction| {
            let done = sqlx::query!(
                "UPDATE clients
                 SET previous_secret_hash = CASE WHEN $6::timestamptz IS NOT NULL THEN secret_hash END,
                     previous_secret_key_id = CASE WHEN $6::timestamptz IS NOT NULL THEN secret_key_id END,
                     previous_sealed_secret = CASE WHEN $6::timestamptz IS NOT NULL THEN sealed_secret END,
                     previous_secret_expires_at = CASE WHEN $6::timestamptz IS NOT NULL
                         THEN least($6, secret_expires_at) END,
                     secret_hash = $2, secret_key_id = $3, secret_expires_at = $4, sealed_secret = $5,
                     updated_at = clock_timestamp()
                 WHERE client_id = $1 AND secret_hash IS NOT NULL",
                id.as_str(),
                columns.hash,
                columns.key_id,
                columns.expires_at,
                columns.sealed,
                keep_old_until.map(Timestamp::to_datetime),
            )
            .execute(&mut transaction)
            .await?;
            if done.rows_affected() > 0 {
                let event = AuditEvent::about_client(AuditEventKind::ClientSecretRotated, id);
                let event = match keep_old_until {
                    Some(expires_at) => event.with(Details::Until { expires_at }),
                    None => event,
                };
                audit::record(&mut transaction, &self.origin, &[event]).await?;
            }
            super::commit_change(transaction, done.rows_affected()).await
        })
    }

    /// Puts another form of the same secret in the place of the one with `old_hash`. Whether that was there still.
    pub async fn rewrap_client_secret(
        &self,
        id: &ClientId,
        old_hash: &SecretHash,
        renewed: &ClientSecret,
    ) -> Result<bool, StoreError> {
        let columns = SecretColumns::from(renewed);
        in_transaction!(self, |transaction| {
            let done = sqlx::query!(
                "UPDATE clients
                 SET secret_hash = CASE WHEN secret_hash = $2 THEN $3 ELSE secret_hash END,
                     secret_key_id = CASE WHEN secret_hash = $2 THEN $4 ELSE secret_key_id END,
                     sealed_secret = CASE WHEN secret_hash = $2 THEN $5 ELSE sealed_secret END,
                     previous_secret_hash = CASE WHEN previous_secret_hash = $2 THEN $3 ELSE previous_secret_hash END,
                     previous_secret_key_id = CASE WHEN previous_secret_hash = $2 THEN $4 ELSE previous_secret_key_id END,
                     previous_sealed_secret = CASE WHEN previous_secret_hash = $2 THEN $5 ELSE previous_sealed_secret END
                 WHERE client_id = $1 AND auth_method = 'client_secret_jwt' AND $2 IN (secret_hash, previous_secret_hash)",
                id.as_str(),
                &old_hash.hash[..],
                columns.hash,
                columns.key_id,
                columns.sealed,
            )
            .execute(&mut transaction)
            .await?;
            if done.rows_affected() > 0 {
                let event = AuditEvent::about_client(AuditEventKind::ClientSecretRewrapped, id);
                audit::record(&mut transaction, &self.origin, &[event]).await?;
            }
            super::commit_change(transaction, done.rows_affected()).await
        })
    }

    /// Removes a client; its grants are dead without it. Returns whether it existed.
    pub async fn delete_client(&self, id: &ClientId) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| {
            let deleted = delete(&mut transaction, &self.origin, id).await?;
            super::commit_change(transaction, deleted).await
        })
    }
}

/// Removes a client; how many there were.
async fn delete(transaction: &mut Transaction, origin: &Origin, id: &ClientId) -> Result<u64, StoreError> {
    // Whoever changes a client locks it before anything else.
    sqlx::query!("SELECT client_id FROM clients WHERE client_id = $1 FOR UPDATE", id.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
    remember_clients_token_lifetimes(transaction).await?;
    let done = audited!(
        "written AS (DELETE FROM clients WHERE client_id = $2 RETURNING client_id)",
        audit::columns(origin, &[AuditEvent::about_client(AuditEventKind::ClientDeleted, id)]),
        id.as_str(),
    )
    .execute(transaction)
    .await?;
    Ok(done.rows_affected())
}

/// The row of a new client, and the resource servers that it is the first to name. The first statements of a
/// transaction.
pub(super) async fn insert(transaction: &mut Transaction, client: &Client) -> Result<(), StoreError> {
    let scopes = HeldScopes::hold(transaction).await?;
    let Columns { auth_method, newest_secret, grant_types, .. } = Columns::of(client);
    sqlx::query!(
        "INSERT INTO clients (client_id, name, confidential, application_type, auth_method, secret_hash,
                              secret_key_id, secret_expires_at, sealed_secret, grant_types, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        client.id.as_str(),
        client.name,
        client.is_confidential(),
        client.application_type.as_str(),
        auth_method,
        newest_secret.hash,
        newest_secret.key_id,
        newest_secret.expires_at,
        newest_secret.sealed,
        &grant_types,
        client.created_at.to_datetime(),
    )
    .execute(&mut *transaction)
    .await
    .map_err(|error| StoreError::conflict(error, "a client with this identifier"))?;
    put(transaction, client, &scopes).await?;
    register_named(transaction, &[&client.audiences, &client.resource_servers]).await
}

/// Writes into a client's row all that may change of it. Its secrets end where its method has none, and are no longer
/// kept readable where no assertion is verified with them.
async fn put(transaction: &mut Transaction, client: &Client, scopes: &HeldScopes) -> Result<(), StoreError> {
    let columns = Columns::of(client);
    sqlx::query!(
        "UPDATE clients
         SET name = $2, application_type = $3, auth_method = $4, redirect_uris = $5, grant_types = $6,
             scopes = $7, audiences = $8, resource_servers = $9, access_token_lifetime = $10,
             refresh_idle_lifetime = $11, refresh_absolute_lifetime = $12, rotate_refresh_tokens = $13,
             require_pkce = $14, disabled_at = $15, access_token_signing_alg = $16,
             id_token_signed_response_alg = $17, introspection_signed_response_alg = $18,
             jwks = $19, jwks_uri = $20, token_endpoint_auth_signing_alg = $21,
             secret_hash = CASE WHEN $22 THEN secret_hash END,
             secret_key_id = CASE WHEN $22 THEN secret_key_id END,
             secret_expires_at = CASE WHEN $22 THEN secret_expires_at END,
             sealed_secret = CASE WHEN $23 THEN sealed_secret END,
             previous_secret_hash = CASE WHEN $22 THEN previous_secret_hash END,
             previous_secret_key_id = CASE WHEN $22 THEN previous_secret_key_id END,
             previous_secret_expires_at = CASE WHEN $22 THEN previous_secret_expires_at END,
             previous_sealed_secret = CASE WHEN $23 THEN previous_sealed_secret END,
             client_uri = $24, logo_uri = $25,
             policy_uri = $26, tos_uri = $27,
             contacts = $28, software_id = $29,
             software_version = $30, sector_identifier = $31,
             sector_identifier_uri = $32, userinfo_signed_response_alg = $33,
             default_max_age = $34, require_auth_time = $35,
             post_logout_redirect_uris = $36, backchannel_logout_uri = $37,
             backchannel_logout_session_required = $38, end_offline_grants_with_session = $39,
             skip_consent = $40, self_registered = $41,
             registration_token_hash = $42, previous_registration_token_hash = $43,
             updated_at = clock_timestamp()
         WHERE client_id = $1",
        client.id.as_str(),
        client.name,
        client.application_type.as_str(),
        columns.auth_method,
        &client.redirect_uris,
        &columns.grant_types,
        &scopes.of(&client.scopes),
        &client.audiences,
        &client.resource_servers,
        columns.access_token_lifetime,
        columns.refresh_idle_lifetime,
        columns.refresh_absolute_lifetime,
        client.rotate_refresh_tokens,
        client.require_pkce,
        client.disabled_at.map(|at| at.to_datetime()),
        columns.access_token_signing_alg,
        columns.id_token_signed_response_alg,
        columns.introspection_signed_response_alg,
        columns.jwks,
        columns.jwks_uri,
        columns.token_endpoint_auth_signing_alg,
        client.authentication.secrets().is_some(),
        matches!(client.authentication, ClientAuthentication::SecretAssertion(_)),
        client.about().client_uri.as_deref(),
        client.about().logo_uri.as_deref(),
        client.about().policy_uri.as_deref(),
        client.about().tos_uri.as_deref(),
        &client.about().contacts,
        client.about().software_id.as_deref(),
        client.about().software_version.as_deref(),
        columns.sector_identifier,
        columns.sector_identifier_uri,
        columns.userinfo_signed_response_alg,
        columns.default_max_age,
        client.openid.require_auth_time,
        &client.logout().post_logout_redirect_uris,
        client.logout().backchannel_logout_uri.as_deref(),
        client.logout().backchannel_logout_session_required,
        client.logout().end_offline_grants_with_session,
        client.skip_consent,
        client.self_registered,
        columns.registration_token_hash,
        columns.previous_registration_token_hash,
    )
    .execute(transaction)
    .await?;
    Ok(())
}

/// A client whose row is locked until it is written or this is dropped.
pub struct ChangingClient<'a> {
    client: Client,
    scopes: HeldScopes,
    transaction: Transaction,
    origin: &'a Origin,
}

impl ChangingClient<'_> {
    /// The client as it is.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The transaction in which it is locked.
    pub(super) fn transaction(&mut self) -> &mut Transaction {
        &mut self.transaction
    }

    /// Removes the client, as [`Store::delete_client`] does.
    pub async fn delete(mut self) -> Result<(), StoreError> {
        let deleted = delete(&mut self.transaction, self.origin, &self.client.id).await?;
        super::commit_change(self.transaction, deleted).await?;
        Ok(())
    }

    /// Writes all that may change of the client: no new secret, and not whether it is confidential. A scope that was
    /// deleted meanwhile is left out, and resource servers that it is the first to name are registered.
    pub async fn write(mut self, client: &Client) -> Result<(), StoreError> {
        register_named(&mut self.transaction, &[&client.audiences, &client.resource_servers]).await?;
        remember_clients_token_lifetimes(&mut self.transaction).await?;
        let before = audit::client_row(&mut self.transaction, &client.id).await?;
        put(&mut self.transaction, client, &self.scopes).await?;
        let after = audit::client_row(&mut self.transaction, &client.id).await?;
        audit::record(
            &mut self.transaction,
            self.origin,
            &audit::client_changes(&client.id, &before, &after),
        )
        .await?;
        bump_version(&mut self.transaction).await?;
        Ok(self.transaction.commit().await?)
    }
}
