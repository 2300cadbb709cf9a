//! A client as commands show it.

use std::time::Duration;

use serde::Serialize;

use super::output::{pairs, table};
use crate::jose::Algorithm;
use crate::model::{ApplicationType, AuthMethod, Client, ClientId, GrantType};
use crate::time::Timestamp;

/// A client as JSON; the names are those of RFC 7591 §2 where it has them. Lifetimes are in seconds.
#[derive(Serialize)]
pub(super) struct ClientView<'a> {
    client_id: &'a ClientId,
    client_name: &'a str,
    confidential: bool,
    application_type: ApplicationType,
    token_endpoint_auth_method: Option<AuthMethod>,
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
    disabled_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl<'a> From<&'a Client> for ClientView<'a> {
    fn from(client: &'a Client) -> Self {
        let seconds = |lifetime: Option<Duration>| lifetime.map(|lifetime| lifetime.as_secs());
        Self {
            client_id: &client.id,
            client_name: &client.name,
            confidential: client.is_confidential(),
            application_type: client.application_type,
            token_endpoint_auth_method: client.auth_method,
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
            disabled_at: client.disabled_at,
            created_at: client.created_at,
        }
    }
}

/// All of a client, for people.
pub(super) fn describe(client: &Client) -> String {
    let method = match client.auth_method {
        Some(method) => method.as_str(),
        None => "client_secret_basic or client_secret_post",
    };
    let grants: Vec<_> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
    pairs(&[
        ("client_id", client.id.to_string()),
        ("name", client.name.clone()),
        ("type", kind(client)),
        ("authentication", method.to_owned()),
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
        ("state", state(client)),
        ("created", client.created_at.to_string()),
    ])
}

/// Clients as a table, for people.
pub(super) fn list(clients: &[Client]) -> String {
    let rows = clients.iter().map(|client| {
        let grants: Vec<_> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
        [client.id.to_string(), client.name.clone(), kind(client), grants.join(" "), state(client)]
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
    lifetime.map_or("as configured".to_owned(), |lifetime| crate::config::format_duration(lifetime.as_secs()))
}

fn state(client: &Client) -> String {
    client.disabled_at.map_or("enabled".to_owned(), |since| format!("disabled since {since}"))
}
