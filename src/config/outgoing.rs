//! `[outgoing]`: requests that Grantor itself makes.

use serde::Deserialize;
use url::Url;

use super::issuer::{Issuer, is_loopback};
use super::kind::Kind;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    meaning: "Requests that Grantor itself makes: it fetches the public keys of clients that are registered by a \
              jwks_uri, and tells apps at their backchannel_logout_uri that somebody has signed out. Only https to public addresses is allowed, whatever a client registers.",
    settings: &[Setting::new(
        "outgoing.allowed_origins",
        Kind::Origins,
        "",
        "Origins such as \"https://keys.internal:8443\" that may lie in private networks. Never link-local addresses; \
         addresses of this machine, and http to them, only where the issuer is one too. In the environment separated \
         by commas.",
    )],
};

/// Requests that Grantor itself makes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    /// Origins (RFC 6454 §6.2) that may lie in private networks.
    pub allowed_origins: Vec<String>,
}

impl Outgoing {
    pub(super) fn check(&self, issuer: &Issuer, problems: &mut Vec<String>) {
        let is_plain = |origin: &&String| origin.starts_with("http:");
        if let Some(origin) = self.allowed_origins.iter().find(is_plain).filter(|_| !issuer.is_loopback()) {
            problems.push(format!(
                "outgoing.allowed_origins holds \"{origin}\", which is not https, and the issuer {issuer} is not a \
                 loopback address"
            ));
        }
    }
}

/// An origin as the URL parser writes it: another spelling would never be met.
pub(super) fn check_origin(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "is not an origin such as https://keys.internal:8443")?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return Err("is neither https nor http to localhost, 127.0.0.1 or [::1]"),
    }
    if url.origin().ascii_serialization() == text {
        Ok(())
    } else {
        Err("is not written as scheme, host and port alone, such as https://keys.internal:8443")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_it_is_compared() {
        for (text, fits) in [
            ("https://keys.internal", true),
            ("https://keys.internal:8443", true),
            ("https://10.0.0.5", true),
            ("http://127.0.0.1:9000", true),
            ("http://localhost:9000", true),
            ("http://[::1]:9000", true),
            ("http://keys.internal", false),
            ("http://10.0.0.5", false),
            ("https://keys.internal/", false),
            ("https://keys.internal/jwks", false),
            ("https://keys.internal:443", false),
            ("https://Keys.internal", false),
            ("https://user@keys.internal", false),
            ("https://127.1", false),
            ("ftp://keys.internal", false),
            ("keys.internal", false),
            ("*", false),
            ("", false),
        ] {
            assert_eq!(check_origin(text).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn plain_http_needs_an_issuer_on_this_machine() {
        let outgoing = Outgoing { allowed_origins: vec!["http://127.0.0.1:9000".to_owned()] };
        for (issuer, problems) in [("http://localhost:8080", 0), ("https://id.example.com", 1)] {
            let mut found = Vec::new();
            outgoing.check(&issuer.parse().unwrap(), &mut found);
            assert_eq!(found.len(), problems, "{found:?}");
        }
    }
}
