//! Redirect URIs (RFC 6749 §3.1.2): what may be registered, what a request may present, and how an
//! answer is put on one.
//!
//! A presented URI is compared as a string and never parsed or normalised: every difference between
//! two parsers of URIs has let codes go to strangers somewhere.

use std::net::Ipv4Addr;

mod matching;
mod registration;

pub use matching::matches;
pub use registration::{RedirectUri, RedirectUriError};

/// Hosts on which `http` is allowed, since what is sent there never leaves the machine (RFC 8252 §7.3).
const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// A redirect URI with parameters added to its query, an existing query kept (RFC 6749 §3.1.2).
pub fn append_query(redirect_uri: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let separator = match redirect_uri.split_once('?') {
        None => "?",
        Some((_, existing)) if existing.is_empty() || existing.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{redirect_uri}{separator}{query}")
}

/// Where an answer goes, for people: host and port, or the scheme of an app on this device.
pub fn host_for_display(redirect_uri: &str) -> &str {
    match web_authority(redirect_uri) {
        Some(authority) => authority,
        None => redirect_uri.split(':').next().unwrap_or_default(),
    }
}

/// The host of an `http` or `https` URI, without its port; an app's own scheme has none.
pub fn host(redirect_uri: &str) -> Option<&str> {
    web_authority(redirect_uri).map(|authority| split_port(authority).0)
}

/// Whether TLS vouches for the one who receives the answer: `https`, and not on this machine. Only
/// then may the consent to a public client be remembered (RFC 9700 §4.15, RFC 8252 §8.6).
pub fn is_verified_https(redirect_uri: &str) -> bool {
    redirect_uri.starts_with("https://") && !web_authority(redirect_uri).is_none_or(is_loopback_authority)
}

/// The authority of an `http` or `https` URI.
fn web_authority(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"))?;
    rest.split(['/', '?', '#']).next()
}

fn is_loopback_authority(authority: &str) -> bool {
    let (host, _) = split_port(authority);
    LOOPBACK_HOSTS.contains(&host)
        || host.ends_with(".localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Host and port; an IPv6 address stands in brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let name_end = authority.rfind(']').unwrap_or(0);
    match authority[name_end..].find(':') {
        Some(colon) => (&authority[..name_end + colon], Some(&authority[name_end + colon + 1..])),
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://a/cb", "https://a/cb?code=x+y&state=%26%3D%22%0D%0A")]
    #[case("https://a/cb?", "https://a/cb?code=x+y&state=%26%3D%22%0D%0A")]
    #[case("https://a/cb?k=v", "https://a/cb?k=v&code=x+y&state=%26%3D%22%0D%0A")]
    #[case("https://a/cb?k=v&", "https://a/cb?k=v&code=x+y&state=%26%3D%22%0D%0A")]
    #[case("com.example.app:/cb", "com.example.app:/cb?code=x+y&state=%26%3D%22%0D%0A")]
    fn an_answer_keeps_the_existing_query(#[case] redirect_uri: &str, #[case] expected: &str) {
        assert_eq!(append_query(redirect_uri, &[("code", "x y"), ("state", "&=\"\r\n")]), expected);
    }

    #[rstest]
    #[case("https://app.example:8443/cb?a=b", "app.example:8443")]
    #[case("https://app.example", "app.example")]
    #[case("https://app.example?x=https://other", "app.example")]
    #[case("http://[::1]:80/", "[::1]:80")]
    #[case("com.example.app:/cb", "com.example.app")]
    fn people_see_where_the_answer_goes(#[case] redirect_uri: &str, #[case] expected: &str) {
        assert_eq!(host_for_display(redirect_uri), expected);
    }

    #[rstest]
    #[case("https://app.example:8443/cb?a=b", Some("app.example"))]
    #[case("https://app.example", Some("app.example"))]
    #[case("http://[::1]:80/", Some("[::1]"))]
    #[case("http://127.0.0.1/cb", Some("127.0.0.1"))]
    #[case("com.example.app:/cb", None)]
    #[case("com.example.app://host/cb", None)]
    fn the_host_of_a_web_address(#[case] redirect_uri: &str, #[case] expected: Option<&str>) {
        assert_eq!(host(redirect_uri), expected);
    }

    #[rstest]
    #[case("https://app.example/cb", true)]
    #[case("https://app.example:8443/cb", true)]
    #[case("https://10.0.0.1/cb", true)]
    #[case("https://localhost/cb", false)]
    #[case("https://localhost:8443/cb", false)]
    #[case("https://app.localhost/cb", false)]
    #[case("https://127.8.8.8:1/cb", false)]
    #[case("https://[::1]/cb", false)]
    #[case("https://[::1]:8443/cb", false)]
    #[case("http://app.example/cb", false)]
    #[case("com.example.app:/cb", false)]
    fn only_https_elsewhere_is_verified(#[case] redirect_uri: &str, #[case] expected: bool) {
        assert_eq!(is_verified_https(redirect_uri), expected);
    }
}
