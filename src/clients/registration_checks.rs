//! What a registered client must be: one pure function over what was asked for and the registered scopes.

use std::time::Duration;

use super::registration::ClientMetadata;
use super::registration_about::{check_about, check_logout};
use crate::model::{ApplicationType, Client, ClientAuthentication, ClientId, GrantType, Scope, check_name};
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::resource::check_resource;
use crate::time::Timestamp;

const MAX_NAME_CHARACTERS: usize = 200;
const MAX_LIST_LENGTH: usize = 100;
const DAY: Duration = Duration::from_secs(86_400);
const SHORTEST_LIFETIME: Duration = Duration::from_secs(10);
const LONGEST_ACCESS_TOKEN: Duration = DAY;
const LONGEST_REFRESH: Duration = Duration::from_secs(400 * 86_400);
const DEFAULT_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Why a client is refused, in words that name the remedy.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    RedirectUri(String),
    Metadata(String),
}

pub(super) fn refuse<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Metadata(reason.into()))
}

/// Checks what was asked for besides authentication, and fills in the defaults.
pub(super) fn check(
    mut metadata: ClientMetadata,
    registered: &[Scope],
    id: ClientId,
    authentication: ClientAuthentication,
    created_at: Timestamp,
) -> Result<Client, Refusal> {
    if let Err(problem) = check_name(&metadata.name, MAX_NAME_CHARACTERS) {
        return refuse(format!("the name {problem}"));
    }
    let public = authentication == ClientAuthentication::Public;
    let redirect_uris = without_repetition("redirect URIs", metadata.redirect_uris)?;
    let application_type = check_redirect_uris(&redirect_uris, public, metadata.application_type)?;
    let grant_types = check_grants(metadata.grant_types, public, &redirect_uris)?;
    check_about(&mut metadata.about)?;
    check_logout(&mut metadata.logout, application_type == ApplicationType::Native)?;
    let resource_servers = check_resources("resource server", metadata.resource_servers)?;
    if public && !resource_servers.is_empty() {
        return refuse("a public client cannot be a resource server: it has nothing to prove itself with");
    }
    if public && (!(metadata.rotate_refresh_tokens && metadata.require_pkce)) {
        return refuse(
            "a public client always rotates refresh tokens and always uses PKCE (RFC 9700 §2.1.1, §2.2.2)",
        );
    }
    check_lifetimes(
        metadata.access_token_lifetime,
        metadata.refresh_idle_lifetime,
        metadata.refresh_absolute_lifetime,
    )?;
    check_max_age(metadata.openid.default_max_age)?;
    let client = Client {
        id,
        name: metadata.name,
        authentication,
        application_type,
        redirect_uris,
        scopes: check_scopes(metadata.scopes, &grant_types, registered)?,
        grant_types,
        audiences: check_resources("audience", metadata.audiences)?,
        resource_servers,
        access_token_lifetime: metadata.access_token_lifetime,
        refresh_idle_lifetime: metadata.refresh_idle_lifetime,
        refresh_absolute_lifetime: metadata.refresh_absolute_lifetime,
        rotate_refresh_tokens: metadata.rotate_refresh_tokens,
        require_pkce: metadata.require_pkce,
        access_token_signing_alg: metadata.access_token_signing_alg,
        id_token_signed_response_alg: metadata.id_token_signed_response_alg,
        introspection_signed_response_alg: metadata.introspection_signed_response_alg,
        about: metadata.about.boxed(),
        openid: metadata.openid,
        logout: metadata.logout.boxed(),
        skip_consent: metadata.skip_consent,
        self_registered: false,
        registration_tokens: None,
        disabled_at: None,
        created_at,
    };
    check_skip_consent(&client)?;
    Ok(client)
}

/// RFC 9700 §4.15: where another program could receive the answer, the person must see who asks.
fn check_skip_consent(client: &Client) -> Result<(), Refusal> {
    match client.redirect_uris.iter().find(|uri| client.skip_consent && !client.is_recognized_at(uri)) {
        Some(uri) => refuse(format!(
            "this client cannot skip consent, since another program could pose as it at {}: only a web app can, \
             and a public one only at https",
            quoted(uri)
        )),
        None => Ok(()),
    }
}

fn check_max_age(default_max_age: Option<Duration>) -> Result<(), Refusal> {
    match default_max_age {
        Some(max_age) if max_age > LONGEST_REFRESH => refuse("the default max_age must be at most 400 days"),
        _ => Ok(()),
    }
}

/// Decides the type of application where it is not given, and checks each URI for it.
fn check_redirect_uris(
    uris: &[String],
    public: bool,
    given: Option<ApplicationType>,
) -> Result<ApplicationType, Refusal> {
    // What is not https is http on a loopback address or a private-use scheme (RFC 8252 §7), or refused below.
    let all_stay_on_the_device = !uris.is_empty() && uris.iter().all(|uri| !uri.starts_with("https:"));
    let default =
        if public && all_stay_on_the_device { ApplicationType::Native } else { ApplicationType::Web };
    let application_type = given.unwrap_or(default);
    for uri in uris {
        RedirectUri::register(uri, application_type == ApplicationType::Native).map_err(|reason| {
            Refusal::RedirectUri(format!("the redirect URI {} is refused: {reason}", quoted(uri)))
        })?;
    }
    Ok(application_type)
}

fn check_grants(
    given: Option<Vec<GrantType>>,
    public: bool,
    redirect_uris: &[String],
) -> Result<Vec<GrantType>, Refusal> {
    let given = given.unwrap_or_else(|| vec![GrantType::AuthorizationCode, GrantType::RefreshToken]);
    let grants: Vec<_> = GrantType::ALL.iter().copied().filter(|grant| given.contains(grant)).collect();
    let has = |grant| grants.contains(&grant);
    if grants.is_empty() {
        refuse("a client needs at least one grant")
    } else if has(GrantType::RefreshToken) && !has(GrantType::AuthorizationCode) {
        refuse("refresh_token needs authorization_code: no other grant gives refresh tokens")
    } else if has(GrantType::ClientCredentials) && public {
        // RFC 6749 §4.4.
        refuse("client_credentials is for confidential clients only: a public client has no credentials")
    } else if has(GrantType::AuthorizationCode) && redirect_uris.is_empty() {
        Err(Refusal::RedirectUri(
            "authorization_code needs a redirect URI: give --redirect-uri, or --grant client_credentials for a \
             client that nobody signs in to"
                .to_owned(),
        ))
    } else {
        Ok(grants)
    }
}

fn check_scopes(
    given: Option<Vec<String>>,
    grants: &[GrantType],
    registered: &[Scope],
) -> Result<Vec<String>, Refusal> {
    let default = || {
        let scopes: &[&str] =
            if grants.contains(&GrantType::AuthorizationCode) { &DEFAULT_SCOPES } else { &[] };
        scopes.iter().map(|&scope| scope.to_owned()).collect()
    };
    let scopes = without_repetition("scopes", given.unwrap_or_else(default))?;
    match scopes.iter().find(|scope| !registered.iter().any(|known| known.name == **scope)) {
        Some(unknown) => refuse(unknown_scope(unknown)),
        None => Ok(scopes),
    }
}

/// What to do about a scope that is not registered.
pub fn unknown_scope(name: &str) -> String {
    let name = quoted(name);
    format!(
        "the scope {name} is not registered; register it with: \
         grantor scope create {name} --description 'what it lets an app do'"
    )
}

/// Absolute URIs without fragment (RFC 8707 §2).
fn check_resources(what: &str, uris: Vec<String>) -> Result<Vec<String>, Refusal> {
    let uris = without_repetition(&format!("{what}s"), uris)?;
    for uri in &uris {
        if let Err(reason) = check_resource(uri) {
            return refuse(format!("the {what} {} is refused: {reason}", quoted(uri)));
        }
    }
    Ok(uris)
}

fn check_lifetimes(
    access_token: Option<Duration>,
    refresh_idle: Option<Duration>,
    refresh_absolute: Option<Duration>,
) -> Result<(), Refusal> {
    for (what, lifetime, longest, longest_in_words) in [
        ("access token", access_token, LONGEST_ACCESS_TOKEN, "24 hours"),
        ("idle refresh", refresh_idle, LONGEST_REFRESH, "400 days"),
        ("absolute refresh", refresh_absolute, LONGEST_REFRESH, "400 days"),
    ] {
        if lifetime.is_some_and(|lifetime| lifetime < SHORTEST_LIFETIME || lifetime > longest) {
            return refuse(format!("the {what} lifetime must be from 10 seconds to {longest_in_words}"));
        }
    }
    match (refresh_idle, refresh_absolute) {
        (Some(idle), Some(absolute)) if idle > absolute => {
            refuse("the idle refresh lifetime must not be longer than the absolute one")
        }
        _ => Ok(()),
    }
}

pub(super) fn without_repetition(what: &str, given: Vec<String>) -> Result<Vec<String>, Refusal> {
    let mut kept: Vec<String> = Vec::new();
    for entry in given {
        if !kept.contains(&entry) {
            kept.push(entry);
        }
        if kept.len() > MAX_LIST_LENGTH {
            return refuse(format!("a client may have at most {MAX_LIST_LENGTH} {what}"));
        }
    }
    Ok(kept)
}

/// For messages: shortened, and without characters that a terminal obeys.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 200;
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
