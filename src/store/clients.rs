//! Registered clients.

use std::time::Duration;

use ::time::OffsetDateTime;
use sqlx::{Postgres, Transaction};

use super::{Store, StoreError, bump_version};
use crate::jose::Algorithm;
use crate::model::{ApplicationType, AuthMethod, Client, ClientId, GrantType, SecretHash};

/// The one list of columns that a [`ClientRow`] has, with what follows `FROM clients`.
macro_rules! select_clients {
    ($tail:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            ClientRow,
            "SELECT client_id, name, application_type, auth_method, secret_hash, secret_key_id, redirect_uris,
                    grant_types, scopes, audiences, resource_servers, access_token_lifetime,
                    refresh_idle_lifetime, refresh_absolute_lifetime, rotate_refresh_tokens, require_pkce,
                    access_token_signing_alg, id_token_signed_response_alg, introspection_signed_response_alg,
                    disabled_at, created_at
             FROM clients " + $tail,
            $($argument),*
        )
    };
}
impl Store {
    /// Registers a client.
    pub async fn insert_client(&self, client: &Client) -> Result<(), StoreError> {
        let columns = Columns::of(client);
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "INSERT INTO clients (client_id, name, confidential, application_type, auth_method, secret_hash,
                                  secret_key_id, redirect_uris, grant_types, scopes, audiences, resource_servers,
                                  access_token_lifetime, refresh_idle_lifetime, refresh_absolute_lifetime,
                                  rotate_refresh_tokens, require_pkce, access_token_signing_alg,
                                  id_token_signed_response_alg, introspection_signed_response_alg, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $21)",
            client.id.as_str(),
            client.name,
            client.is_confidential(),
            client.application_type.as_str(),
            columns.auth_method,
            client.secret.as_ref().map(|secret| secret.hash.as_slice()),
            client.secret.as_ref().map(|secret| secret.key_id.as_slice()),
            &client.redirect_uris,
            &columns.grant_types,
            &client.scopes,
            &client.audiences,
            &client.resource_servers,
            columns.access_token_lifetime,
            columns.refresh_idle_lifetime,
            columns.refresh_absolute_lifetime,
            client.rotate_refresh_tokens,
            client.require_pkce,
            columns.access_token_signing_alg,
            columns.id_token_signed_response_alg,
            columns.introspection_signed_response_alg,
            client.created_at.to_datetime(),
        )
        .execute(&mut *transaction)
        .await
        .map_err(|error| StoreError::conflict(error, "a client with this identifier"))?;
        bump_version(&mut transaction).await?;
        Ok(transaction.commit().await?)
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
        let row = select_clients!("WHERE client_id = $1 FOR NO KEY UPDATE", id.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ChangingClient { client: Client::try_from(row)?, transaction }))
    }

    /// Replaces a confidential client's secret; the old one ends. Returns whether there is such a client.
    pub async fn replace_client_secret(
        &self,
        id: &ClientId,
        secret: &SecretHash,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!(
            "UPDATE clients SET secret_hash = $2, secret_key_id = $3, updated_at = clock_timestamp()
             WHERE client_id = $1 AND confidential",
            id.as_str(),
            secret.hash,
            secret.key_id,
        )
        .execute(&mut *transaction)
        .await?;
        super::commit_change(transaction, done.rows_affected()).await
    }

    /// Removes a client; its grants are dead without it. Returns whether it existed.
    pub async fn delete_client(&self, id: &ClientId) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!("DELETE FROM clients WHERE client_id = $1", id.as_str())
            .execute(&mut *transaction)
            .await?;
        super::commit_change(transaction, done.rows_affected()).await
    }
}

/// A client whose row is locked until it is written or this is dropped.
pub struct ChangingClient<'a> {
    client: Client,
    transaction: Transaction<'a, Postgres>,
}

impl ChangingClient<'_> {
    /// The client as it is.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Writes all that may change of a client: not its secret, and not whether it is confidential.
    pub async fn write(mut self, client: &Client) -> Result<(), StoreError> {
        let columns = Columns::of(client);
        let done = sqlx::query!(
            "UPDATE clients
             SET name = $2, application_type = $3, auth_method = $4, redirect_uris = $5, grant_types = $6,
                 scopes = $7, audiences = $8, resource_servers = $9, access_token_lifetime = $10,
                 refresh_idle_lifetime = $11, refresh_absolute_lifetime = $12, rotate_refresh_tokens = $13,
                 require_pkce = $14, disabled_at = $15, access_token_signing_alg = $16,
                 id_token_signed_response_alg = $17, introspection_signed_response_alg = $18, updated_at = clock_timestamp()
             WHERE client_id = $1",
            client.id.as_str(),
            client.name,
            client.application_type.as_str(),
            columns.auth_method,
            &client.redirect_uris,
            &columns.grant_types,
            &client.scopes,
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
        )
        .execute(&mut *self.transaction)
        .await?;
        super::commit_change(self.transaction, done.rows_affected()).await?;
        Ok(())
    }
}

struct ClientRow {
    client_id: String,
    name: String,
    application_type: String,
    auth_method: Option<String>,
    secret_hash: Option<Vec<u8>>,
    secret_key_id: Option<Vec<u8>>,
    redirect_uris: Vec<String>,
    grant_types: Vec<String>,
    scopes: Vec<String>,
    audiences: Vec<String>,
    resource_servers: Vec<String>,
    access_token_lifetime: Option<i32>,
    refresh_idle_lifetime: Option<i32>,
    refresh_absolute_lifetime: Option<i32>,
    rotate_refresh_tokens: bool,
    require_pkce: bool,
    access_token_signing_alg: Option<String>,
    id_token_signed_response_alg: Option<String>,
    introspection_signed_response_alg: Option<String>,
    disabled_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
}

impl TryFrom<ClientRow> for Client {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Self, StoreError> {
        let auth_method = match row.auth_method {
            Some(text) => Some(AuthMethod::parse(&text).ok_or_else(|| unknown("auth_method", text))?),
            None => None,
        };
        Ok(Self {
            id: row.client_id.into(),
            name: row.name,
            secret: row.secret_hash.zip(row.secret_key_id).map(|(hash, key_id)| SecretHash { hash, key_id }),
            application_type: ApplicationType::parse(&row.application_type)
                .ok_or_else(|| unknown("application_type", row.application_type))?,
            auth_method,
            redirect_uris: row.redirect_uris,
            // A grant that a later release wrote is not available in this one.
            grant_types: row.grant_types.iter().filter_map(|text| GrantType::parse(text)).collect(),
            scopes: row.scopes,
            audiences: row.audiences,
            resource_servers: row.resource_servers,
            access_token_lifetime: row.access_token_lifetime.and_then(duration),
            refresh_idle_lifetime: row.refresh_idle_lifetime.and_then(duration),
            refresh_absolute_lifetime: row.refresh_absolute_lifetime.and_then(duration),
            rotate_refresh_tokens: row.rotate_refresh_tokens,
            require_pkce: row.require_pkce,
            access_token_signing_alg: algorithm("access_token_signing_alg", row.access_token_signing_alg)?,
            id_token_signed_response_alg: algorithm(
                "id_token_signed_response_alg",
                row.id_token_signed_response_alg,
            )?,
            introspection_signed_response_alg: algorithm(
                "introspection_signed_response_alg",
                row.introspection_signed_response_alg,
            )?,
            disabled_at: row.disabled_at.map(Into::into),
            created_at: row.created_at.into(),
        })
    }
}

fn algorithm(column: &'static str, name: Option<String>) -> Result<Option<Algorithm>, StoreError> {
    name.map(|name| Algorithm::from_name(&name).ok_or_else(|| unknown(column, name))).transpose()
}

fn unknown(column: &'static str, text: String) -> StoreError {
    StoreError::Database(sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("this release does not know {text:?}").into(),
    })
}

/// What the database stores in another form than the model.
struct Columns {
    auth_method: Option<&'static str>,
    grant_types: Vec<String>,
    access_token_lifetime: Option<i32>,
    refresh_idle_lifetime: Option<i32>,
    refresh_absolute_lifetime: Option<i32>,
    access_token_signing_alg: Option<&'static str>,
    id_token_signed_response_alg: Option<&'static str>,
    introspection_signed_response_alg: Option<&'static str>,
}

impl Columns {
    fn of(client: &Client) -> Self {
        Self {
            auth_method: client.auth_method.map(AuthMethod::as_str),
            grant_types: client.grant_types.iter().map(|grant| grant.as_str().to_owned()).collect(),
            access_token_lifetime: client.access_token_lifetime.map(seconds),
            refresh_idle_lifetime: client.refresh_idle_lifetime.map(seconds),
            refresh_absolute_lifetime: client.refresh_absolute_lifetime.map(seconds),
            access_token_signing_alg: client.access_token_signing_alg.map(Algorithm::name),
            id_token_signed_response_alg: client.id_token_signed_response_alg.map(Algorithm::name),
            introspection_signed_response_alg: client.introspection_signed_response_alg.map(Algorithm::name),
        }
    }
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

fn duration(seconds: i32) -> Option<Duration> {
    u64::try_from(seconds).ok().map(Duration::from_secs)
}
