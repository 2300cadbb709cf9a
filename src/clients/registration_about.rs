//! What a client says of itself beyond what the token endpoint asks (RFC 7591 §2, OpenID Connect Registration §2): whether
//! pages can show it, and whether anything may be sent there.

use url::Url;

use super::registration::ClientMetadata;
use super::registration_checks::{Refusal, quoted, refuse, without_repetition};
use crate::config::is_loopback;
use crate::model::{AboutClient, ClientKeys, LogoutMetadata, NameProblem, check_name};
use crate::outgoing::Policy;
use crate::protocol::redirect_uri::RedirectUri;

/// Longest address of a page, in bytes.
const LONGEST_PAGE_URI: usize = 2048;

/// Longest contact, identifier or version of software.
const MAX_TEXT_CHARACTERS: usize = 200;

/// Nobody writes to more.
const MAX_CONTACTS: usize = 10;

/// Checks what people are shown of an app, and whom operators ask about it.
pub(super) fn check_about(about: &mut AboutClient) -> Result<(), Refusal> {
    for (name, uri) in pages(about) {
        if let Err(reason) = uri.map_or(Ok(()), check_page) {
            return refuse(format!("the {name} is refused: {reason}"));
        }
    }
    about.contacts = without_repetition("contacts", std::mem::take(&mut about.contacts))?;
    if about.contacts.len() > MAX_CONTACTS {
        return refuse(format!("a client may have at most {MAX_CONTACTS} contacts"));
    }
    let contacts = about.contacts.iter().map(|contact| ("contacts", Some(contact)));
    let software =
        [("software_id", about.software_id.as_ref()), ("software_version", about.software_version.as_ref())];
    for (name, text) in contacts.chain(software) {
        if let Some(Err(problem)) = text.map(|text| check_text(text)) {
            return refuse(format!("the {name} {problem}"));
        }
    }
    Ok(())
}

/// Checks where the browser may go after a logout, and where logout tokens go.
pub(super) fn check_logout(logout: &mut LogoutMetadata, native: bool) -> Result<(), Refusal> {
    let uris = std::mem::take(&mut logout.post_logout_redirect_uris);
    logout.post_logout_redirect_uris = without_repetition("post_logout_redirect_uris", uris)?;
    for uri in &logout.post_logout_redirect_uris {
        RedirectUri::register(uri, native).map_err(|reason| {
            Refusal::RedirectUri(format!("the post_logout_redirect_uri {} is refused: {reason}", quoted(uri)))
        })?;
    }
    // OpenID Connect Back-Channel Logout §2.2: absolute, without a fragment.
    match logout.backchannel_logout_uri.as_deref() {
        Some(uri) if uri.contains('#') => refuse("the backchannel_logout_uri is refused: it has a fragment"),
        Some(uri) => check_page(uri)
            .or_else(|reason| refuse(format!("the backchannel_logout_uri is refused: {reason}"))),
        None => Ok(()),
    }
}

/// Checks by their form the addresses that Grantor may come to fetch from or send to, as far as that can be said
/// without resolving a name. What is only linked to is checked where nobody vouches for the client
/// (`unverified`): a link into somebody's network is no link of an app.
///
/// # Errors
/// The name of the member, and why its address is refused.
pub fn check_addresses(metadata: &ClientMetadata, policy: &Policy, unverified: bool) -> Result<(), String> {
    let jwks_uri = match &metadata.keys {
        Some(ClientKeys::Uri(uri)) => Some(uri),
        _ => None,
    };
    let fetched =
        [("jwks_uri", jwks_uri), ("backchannel_logout_uri", metadata.logout.backchannel_logout_uri.as_ref())];
    let linked = pages(&metadata.about).map(|(name, uri)| (name, uri.filter(|_| unverified)));
    for (name, uri) in fetched.into_iter().chain(linked) {
        let Some(uri) = uri else { continue };
        let without_fragment = uri.split_once('#').map_or(uri.as_str(), |(before, _)| before);
        policy.admits(without_fragment).map_err(|reason| format!("the {name} is refused: {reason}"))?;
    }
    Ok(())
}

/// The addresses that pages show.
fn pages(about: &AboutClient) -> [(&'static str, Option<&String>); 4] {
    [
        ("client_uri", about.client_uri.as_ref()),
        ("logo_uri", about.logo_uri.as_ref()),
        ("policy_uri", about.policy_uri.as_ref()),
        ("tos_uri", about.tos_uri.as_ref()),
    ]
}

/// An address that a browser opens: https, or http on this machine.
fn check_page(uri: impl AsRef<str>) -> Result<(), &'static str> {
    let uri = uri.as_ref();
    if uri.len() > LONGEST_PAGE_URI {
        return Err("it is longer than 2048 bytes");
    }
    if !uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err("it has a blank, a backslash or a character outside ASCII");
    }
    let url = Url::parse(uri).map_err(|_| "it is not a URL such as https://app.example.com/about")?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return Err("it is not https"),
    }
    if uri.split(['?', '#']).next().is_some_and(|before| before.contains('@')) {
        return Err("it holds a user name or password");
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), NameProblem> {
    check_name(text, MAX_TEXT_CHARACTERS)
}

#[cfg(test)]
mod tests;
