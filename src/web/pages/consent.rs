use askama::Template;

use super::AboutApp;
use crate::protocol::scope::OFFLINE_ACCESS;

/// The consent page: who asks for what, on whose behalf, and where the answer goes (RFC 6749 §4.1.1).
///
/// The form posts `csrf`, `request` and `decision` (`allow` or `deny`) to `/consent`.
#[derive(Debug, Template)]
#[template(path = "consent.html")]
pub struct Consent<'a> {
    /// The form's token against cross-site requests, bound to the session.
    pub csrf: &'a str,
    /// The sealed authorization request.
    pub request: &'a str,
    /// The scopes as shown, space-separated: the decision counts for these.
    pub scope: &'a str,
    /// The claims beyond those of scopes as shown, space-separated: the decision counts for these, too.
    pub claims: &'a str,
    /// The app's registered name.
    pub app: &'a str,
    /// What else is known of the app.
    pub about: &'a AboutApp<'a>,
    /// Who is signed in.
    pub username: &'a str,
    /// Where another account can be signed in for the same request.
    pub switch_account_url: &'a str,
    /// What the app gets if the person agrees.
    pub scopes: &'a [RequestedScope<'a>],
    /// What it was allowed before and asks for again, beside something new.
    pub known: &'a [RequestedScope<'a>],
    /// What it asked for and does not get in any case.
    pub left_out: &'a [LeftOutScope<'a>],
    /// The APIs that the tokens are for (RFC 8707); empty: not said.
    pub resources: &'a [RequestedResource<'a>],
    /// Where the answer goes.
    pub destination: Destination<'a>,
}

/// A scope that the person may grant, or a claim that was asked for by name (OpenID Connect Core §5.5).
#[derive(Debug)]
pub struct RequestedScope<'a> {
    /// Its technical name.
    pub name: &'a str,
    /// What it lets the app do, in words.
    pub description: &'a str,
    /// The person's roles that the app acts with through this scope.
    pub roles: &'a [&'a str],
}

impl RequestedScope<'_> {
    /// What the words alone do not tell.
    fn explanation(&self) -> Option<&'static str> {
        (self.name == OFFLINE_ACCESS).then_some("Also after you sign out here.")
    }
}

/// A scope that the person's roles do not let them grant.
#[derive(Debug)]
pub struct LeftOutScope<'a> {
    /// Its technical name.
    pub name: &'a str,
    /// What it would let the app do, in words.
    pub description: &'a str,
}

/// An API that the tokens are for.
#[derive(Debug)]
pub struct RequestedResource<'a> {
    /// The name that it was registered with.
    pub name: Option<&'a str>,
    /// Its resource indicator.
    pub identifier: &'a str,
}

/// Where the browser is sent with the answer.
#[derive(Debug, Clone, Copy)]
pub enum Destination<'a> {
    /// A web site: the host of the redirect URI, with its port if one is given.
    Site(&'a str),
    /// An app on the person's device: the private-use scheme or the loopback address (RFC 8252 §7). Any
    /// program there may claim to be this app (RFC 8252 §8.6), and the page says so.
    Device(&'a str),
}

impl Consent<'_> {
    /// The scopes under their headings, what is new first.
    fn groups(&self) -> Vec<(&'static str, &[RequestedScope<'_>])> {
        let new = if self.known.is_empty() { "It will be able to" } else { "New: it will also be able to" };
        let groups = [(new, self.scopes), ("As you have allowed before", self.known)];
        groups.into_iter().filter(|(_, scopes)| !scopes.is_empty()).collect()
    }

    /// Whether there is anything to agree to.
    fn can_allow(&self) -> bool {
        !self.scopes.is_empty() || self.left_out.is_empty()
    }
}
