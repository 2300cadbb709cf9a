//! A client's columns and what they mean.

use std::time::Duration;

use ::time::OffsetDateTime;
use serde_json::Value;

use super::StoreError;
use crate::jose::{Algorithm, AssertionAlgorithm};
use crate::model::{
    AboutClient, ApplicationType, AssertionKeys, AuthMethod, Client, ClientAuthentication, ClientKeys,
    ClientSecret, ClientSecrets, GrantType, LogoutMetadata, OpenIdMetadata, RegistrationTokens, SecretHash,
    SecretMethod, Sector,
};
use crate::time::Timestamp;

/// A client as `select_clients!` reads it.
pub(super) struct ClientRow {
    pub client_id: String,
    pub name: String,
    pub application_type: String,
    pub confidential: bool,
    pub auth_method: Option<String>,
    pub secret_hash: Option<Vec<u8>>,
    pub secret_key_id: Option<Vec<u8>>,
    pub secret_expires_at: Option<OffsetDateTime>,
    pub sealed_secret: Option<Vec<u8>>,
    pub previous_secret_hash: Option<Vec<u8>>,
    pub previous_secret_key_id: Option<Vec<u8>>,
    pub previous_secret_expires_at: Option<OffsetDateTime>,
    pub previous_sealed_secret: Option<Vec<u8>>,
    pub jwks: Option<Value>,
    pub jwks_uri: Option<String>,
    pub token_endpoint_auth_signing_alg: Option<String>,
    pub redirect_uris: Vec<String>,
    pub grant_types: Vec<String>,
    pub scopes: Vec<String>,
    pub audiences: Vec<String>,
    pub resource_servers: Vec<String>,
    pub access_token_lifetime: Option<i32>,
    pub refresh_idle_lifetime: Option<i32>,
    pub refresh_absolute_lifetime: Option<i32>,
    pub rotate_refresh_tokens: bool,
    pub require_pkce: bool,
    pub access_token_signing_alg: Option<String>,
    pub id_token_signed_response_alg: Option<String>,
    pub introspection_signed_response_alg: Option<String>,
    pub client_uri: Option<String>,
    pub logo_uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
    pub contacts: Vec<String>,
    pub software_id: Option<String>,
    pub software_version: Option<String>,
    pub sector_identifier: Option<String>,
    pub sector_identifier_uri: Option<String>,
    pub userinfo_signed_response_alg: Option<String>,
    pub default_max_age: Option<i32>,
    pub require_auth_time: bool,
    pub post_logout_redirect_uris: Vec<String>,
    pub backchannel_logout_uri: Option<String>,
    pub backchannel_logout_session_required: bool,
    pub end_offline_grants_with_session: bool,
    pub skip_consent: bool,
    pub self_registered: bool,
    pub registration_token_hash: Option<Vec<u8>>,
    pub previous_registration_token_hash: Option<Vec<u8>>,
    pub disabled_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
}

impl TryFrom<ClientRow> for Client {
    type Error = StoreError;

    fn try_from(mut row: ClientRow) -> Result<Self, StoreError> {
        Ok(Self {
            authentication: authentication(&mut row)?,
            registration_tokens: registration_tokens(&row)?,
            id: row.client_id.into(),
            name: row.name,
            application_type: ApplicationType::parse(&row.application_type)
                .ok_or_else(|| unknown("application_type", row.application_type))?,
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
            about: AboutClient {
                client_uri: row.client_uri,
                logo_uri: row.logo_uri,
                policy_uri: row.policy_uri,
                tos_uri: row.tos_uri,
                contacts: row.contacts,
                software_id: row.software_id,
                software_version: row.software_version,
            }
            .boxed(),
            openid: OpenIdMetadata {
                pairwise: row
                    .sector_identifier
                    .map(|identifier| Sector { identifier, uri: row.sector_identifier_uri }),
                userinfo_signed_response_alg: algorithm(
                    "userinfo_signed_response_alg",
                    row.userinfo_signed_response_alg,
                )?,
                default_max_age: row.default_max_age.and_then(duration),
                require_auth_time: row.require_auth_time,
            },
            logout: LogoutMetadata {
                post_logout_redirect_uris: row.post_logout_redirect_uris,
                backchannel_logout_uri: row.backchannel_logout_uri,
                backchannel_logout_session_required: row.backchannel_logout_session_required,
                end_offline_grants_with_session: row.end_offline_grants_with_session,
            }
            .boxed(),
            skip_consent: row.skip_consent,
            self_registered: row.self_registered,
            disabled_at: row.disabled_at.map(Into::into),
            created_at: row.created_at.into(),
        })
    }
}

/// What the columns say together. An older release writes the newest secret alone, whichever the method.
fn authentication(row: &mut ClientRow) -> Result<ClientAuthentication, StoreError> {
    let method = row.auth_method.take().map(|text| match AuthMethod::parse(&text) {
        Some(method) => Ok(method),
        None => Err(unknown("auth_method", text)),
    });
    Ok(match method.transpose()? {
        _ if !row.confidential => ClientAuthentication::Public,
        Some(AuthMethod::None) => ClientAuthentication::Public,
        Some(AuthMethod::PrivateKeyJwt) => ClientAuthentication::KeyAssertion(assertion_keys(row)?),
        Some(AuthMethod::ClientSecretJwt) => ClientAuthentication::SecretAssertion(secrets(row)?),
        Some(AuthMethod::ClientSecretBasic) => {
            ClientAuthentication::Secret { method: Some(SecretMethod::Basic), secrets: secrets(row)? }
        }
        Some(AuthMethod::ClientSecretPost) => {
            ClientAuthentication::Secret { method: Some(SecretMethod::Post), secrets: secrets(row)? }
        }
        None => ClientAuthentication::Secret { method: None, secrets: secrets(row)? },
    })
}

fn secrets(row: &mut ClientRow) -> Result<ClientSecrets, StoreError> {
    let secret = |hash: Option<Vec<u8>>,
                  key_id: Option<Vec<u8>>,
                  expires_at: Option<OffsetDateTime>,
                  sealed: Option<Vec<u8>>| {
        let Some((hash, key_id)) = hash.zip(key_id) else { return Ok(None) };
        let hash =
            SecretHash { hash: bytes("secret_hash", &hash)?, key_id: bytes("secret_key_id", &key_id)? };
        let expires_at = expires_at.map(Into::into);
        Ok::<_, StoreError>(Some(ClientSecret { hash, expires_at, sealed: sealed.map(Into::into) }))
    };
    let newest = secret(
        row.secret_hash.take(),
        row.secret_key_id.take(),
        row.secret_expires_at,
        row.sealed_secret.take(),
    )?;
    let previous = secret(
        row.previous_secret_hash.take(),
        row.previous_secret_key_id.take(),
        row.previous_secret_expires_at,
        row.previous_sealed_secret.take(),
    )?;
    let newest = newest.ok_or_else(|| unknown("secret_hash", "NULL".to_owned()))?;
    Ok(ClientSecrets { newest, previous: previous.map(Box::new) })
}

fn registration_tokens(row: &ClientRow) -> Result<Option<Box<RegistrationTokens>>, StoreError> {
    let hash = |hash: &Vec<u8>| bytes("registration_token_hash", hash);
    let Some(newest) = &row.registration_token_hash else { return Ok(None) };
    let previous = row.previous_registration_token_hash.as_ref().map(hash).transpose()?;
    Ok(Some(Box::new(RegistrationTokens { newest: hash(newest)?, previous })))
}

fn bytes<const N: usize>(column: &'static str, bytes: &[u8]) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| unknown(column, format!("{} bytes", bytes.len())))
}

fn assertion_keys(row: &mut ClientRow) -> Result<AssertionKeys, StoreError> {
    let keys = match (row.jwks.take(), row.jwks_uri.take()) {
        (Some(jwks), _) => ClientKeys::Value(jwks.into()),
        (None, Some(uri)) => ClientKeys::Uri(uri),
        (None, None) => return Err(unknown("jwks", "NULL".to_owned())),
    };
    let signing_alg = row.token_endpoint_auth_signing_alg.take().map(|name| {
        AssertionAlgorithm::parse(&name).ok_or_else(|| unknown("token_endpoint_auth_signing_alg", name))
    });
    Ok(AssertionKeys { keys, signing_alg: signing_alg.transpose()? })
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
pub(super) struct Columns<'a> {
    pub auth_method: Option<&'static str>,
    pub newest_secret: SecretColumns<'a>,
    pub jwks: Option<&'a Value>,
    pub jwks_uri: Option<&'a str>,
    pub token_endpoint_auth_signing_alg: Option<&'static str>,
    pub grant_types: Vec<String>,
    pub access_token_lifetime: Option<i32>,
    pub refresh_idle_lifetime: Option<i32>,
    pub refresh_absolute_lifetime: Option<i32>,
    pub access_token_signing_alg: Option<&'static str>,
    pub id_token_signed_response_alg: Option<&'static str>,
    pub introspection_signed_response_alg: Option<&'static str>,
    pub sector_identifier: Option<&'a str>,
    pub sector_identifier_uri: Option<&'a str>,
    pub userinfo_signed_response_alg: Option<&'static str>,
    pub default_max_age: Option<i32>,
    pub registration_token_hash: Option<&'a [u8]>,
    pub previous_registration_token_hash: Option<&'a [u8]>,
}

/// A secret; all NULL where there is none.
#[derive(Default)]
pub(super) struct SecretColumns<'a> {
    pub hash: Option<&'a [u8]>,
    pub key_id: Option<&'a [u8]>,
    pub expires_at: Option<OffsetDateTime>,
    pub sealed: Option<&'a [u8]>,
}

impl<'a> From<&'a ClientSecret> for SecretColumns<'a> {
    fn from(secret: &'a ClientSecret) -> Self {
        Self {
            hash: Some(&secret.hash.hash),
            key_id: Some(&secret.hash.key_id),
            expires_at: secret.expires_at.map(Timestamp::to_datetime),
            sealed: secret.sealed.as_deref(),
        }
    }
}

impl<'a> Columns<'a> {
    pub fn of(client: &'a Client) -> Self {
        let secrets = client.authentication.secrets();
        let keys = client.authentication.keys();
        let sector = client.openid.pairwise.as_ref();
        let registration_tokens = client.registration_tokens.as_ref();
        let (jwks, jwks_uri) = match keys.map(|keys| &keys.keys) {
            Some(ClientKeys::Value(jwks)) => (Some(jwks.json()), None),
            Some(ClientKeys::Uri(uri)) => (None, Some(uri.as_str())),
            None => (None, None),
        };
        Self {
            auth_method: client.authentication.method().map(AuthMethod::as_str),
            newest_secret: secrets.map(|secrets| (&secrets.newest).into()).unwrap_or_default(),
            jwks,
            jwks_uri,
            token_endpoint_auth_signing_alg: keys
                .and_then(|keys| keys.signing_alg)
                .map(AssertionAlgorithm::as_str),
            grant_types: client.grant_types.iter().map(|grant| grant.as_str().to_owned()).collect(),
            access_token_lifetime: client.access_token_lifetime.map(seconds),
            refresh_idle_lifetime: client.refresh_idle_lifetime.map(seconds),
            refresh_absolute_lifetime: client.refresh_absolute_lifetime.map(seconds),
            access_token_signing_alg: client.access_token_signing_alg.map(Algorithm::name),
            id_token_signed_response_alg: client.id_token_signed_response_alg.map(Algorithm::name),
            introspection_signed_response_alg: client.introspection_signed_response_alg.map(Algorithm::name),
            sector_identifier: sector.map(|sector| sector.identifier.as_str()),
            sector_identifier_uri: sector.and_then(|sector| sector.uri.as_deref()),
            userinfo_signed_response_alg: client.openid.userinfo_signed_response_alg.map(Algorithm::name),
            default_max_age: client.openid.default_max_age.map(seconds),
            registration_token_hash: registration_tokens.map(|tokens| &tokens.newest[..]),
            previous_registration_token_hash: registration_tokens
                .and_then(|tokens| tokens.previous.as_ref().map(|previous| &previous[..])),
        }
    }
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

fn duration(seconds: i32) -> Option<Duration> {
    u64::try_from(seconds).ok().map(Duration::from_secs)
}
