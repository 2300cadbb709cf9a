//! Where an answer may go: only to a redirect URI that the client registered.

use crate::model::{ApplicationType, Client};
use crate::protocol::{AuthorizationError, redirect_uri};
use crate::secret::Secret;

/// A redirect URI that this client registered. Nothing else can take an answer or an error.
#[derive(Debug, Clone)]
pub struct RedirectTarget {
    uri: String,
    state: Option<String>,
    issuer: String,
}

impl RedirectTarget {
    /// Proves that `presented` is registered (RFC 9700 §4.1.3); `None` if it is not.
    pub fn new(client: &Client, presented: &str, state: Option<&str>, issuer: &str) -> Option<Self> {
        let native = client.application_type == ApplicationType::Native;
        let registered = client
            .redirect_uris
            .iter()
            .any(|registered| redirect_uri::matches(registered, presented, native));
        registered.then(|| Self {
            uri: presented.to_owned(),
            state: state.map(str::to_owned),
            issuer: issuer.to_owned(),
        })
    }

    /// The redirect URI.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The location that carries a code (RFC 6749 §4.1.2).
    pub fn with_code(&self, code: &Secret<String>) -> String {
        self.location(&[("code", code.expose())])
    }

    /// The location that carries a refusal (RFC 6749 §4.1.2.1).
    pub fn redirect(&self, error: &AuthorizationError) -> String {
        self.location(&[("error", error.code().as_str()), ("error_description", error.description())])
    }

    /// `state` as it was sent, and `iss` always (RFC 9207 §2): a client can tell who answered.
    fn location(&self, answer: &[(&str, &str)]) -> String {
        let mut pairs = answer.to_vec();
        pairs.extend(self.state.as_deref().map(|state| ("state", state)));
        pairs.push(("iss", &self.issuer));
        redirect_uri::append_query(&self.uri, &pairs)
    }
}

#[cfg(test)]
mod tests;
