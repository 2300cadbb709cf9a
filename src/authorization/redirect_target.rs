//! Where an answer may go: only to a redirect URI that the client registered.

use crate::model::{ApplicationType, Client};
use crate::protocol::{AuthorizationError, ResponseMode, redirect_uri};
use crate::secret::Secret;

/// A redirect URI that this client registered, and how answers get there. Nothing else can take an answer or an error.
#[derive(Debug, Clone)]
pub struct RedirectTarget {
    uri: String,
    response_mode: ResponseMode,
    state: Option<String>,
    issuer: String,
}

/// An answer on its way to a redirect URI that the client registered: only a [`RedirectTarget`] makes one.
#[derive(Debug)]
pub struct AuthorizationResponse {
    uri: String,
    response_mode: ResponseMode,
    parameters: Vec<(&'static str, Secret<String>)>,
}

/// What the browser has to do with an answer.
#[derive(Debug)]
pub enum Delivery<'a> {
    /// Go there (RFC 6749 §4.1.2).
    Redirect(Secret<String>),
    /// Post a form (Form Post Response Mode §2).
    Form {
        /// Where to.
        uri: &'a str,
        /// Its fields.
        fields: &'a [(&'static str, Secret<String>)],
    },
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
            response_mode: ResponseMode::default(),
            state: state.map(str::to_owned),
            issuer: issuer.to_owned(),
        })
    }

    /// The same target, reached in another way.
    #[must_use]
    pub fn by(self, response_mode: ResponseMode) -> Self {
        Self { response_mode, ..self }
    }

    /// The redirect URI.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The answer that carries a code (RFC 6749 §4.1.2).
    pub fn with_code(&self, code: &Secret<String>) -> AuthorizationResponse {
        self.respond(&[("code", code.expose())])
    }

    /// The answer that carries a refusal (RFC 6749 §4.1.2.1).
    pub fn refuse(&self, error: &AuthorizationError) -> AuthorizationResponse {
        self.respond(&[("error", error.code().as_str()), ("error_description", error.description())])
    }

    /// `state` as it was sent, and `iss` always (RFC 9207 §2): a client can tell who answered.
    fn respond(&self, answer: &[(&'static str, &str)]) -> AuthorizationResponse {
        let mut pairs = answer.to_vec();
        pairs.extend(self.state.as_deref().map(|state| ("state", state)));
        pairs.push(("iss", &self.issuer));
        AuthorizationResponse {
            uri: self.uri.clone(),
            response_mode: self.response_mode,
            parameters: pairs
                .into_iter()
                .map(|(name, value)| (name, Secret::new(value.to_owned())))
                .collect(),
        }
    }
}

impl AuthorizationResponse {
    /// What the browser has to do with it.
    pub fn delivery(&self) -> Delivery<'_> {
        match self.response_mode {
            ResponseMode::Query => {
                let pairs: Vec<(&str, &str)> =
                    self.parameters.iter().map(|(name, value)| (*name, value.expose().as_str())).collect();
                Delivery::Redirect(Secret::new(redirect_uri::append_query(&self.uri, &pairs)))
            }
            ResponseMode::FormPost => Delivery::Form { uri: &self.uri, fields: &self.parameters },
        }
    }
}

#[cfg(test)]
mod tests;
