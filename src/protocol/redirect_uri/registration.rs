//! Which redirect URIs a client may register.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::Url;

use super::super::uri::{check_characters, split_scheme};
use super::{LOOPBACK_HOSTS, split_port};

/// Parameters of an answer (RFC 6749 §4.1.2, RFC 9207, OpenID Connect Session Management §2): a
/// registered query that has one would make two of it.
const RESPONSE_PARAMETERS: [&str; 12] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "response",
    "session_state",
    "access_token",
    "token_type",
    "expires_in",
    "id_token",
];

/// Schemes that run or show what the URI itself says, or mean a local file.
const DANGEROUS_SCHEMES: [&str; 9] =
    ["javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "chrome"];

/// A redirect URI that was checked for registration. It is kept exactly as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Checks a redirect URI for a web or a `native` client.
    ///
    /// `https` anywhere (a native app claims such links, RFC 8252 §7.2), `http` on `localhost`,
    /// `127.0.0.1` and `[::1]` only, private-use schemes for native clients only (RFC 8252 §7.1).
    ///
    /// # Errors
    /// The reason in words.
    pub fn register(text: &str, native: bool) -> Result<Self, RedirectUriError> {
        check(text, native).map_err(RedirectUriError)?;
        Ok(Self(text.to_owned()))
    }

    /// The URI as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a redirect URI cannot be registered; completes the sentence "the redirect URI is refused: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RedirectUriError(&'static str);

fn check(text: &str, native: bool) -> Result<(), &'static str> {
    let lower = text.to_ascii_lowercase();
    if lower.split_once(':').is_some_and(|(scheme, _)| DANGEROUS_SCHEMES.contains(&scheme)) {
        return Err("a browser would run or show it instead of calling the app");
    }
    // RFC 6749 §3.1.2: no fragment.
    check_characters(text)?;
    // RFC 9700 §4.1.3: exact matching knows no wildcards.
    if text.contains('*') {
        return Err("it has a wildcard ('*'): register each redirect URI by itself");
    }
    // RFC 6749 §3.1.2: an absolute URI.
    let (scheme, rest) = split_scheme(text)
        .ok_or("it is not absolute: it must begin with a scheme in lower case, such as https://")?;
    let (authority, path, query) = split_rest(rest);
    match scheme {
        "https" => check_host(authority)?,
        "http" => check_loopback(authority)?,
        _ => check_private_use(scheme, authority, native)?,
    }
    check_path(path)?;
    check_query(query)?;
    // What browsers cannot read, such as a label `xn--` of no word, each other reader reads in its own way.
    if Url::parse(text).is_ok() { Ok(()) } else { Err("no browser can open it: look at its host and port") }
}

/// Authority (of what begins with `//`), path and query.
fn split_rest(rest: &str) -> (Option<&str>, &str, &str) {
    let (hierarchy, query) = rest.split_once('?').unwrap_or((rest, ""));
    match hierarchy.strip_prefix("//") {
        Some(authority_on) => {
            let end = authority_on.find('/').unwrap_or(authority_on.len());
            (Some(&authority_on[..end]), &authority_on[end..], query)
        }
        None => (None, hierarchy, query),
    }
}

fn check_loopback(authority: Option<&str>) -> Result<(), &'static str> {
    check_host(authority)?;
    let (host, _) = split_port(authority.unwrap_or_default());
    if LOOPBACK_HOSTS.contains(&host) {
        Ok(())
    } else {
        Err("http is for localhost, 127.0.0.1 and [::1] only: use https")
    }
}

fn check_host(authority: Option<&str>) -> Result<(), &'static str> {
    let authority = authority.ok_or("'//' and a host must follow the scheme")?;
    refuse_user_information(authority)?;
    let (host, port) = split_port(authority);
    if port.is_some_and(|port| port.starts_with('0') || !is_port(port)) {
        return Err("its port is not a number from 1 to 65535");
    }
    if is_ipv6(host) || is_ipv4_or_name(host) {
        Ok(())
    } else {
        Err("its host is neither a name in lower case nor a plain IP address")
    }
}

fn refuse_user_information(authority: &str) -> Result<(), &'static str> {
    if authority.contains('@') { Err("it has user information ('@') before the host") } else { Ok(()) }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// An address has one spelling, and not that of an IPv4 address in disguise.
fn is_ipv6(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner
        .and_then(|text| text.parse::<Ipv6Addr>().ok())
        .is_some_and(|address| address.to_ipv4_mapped().is_none() && format!("[{address}]") == host)
}

fn is_ipv4_or_name(host: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let is_label = |label: &str| !label.is_empty() && label.chars().all(allowed);
    let last = host.rsplit('.').next().unwrap_or_default();
    // Browsers take a host that ends in a number for an IPv4 address: 2130706433 and 0x7f.1 are 127.0.0.1.
    let ends_in_number = last.starts_with("0x") || last.chars().all(|c| c.is_ascii_digit());
    if ends_in_number { host.parse::<Ipv4Addr>().is_ok() } else { host.split('.').all(is_label) }
}

fn check_private_use(scheme: &str, authority: Option<&str>, native: bool) -> Result<(), &'static str> {
    if !native {
        return Err("a web client's redirect URI must be https (or http on localhost, 127.0.0.1 or [::1])");
    }
    // RFC 8252 §7.1: the reverse of a domain name, so that two apps do not choose the same.
    if !scheme.contains('.') || scheme.ends_with('.') || scheme.contains("..") {
        return Err("a private-use scheme must be a domain name in reverse, such as com.example.app");
    }
    refuse_user_information(authority.unwrap_or_default())
}

fn check_path(path: &str) -> Result<(), &'static str> {
    let decoded = decode_repeatedly(path)?;
    // `..;x` is a dot segment to servers that know path parameters.
    let is_dots = |segment: &[u8]| matches!(segment.split(|&b| b == b';').next(), Some(b"." | b".."));
    if decoded.split(|&b| b == b'/').any(is_dots) {
        return Err("its path has a '.' or '..' segment");
    }
    refuse_brackets(path)
}

fn check_query(query: &str) -> Result<(), &'static str> {
    decode_repeatedly(query)?;
    if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| RESPONSE_PARAMETERS.contains(&name.as_ref()))
    {
        return Err("its query has a parameter that the answer itself carries, such as code or state");
    }
    refuse_brackets(query)
}

/// RFC 3986 §3.2.2: brackets stand around an IPv6 address and nowhere else.
fn refuse_brackets(text: &str) -> Result<(), &'static str> {
    if text.contains(['[', ']']) { Err("it has a bracket that must be percent-encoded") } else { Ok(()) }
}

/// What is left when escapes are decoded until none remains, as a chain of careless servers would.
fn decode_repeatedly(text: &str) -> Result<Vec<u8>, &'static str> {
    let mut decoded = text.as_bytes().to_vec();
    loop {
        let next = decode_once(&decoded);
        if next == decoded {
            break;
        }
        decoded = next;
    }
    if decoded.iter().any(|byte| byte.is_ascii_control() || *byte == b'\\') {
        return Err("it has a percent-encoded control character or backslash");
    }
    Ok(decoded)
}

fn decode_once(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.first_chunk::<2>().filter(|_| first == b'%').and_then(hex_byte);
        decoded.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    decoded
}

fn hex_byte(digits: &[u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? << 4 | low?).ok()
}

#[cfg(test)]
mod tests;
