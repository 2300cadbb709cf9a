use serde::Serialize;
use serde_json::Value;

use crate::jose::{Algorithm, AssertionAlgorithm};
use crate::model::{ApplicationType, AuthMethod, Client, ClientAuthentication, ClientKeys, GrantType};
use crate::protocol::discovery::REGISTRATION_PATH;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What a client is told that is registered of it, defaults included (RFC 7591 §3.2.1, RFC 7592 §3). A secret is told
/// when it is made and never again: only its hash is kept.
#[derive(Serialize)]
pub struct RegisteredClient {
    client_id: String,
    client_id_issued_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// Seconds since 1970; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    registration_access_token: String,
    registration_client_uri: String,
    #[serde(flatten)]
    metadata: Metadata,
}

#[derive(Serialize)]
struct Metadata {
    redirect_uris: Vec<String>,
    response_types: &'static [&'static str],
    grant_types: Vec<GrantType>,
    application_type: ApplicationType,
    client_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tos_uri: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software_version: Option<String>,
    scope: String,
    token_endpoint_auth_method: AuthMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_signing_alg: Option<AssertionAlgorithm>,
    id_token_signed_response_alg: Algorithm,
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo_signed_response_alg: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_signed_response_alg: Option<Algorithm>,
    subject_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sector_identifier_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_max_age: Option<u64>,
    require_auth_time: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    post_logout_redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backchannel_logout_uri: Option<String>,
    backchannel_logout_session_required: bool,
}

impl RegisteredClient {
    pub(super) fn new(
        client: &Client,
        issuer: &str,
        registration_token: Secret<String>,
        secret: Option<Secret<String>>,
    ) -> Self {
        let id = client.id.as_str();
        let newest = client.authentication.secrets().map(|secrets| &secrets.newest);
        Self {
            client_id: id.to_owned(),
            client_id_issued_at: client.created_at.unix_seconds(),
            client_secret: secret.map(|secret| secret.expose().clone()),
            client_secret_expires_at: newest
                .map(|secret| secret.expires_at.map_or(0, Timestamp::unix_seconds)),
            registration_access_token: registration_token.expose().clone(),
            registration_client_uri: format!("{issuer}{REGISTRATION_PATH}/{id}"),
            metadata: Metadata::from(client.clone()),
        }
    }

    /// Where the client reads and changes itself.
    pub fn location(&self) -> &str {
        &self.registration_client_uri
    }
}

impl From<Client> for Metadata {
    fn from(client: Client) -> Self {
        let signs_people_in = client.allows_grant(GrantType::AuthorizationCode);
        let (jwks, jwks_uri) = match client.authentication.keys().map(|keys| keys.keys.clone()) {
            Some(ClientKeys::Value(jwks)) => (Some(jwks.json().clone()), None),
            Some(ClientKeys::Uri(uri)) => (None, Some(uri)),
            None => (None, None),
        };
        let token_endpoint_auth_signing_alg = match &client.authentication {
            ClientAuthentication::SecretAssertion(_) => Some(AssertionAlgorithm::Hs256),
            authentication => authentication.keys().and_then(|keys| keys.signing_alg),
        };
        let is_pairwise = client.openid.pairwise.is_some();
        let about = client.about.map(|about| *about).unwrap_or_default();
        let logout = client.logout.map(|logout| *logout).unwrap_or_default();
        Self {
            redirect_uris: client.redirect_uris,
            response_types: if signs_people_in { &["code"] } else { &[] },
            grant_types: client.grant_types,
            application_type: client.application_type,
            client_name: client.name,
            client_uri: about.client_uri,
            logo_uri: about.logo_uri,
            policy_uri: about.policy_uri,
            tos_uri: about.tos_uri,
            contacts: about.contacts,
            jwks,
            jwks_uri,
            software_id: about.software_id,
            software_version: about.software_version,
            scope: client.scopes.join(" "),
            token_endpoint_auth_method: client
                .authentication
                .method()
                .unwrap_or(AuthMethod::ClientSecretBasic),
            token_endpoint_auth_signing_alg,
            id_token_signed_response_alg: client.id_token_signed_response_alg.unwrap_or_default(),
            userinfo_signed_response_alg: client.openid.userinfo_signed_response_alg,
            introspection_signed_response_alg: client.introspection_signed_response_alg,
            subject_type: if is_pairwise { "pairwise" } else { "public" },
            sector_identifier_uri: client.openid.pairwise.and_then(|sector| sector.uri),
            default_max_age: client.openid.default_max_age.map(|age| age.as_secs()),
            require_auth_time: client.openid.require_auth_time,
            post_logout_redirect_uris: logout.post_logout_redirect_uris,
            backchannel_logout_uri: logout.backchannel_logout_uri,
            backchannel_logout_session_required: logout.backchannel_logout_session_required,
        }
    }
}
