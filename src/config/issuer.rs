//! The issuer identifier: the root of every address that Grantor names.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The issuer identifier (RFC 8414 §2): exactly the string that was configured, since clients and APIs
/// compare `iss` character by character (RFC 9207 §2.4, RFC 9068 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    text: String,
    origin: String,
    https: bool,
    loopback: bool,
}

impl Issuer {
    /// `http://localhost:PORT`, or with `https`: the default of an installation that names no issuer.
    pub(super) fn localhost(https: bool, port: u16) -> Self {
        let (scheme, default_port) = if https { ("https", 443) } else { ("http", 80) };
        let text = match port {
            port if port == default_port => format!("{scheme}://localhost"),
            port => format!("{scheme}://localhost:{port}"),
        };
        Self { origin: text.clone(), text, https, loopback: true }
    }

    /// The string itself, as in `iss`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the host is `localhost`, in `127.0.0.0/8` or `[::1]`.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The origin (RFC 6454 §6.2) as a browser writes it in the `Origin` header: lower case, no default port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The address of an endpoint; `path` begins with a slash.
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

impl Issuer {
    /// Whether `host`, as a `Host` header has it, is the one that this issuer is reached by. A port that is the
    /// scheme's own may be there or not.
    pub fn is_at_host(&self, host: &str) -> bool {
        let default_port = if self.https { ":443" } else { ":80" };
        let without = |text: &str| text.strip_suffix(default_port).unwrap_or(text).to_ascii_lowercase();
        let own = self.origin.split_once("://").map_or("", |(_, authority)| authority);
        without(host) == without(own)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for Issuer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Issuer {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a string cannot be an issuer, and what to write instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Not a URL, or one of another scheme.
    #[error("must be a URL such as \"https://id.example.com\"")]
    NotAUrl,
    /// RFC 8414 §2 has no room for a user name or a password.
    #[error("must not hold a user name or password before `@`")]
    UserInfo,
    /// RFC 8414 §2.
    #[error("must not have a query (`?`) or a fragment (`#`)")]
    QueryOrFragment,
    /// Clients compare the issuer exactly, and half of them add or drop this slash.
    #[error("must not end with a slash: write \"{0}\"")]
    TrailingSlash(String),
    /// Grantor answers at the root of its host.
    #[error("must not have a path: give Grantor a host name of its own, such as \"https://id.example.com\"")]
    Path,
    /// Another spelling of a host than the one that browsers use.
    #[error("is an unusual spelling: write \"{0}\"")]
    Spelling(String),
    /// Tokens and passwords would be readable on the way (RFC 9700 §2.6).
    #[error("must be https unless the host is localhost, 127.0.0.0/8 or [::1]")]
    Plaintext,
}

impl FromStr for Issuer {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, IssuerError> {
        let (_, after_scheme) = text.split_once("://").ok_or(IssuerError::NotAUrl)?;
        let url = Url::parse(text).map_err(|_| IssuerError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(IssuerError::NotAUrl);
        }
        if text.contains('@') {
            return Err(IssuerError::UserInfo);
        }
        if text.contains(['?', '#']) {
            return Err(IssuerError::QueryOrFragment);
        }
        if url.path() != "/" {
            return Err(IssuerError::Path);
        }
        if let Some(stem) = text.strip_suffix('/') {
            return Err(IssuerError::TrailingSlash(stem.to_owned()));
        }
        require_usual_spelling(&url, after_scheme)?;
        let (https, loopback) = (url.scheme() == "https", is_loopback(&url));
        if !https && !loopback {
            return Err(IssuerError::Plaintext);
        }
        Ok(Self { text: text.to_owned(), origin: url.origin().ascii_serialization(), https, loopback })
    }
}

/// The URL parser reads `127.1`, `2130706433`, `%6cocalhost`, tabs and full-width letters as other hosts.
/// Only a spelling that it writes back itself (case and a default port aside) means the same everywhere.
fn require_usual_spelling(url: &Url, authority: &str) -> Result<(), IssuerError> {
    let host = url.host_str().unwrap_or_default();
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    if authority.eq_ignore_ascii_case(&with_port)
        || url.port().is_none() && authority.eq_ignore_ascii_case(host)
    {
        Ok(())
    } else {
        Err(IssuerError::Spelling(url.origin().ascii_serialization()))
    }
}

/// Whether the host is `localhost`, in `127.0.0.0/8` or `[::1]`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_an_origin_and_nothing_else() {
        use IssuerError::{NotAUrl, Path, Plaintext, QueryOrFragment, TrailingSlash, UserInfo};
        let spelling = |text: &str| Err(IssuerError::Spelling(text.to_owned()));
        let slash = |text: &str| Err(TrailingSlash(text.to_owned()));
        const REMOTE: Result<bool, IssuerError> = Ok(false);
        const LOOPBACK: Result<bool, IssuerError> = Ok(true);
        for (text, expected) in [
            ("https://id.example.com", REMOTE),
            ("https://id.example.com:8443", REMOTE),
            ("https://id.example.com:443", REMOTE),
            ("https://ID.Example.com", REMOTE),
            ("https://xn--bcher-kva.example", REMOTE),
            ("https://192.0.2.7", REMOTE),
            ("https://[2001:db8::1]:9000", REMOTE),
            ("https://localhost.example.com", REMOTE),
            ("http://localhost", LOOPBACK),
            ("http://localhost:8080", LOOPBACK),
            ("http://LOCALHOST:8080", LOOPBACK),
            ("https://localhost:8443", LOOPBACK),
            ("http://127.0.0.1:8080", LOOPBACK),
            ("http://127.8.9.10", LOOPBACK),
            ("http://[::1]:8080", LOOPBACK),
            ("http://id.example.com", Err(Plaintext)),
            ("http://localhost.example.com", Err(Plaintext)),
            ("http://localhost.:8080", Err(Plaintext)),
            ("http://notlocalhost", Err(Plaintext)),
            ("http://0.0.0.0:8080", Err(Plaintext)),
            ("http://[::]:8080", Err(Plaintext)),
            ("http://10.0.0.1", Err(Plaintext)),
            ("http://[::ffff:7f00:1]", Err(Plaintext)),
            ("http://127.1:8080", spelling("http://127.0.0.1:8080")),
            ("http://2130706433", spelling("http://127.0.0.1")),
            ("http://0x7f.0.0.1", spelling("http://127.0.0.1")),
            ("http://0177.0.0.1", spelling("http://127.0.0.1")),
            ("http://[0:0:0:0:0:0:0:1]", spelling("http://[::1]")),
            ("http://%6cocalhost", spelling("http://localhost")),
            ("http://\u{ff4c}ocalhost", spelling("http://localhost")),
            ("https://bücher.example", spelling("https://xn--bcher-kva.example")),
            ("https://id.example.com:", spelling("https://id.example.com")),
            ("https://id.example.com:0443", spelling("https://id.example.com")),
            ("https://id.exam\tple.com", spelling("https://id.example.com")),
            ("https://id.example.com ", spelling("https://id.example.com")),
            ("https:///id.example.com", spelling("https://id.example.com")),
            ("https://id.example.com\\", spelling("https://id.example.com")),
            ("https://id.example.com/", slash("https://id.example.com")),
            ("http://localhost:8080/", slash("http://localhost:8080")),
            ("https://id.example.com/tenant", Err(Path)),
            ("https://id.example.com/tenant/", Err(Path)),
            ("https://id.example.com//", Err(Path)),
            ("https://id.example.com?", Err(QueryOrFragment)),
            ("https://id.example.com?a=b", Err(QueryOrFragment)),
            ("https://id.example.com#", Err(QueryOrFragment)),
            ("https://user@id.example.com", Err(UserInfo)),
            ("https://user:pass@id.example.com", Err(UserInfo)),
            ("https://@id.example.com", Err(UserInfo)),
            ("", Err(NotAUrl)),
            ("localhost:8080", Err(NotAUrl)),
            ("id.example.com", Err(NotAUrl)),
            ("//id.example.com", Err(NotAUrl)),
            ("https:id.example.com", Err(NotAUrl)),
            ("https://", Err(NotAUrl)),
            ("ftp://id.example.com", Err(NotAUrl)),
            ("https://id.example.com:99999", Err(NotAUrl)),
            ("https://256.1.1.1", Err(NotAUrl)),
        ] {
            assert_eq!(text.parse::<Issuer>().map(|issuer| issuer.is_loopback()), expected, "{text:?}");
        }
    }

    #[test]
    fn keeps_the_string_and_knows_the_origin() {
        let issuer: Issuer = "https://ID.example.com:443".parse().unwrap();
        assert_eq!(issuer.as_str(), "https://ID.example.com:443");
        assert_eq!(issuer.endpoint("/token"), "https://ID.example.com:443/token");
        assert_eq!(issuer.origin(), "https://id.example.com");
        assert!(issuer.is_https());
    }

    #[test]
    fn the_default_is_an_issuer_as_any_other() {
        for (https, port, text) in [
            (false, 8080, "http://localhost:8080"),
            (true, 8443, "https://localhost:8443"),
            (false, 80, "http://localhost"),
            (true, 443, "https://localhost"),
            (true, 80, "https://localhost:80"),
        ] {
            let default = Issuer::localhost(https, port);
            assert_eq!(default.as_str(), text);
            assert_eq!(Ok(default), text.parse());
        }
    }

    proptest! {
        #[test]
        fn an_accepted_string_is_kept_and_never_ends_with_a_slash(text in "https?://[a-zA-Z0-9.:/@?#\\[\\]%-]{0,30}") {
            if let Ok(issuer) = text.parse::<Issuer>() {
                prop_assert_eq!(issuer.as_str(), &text);
                prop_assert!(!text.ends_with('/'));
                prop_assert!(issuer.is_https() || issuer.is_loopback());
                prop_assert_eq!(issuer.origin().parse::<Issuer>().map(|again| again.is_loopback()), Ok(issuer.is_loopback()));
            }
        }
    }
}
