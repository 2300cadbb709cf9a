//! A client as commands show it.

mod about;

use std::time::Duration;

use serde::Serialize;

use self::about::AboutView;
use super::output::{pairs, table};
use crate::jose::{Algorithm, AssertionAlgorithm};
use crate::model::{
    ApplicationType, AuthMethod, Client, ClientAuthentication, ClientId, ClientKeys, ClientSecret, GrantType,
    Sector, SubjectType,
};
use crate::time::Timestamp;

/// A client as JSON; the names are those of RFC 7591 §2 where it has them. Lifetimes are in seconds.
#[derive(Serialize)]
pub(super) struct ClientView<'a> {
    client_id: &'a ClientId,
    client_name: &'a str,
    confidential: bool,
    application_type: ApplicationType,
    token_endpoint_auth_method: Option<AuthMethod>,
    token_endpoint_auth_signing_alg: Option<AssertionAlgorithm>,
    jwks: Option<&'a serde_json::Value>,
    jwks_uri: Option<&'a str>,
    /// Seconds since 1970; 0: never (RFC 7591 §3.2.1). Absent where there is no such secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_client_secret_expires_at: Option<i64>,
    redirect_uris: &'a [String],
    grant_types: &'a [GrantType],
    scope: String,
    audiences: &'a [String],
    resource_servers: &'a [String],
    access_token_lifetime: Option<u64>,
    refresh_idle_lifetime: Option<u64>,
    refresh_absolute_lifetime: Option<u64>,
    rotate_refresh_tokens: bool,
    require_pkce: bool,
    access_token_signing_alg: Algorithm,
    id_token_signed_response_alg: Algorithm,
    introspection_signed_response_alg: Option<Algorithm>,
    subject_type: SubjectType,
    sector_identifier: Option<&'a str>,
    sector_identifier_uri: Option<&'a str>,
    #[serde(flatten)]
    about: AboutView<'a>,
    skip_consent: bool,
    disabled_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl<'a> From<&'a Client> for ClientView<'a> {
    fn from(client: &'a Client) -> Self {
        let seconds = |lifetime: Option<Duration>| lifetime.map(|lifetime| lifetime.as_secs());
        let keys = client.authentication.keys().map(|keys| &keys.keys);
        let secrets = client.authentication.secrets();
        let sector = client.openid.pairwise.as_ref();
        let end = |secret: &ClientSecret| secret.expires_at.map_or(0, Timestamp::unix_seconds);
        Self {
            client_id: &client.id,
            client_name: &client.name,
            confidential: client.is_confidential(),
            application_type: client.application_type,
            token_endpoint_auth_method: client.authentication.method(),
            token_endpoint_auth_signing_alg: signing_alg(client),
            jwks: match keys {
                Some(ClientKeys::Value(jwks)) => Some(jwks.json()),
                _ => None,
            },
            jwks_uri: match keys {
                Some(ClientKeys::Uri(uri)) => Some(uri),
                _ => None,
            },
            client_secret_expires_at: secrets.map(|secrets| end(&secrets.newest)),
            previous_client_secret_expires_at: secrets
                .and_then(|secrets| secrets.previous.as_deref())
                .map(end),
            redirect_uris: &client.redirect_uris,
            grant_types: &client.grant_types,
            scope: client.scopes.join(" "),
            audiences: &client.audiences,
            resource_servers: &client.resource_servers,
            access_token_lifetime: seconds(client.access_token_lifetime),
            refresh_idle_lifetime: seconds(client.refresh_idle_lifetime),
            refresh_absolute_lifetime: seconds(client.refresh_absolute_lifetime),
            rotate_refresh_tokens: client.rotate_refresh_tokens,
            require_pkce: client.require_pkce,
            access_token_signing_alg: client.access_token_signing_alg.unwrap_or_default(),
            id_token_signed_response_alg: client.id_token_signed_response_alg.unwrap_or_default(),
            introspection_signed_response_alg: client.introspection_signed_response_alg,
            subject_type: sector.map_or(SubjectType::Public, |_| SubjectType::Pairwise),
            sector_identifier: sector.map(|sector| sector.identifier.as_str()),
            sector_identifier_uri: sector.and_then(|sector| sector.uri.as_deref()),
            about: AboutView::from(client),
            skip_consent: client.skip_consent,
            disabled_at: client.disabled_at,
            created_at: client.created_at,
        }
    }
}

/// The one algorithm that the client's assertions may have.
fn signing_alg(client: &Client) -> Option<AssertionAlgorithm> {
    match &client.authentication {
        ClientAuthentication::SecretAssertion(_) => Some(AssertionAlgorithm::Hs256),
        ClientAuthentication::KeyAssertion(keys) => keys.signing_alg,
        _ => None,
    }
}

fn assertions(client: &Client) -> String {
    match (signing_alg(client), client.authentication.keys()) {
        (Some(alg), _) => alg.to_string(),
        (None, Some(_)) => "with any algorithm that fits the key".to_owned(),
        (None, None) => String::new(),
    }
}

/// All of a client, for people.
pub(super) fn describe(client: &Client, now: Timestamp) -> String {
    let method = match client.authentication.method() {
        Some(method) => method.as_str(),
        None => "client_secret_basic or client_secret_post",
    };
    let grants: Vec<_> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
    let first = [
        ("client_id", client.id.to_string()),
        ("name", client.name.clone()),
        ("type", kind(client)),
        ("authentication", method.to_owned()),
        ("assertions signed", assertions(client)),
        ("keys", keys(client)),
        ("secret", secrets(client, now)),
        ("redirect URIs", client.redirect_uris.join("\n")),
        ("grants", grants.join(" ")),
        ("scope", client.scopes.join(" ")),
        ("audiences", client.audiences.join("\n")),
        ("resource servers", client.resource_servers.join("\n")),
        ("access tokens live", lifetime(client.access_token_lifetime)),
        ("refresh idle", lifetime(client.refresh_idle_lifetime)),
        ("refresh absolute", lifetime(client.refresh_absolute_lifetime)),
        ("refresh tokens", if client.rotate_refresh_tokens { "rotate" } else { "stay the same" }.to_owned()),
        ("PKCE", if client.require_pkce { "required" } else { "optional" }.to_owned()),
        ("access tokens signed", client.access_token_signing_alg.unwrap_or_default().to_string()),
        ("ID tokens signed", client.id_token_signed_response_alg.unwrap_or_default().to_string()),
        ("subjects", subjects(client)),
        ("consent", if client.skip_consent { "not asked for" } else { "asked for" }.to_owned()),
    ];
    let last = [("state", state(client)), ("created", client.created_at.to_string())];
    let all: Vec<_> = first.into_iter().chain(about::lines(client)).chain(last).collect();
    pairs(&all)
}

fn subjects(client: &Client) -> String {
    match &client.openid.pairwise {
        None => SubjectType::Public.to_string(),
        Some(Sector { identifier, uri: None }) => format!("pairwise, for {identifier}"),
        Some(Sector { identifier, uri: Some(uri) }) => format!("pairwise, for {identifier}\nlisted at {uri}"),
    }
}

/// Clients as a table, for people.
pub(super) fn list(clients: &[Client], now: Timestamp) -> String {
    let rows = clients.iter().map(|client| {
        let grants: Vec<_> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
        [
            client.id.to_string(),
            client.name.clone(),
            kind(client),
            grants.join(" "),
            state_and_secret(client, now),
        ]
    });
    table(
        ["client_id", "name", "type", "grants", "state"],
        rows.collect(),
        "No clients. Register one with: grantor client create --name NAME --redirect-uri URI",
    )
}

fn kind(client: &Client) -> String {
    let kind = if client.is_confidential() { "confidential" } else { "public" };
    format!("{kind}, {}", client.application_type)
}

fn lifetime(lifetime: Option<Duration>) -> String {
    lifetime.map_or("as configured".to_owned(), words)
}

fn words(duration: Duration) -> String {
    crate::config::format_duration(duration.as_secs())
}

fn keys(client: &Client) -> String {
    match client.authentication.keys().map(|keys| &keys.keys) {
        Some(ClientKeys::Uri(uri)) => uri.clone(),
        Some(ClientKeys::Value(jwks)) => {
            let kids = jwks.json()["keys"].as_array().into_iter().flatten().map(|key| key["kid"].as_str());
            kids.map(|kid| kid.unwrap_or("without kid")).collect::<Vec<_>>().join("\n")
        }
        None => String::new(),
    }
}

/// When each secret ends.
fn secrets(client: &Client, now: Timestamp) -> String {
    let Some(secrets) = client.authentication.secrets() else { return String::new() };
    let previous = secrets.previous.as_deref().filter(|previous| !previous.is_expired(now));
    let end = |secret: &ClientSecret| {
        secret.expires_at.map_or("does not expire".to_owned(), |end| {
            format!("{} {end}", if end <= now { "EXPIRED at" } else { "expires at" })
        })
    };
    let previous = previous.map(|previous| format!("\nthe previous one still works and {}", end(previous)));
    format!("{}{}", end(&secrets.newest), previous.unwrap_or_default())
}

/// What an operator should do something about stands in the list too: a secret that has ended or will in 14 days.
fn state_and_secret(client: &Client, now: Timestamp) -> String {
    const NOTABLE: Duration = Duration::from_secs(14 * 86_400);
    let end = client.authentication.secrets().and_then(|secrets| secrets.newest.expires_at);
    match end {
        Some(end) if end <= now => format!("{}, secret EXPIRED at {end}", state(client)),
        Some(end) if end <= now + NOTABLE => format!("{}, secret expires at {end}", state(client)),
        _ => state(client),
    }
}

fn state(client: &Client) -> String {
    let state = client.disabled_at.map_or("enabled".to_owned(), |since| format!("disabled since {since}"));
    if client.self_registered { format!("{state}, registered itself") } else { state }
}
