//! Which addresses may be fetched from.

use std::net::IpAddr;

use url::{Host, Url};

use super::Network;
use crate::config::is_loopback;

/// Longest address, in bytes.
const LONGEST_URL: usize = 2048;

/// Why nothing is fetched from an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not an absolute URL with a host.
    #[error("it is not a URL such as https://app.example.com/jwks.json")]
    NotAUrl,
    /// What is fetched decides who may sign in: nobody on the way may change it.
    #[error("it is not https")]
    NotHttps,
    /// It would be sent along.
    #[error("it holds a user name or password")]
    UserInfo,
    /// It is never sent.
    #[error("it has a fragment")]
    Fragment,
    /// The host is, or resolves to, an address that is not public.
    #[error("its host is not a public address; an operator may list its origin in outgoing.allowed_origins")]
    NotPublic,
}

/// What an operator has decided: origins that may lie in private networks.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    allowed_origins: Vec<String>,
    issuer_is_loopback: bool,
}

/// Networks that may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Public addresses.
    Public,
    /// Private ones too: the origin is listed.
    Private,
    /// This machine too: the origin is listed, and the issuer itself is on this machine.
    Loopback,
}

impl Reach {
    /// Whether an address may be connected to.
    pub(super) fn admits(self, address: IpAddr) -> bool {
        match Network::of(address) {
            Network::Public => true,
            Network::Private => self != Self::Public,
            Network::Loopback => self == Self::Loopback,
            Network::Special => false,
        }
    }
}

/// A URL that may be fetched from, if its host resolves within reach. Only [`Policy::check`] makes it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) reach: Reach,
}

impl Policy {
    /// The policy of a configuration. Where the issuer is on this machine, listed origins may be so too.
    pub fn new(allowed_origins: &[String], issuer_is_loopback: bool) -> Self {
        Self { allowed_origins: allowed_origins.to_vec(), issuer_is_loopback }
    }

    /// Whether this address may be fetched from, as far as can be said without resolving its host.
    ///
    /// # Errors
    /// Why not.
    pub fn admits(&self, url: &str) -> Result<(), Refused> {
        self.check(url).map(drop)
    }

    /// Reads an address. The parser has undone every notation of an IP address when the host is looked at: short,
    /// decimal, hexadecimal, octal, percent-encoded and full-width ones.
    pub(super) fn check(&self, url: &str) -> Result<Target, Refused> {
        if url.len() > LONGEST_URL
            || !url.is_ascii()
            || url.contains(|c: char| c.is_ascii_control() || c == ' ')
        {
            return Err(Refused::NotAUrl);
        }
        if url.contains('@') {
            return Err(Refused::UserInfo);
        }
        let url = Url::parse(url).map_err(|_| Refused::NotAUrl)?;
        if url.fragment().is_some() {
            return Err(Refused::Fragment);
        }
        let reach = self.reach(&url);
        let stays_here = url.scheme() == "http" && reach == Reach::Loopback && is_loopback(&url);
        if url.scheme() != "https" && !stays_here {
            return Err(Refused::NotHttps);
        }
        let literal = match url.host().ok_or(Refused::NotAUrl)? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        // A literal address is nobody's identity, so that only an operator's word makes it one.
        if literal.is_some_and(|address| reach == Reach::Public || !reach.admits(address)) {
            return Err(Refused::NotPublic);
        }
        Ok(Target { url, reach })
    }

    fn reach(&self, url: &Url) -> Reach {
        let origin = url.origin().ascii_serialization();
        match (self.allowed_origins.contains(&origin), self.issuer_is_loopback) {
            (false, _) => Reach::Public,
            (true, false) => Reach::Private,
            (true, true) => Reach::Loopback,
        }
    }
}

#[cfg(test)]
mod tests;
