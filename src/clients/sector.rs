//! Sectors: whose clients see a person under one pairwise subject (OpenID Connect Core §8.1).

use std::time::Duration;

use url::Url;

use super::registration::{ClientMetadata, RegistrationError};
use super::registration_checks::{Refusal, quoted, refuse};
use crate::model::{Client, Sector};
use crate::outgoing::{Limits, Outgoing};
use crate::protocol::redirect_uri::host;

const LIMITS: Limits = Limits { total: Duration::from_secs(3), bytes: 64 * 1024 };

/// What stands at a `sector_identifier_uri`: the redirect URIs of all clients of the sector. Only [`read`] makes it, so
/// that a client which has one was looked for there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectorDocument {
    uri: String,
    redirect_uris: Vec<String>,
}

/// Reads the document of the sector that a client asks for, where it names one by address and has redirect URIs that
/// were not found there before. To be done before the client is registered or changed, whose checks want it
/// ([`ClientMetadata::sector_document`]) and hold no row while another machine answers.
///
/// # Errors
/// If the address may not be fetched from, does not answer within 3 s and 64 KiB, or with no JSON array of strings.
pub async fn read(
    outgoing: &Outgoing,
    wanted: &ClientMetadata,
    registered: Option<&Client>,
) -> Result<Option<SectorDocument>, RegistrationError> {
    let uri = wanted.openid.pairwise.as_ref().and_then(|sector| sector.uri.as_ref());
    let is_new = |uri: &&String| new_redirect_uris(uri, &wanted.redirect_uris, registered).next().is_some();
    let Some(uri) = uri.filter(is_new) else { return Ok(None) };
    // By its form alone. Where its name leads, and whether there is such a name, is told to nobody.
    outgoing.policy().admits(uri).map_err(|reason| {
        RegistrationError::Metadata(format!("the sector_identifier_uri is refused: {reason}"))
    })?;
    let fetched = outgoing.get(uri, LIMITS).await.map_err(RegistrationError::SectorDocument)?;
    match serde_json::from_slice(&fetched.body) {
        Ok(redirect_uris) => Ok(Some(SectorDocument { uri: uri.clone(), redirect_uris })),
        Err(_) => Err(RegistrationError::Metadata(
            "the document at the sector_identifier_uri is not a JSON array of redirect URIs".to_owned(),
        )),
    }
}

/// The sector of a client as it is about to be written: the host of its `sector_identifier_uri`, where the document
/// must list its redirect URIs, else the host that they all have. `registered` is the client as it was.
pub(super) fn check(
    client: &Client,
    registered: Option<&Client>,
    document: Option<&SectorDocument>,
) -> Result<Option<Sector>, Refusal> {
    let Some(wanted) = &client.openid.pairwise else { return Ok(None) };
    let identifier = match &wanted.uri {
        None => only_host(&client.redirect_uris)?.to_owned(),
        Some(uri) => {
            let new = new_redirect_uris(uri, &client.redirect_uris, registered);
            check_listed(new, document.filter(|document| document.uri == *uri))?;
            host_of(uri)?
        }
    };
    Ok(Some(Sector { identifier, uri: wanted.uri.clone() }))
}

/// The redirect URIs that were not looked for in this document when the client was last written.
fn new_redirect_uris<'a>(
    uri: &str,
    redirect_uris: &'a [String],
    registered: Option<&'a Client>,
) -> impl Iterator<Item = &'a String> {
    let same_document = registered
        .filter(|client| uri_of(client.openid.pairwise.as_ref()) == Some(uri))
        .map(|client| &client.redirect_uris);
    redirect_uris.iter().filter(move |&one| !same_document.is_some_and(|known| known.contains(one)))
}

fn uri_of(sector: Option<&Sector>) -> Option<&str> {
    sector.and_then(|sector| sector.uri.as_deref())
}

/// §8.1: whoever serves the document says whose clients belong to the sector.
fn check_listed<'a>(
    mut redirect_uris: impl Iterator<Item = &'a String>,
    document: Option<&SectorDocument>,
) -> Result<(), Refusal> {
    let is_listed = |uri: &&String| document.is_some_and(|document| document.redirect_uris.contains(uri));
    match redirect_uris.find(|uri| !is_listed(uri)) {
        None => Ok(()),
        Some(missing) => refuse(format!(
            "the redirect URI {} does not stand in the document at the sector_identifier_uri: add it there first",
            quoted(missing)
        )),
    }
}

fn host_of(uri: &str) -> Result<String, Refusal> {
    let url = Url::parse(uri).ok();
    match url.as_ref().and_then(Url::host_str) {
        Some(host) => Ok(host.to_owned()),
        None => {
            refuse("the sector_identifier_uri must be a URL such as https://example.com/redirect-uris.json")
        }
    }
}

fn only_host(redirect_uris: &[String]) -> Result<&str, Refusal> {
    const REMEDY: &str = "give a sector_identifier_uri, an https address with a JSON array of the redirect URIs of the sector's clients";
    let mut hosts = redirect_uris.iter().map(|uri| host(uri));
    match hosts.next().flatten() {
        Some(first) if hosts.all(|host| host == Some(first)) => Ok(first),
        _ => refuse(format!(
            "pairwise subjects are computed for the one host that all redirect URIs have, and these have not: {REMEDY}"
        )),
    }
}

/// Whether everybody keeps the subject that the client knows them by.
pub(super) fn check_subjects_stay(before: &Client, after: &Client) -> Result<(), Refusal> {
    let identifier =
        |client: &Client| client.openid.pairwise.as_ref().map(|sector| sector.identifier.clone());
    if identifier(before) == identifier(after) {
        return Ok(());
    }
    refuse(
        "the change would give everybody another 'sub' at this client, which would take its people for strangers: \
         only an operator does that, with --change-subjects",
    )
}

#[cfg(test)]
mod tests;
