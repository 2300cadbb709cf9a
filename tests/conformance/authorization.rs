//! Authorization requests, and what comes back to the redirect URI.

use std::collections::BTreeMap;

use grantor::secret::{base64url, random_bytes};

use super::Client;
use crate::harness::{Answer, query_of};

/// How an answer reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the redirect URI, by a redirect: the default.
    Query,
    /// As a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// An authorization request before it is sent.
#[derive(Debug, Clone)]
pub struct Request {
    mode: ResponseMode,
    redirect_uri: String,
    parameters: Vec<(String, String)>,
}

impl Request {
    /// What the suite sends unless a module changes it: no challenge, and everything else.
    pub fn new(client: &Client, mode: ResponseMode) -> Self {
        let usual = [
            ("client_id", client.id.as_str()),
            ("redirect_uri", &client.redirect_uri),
            ("scope", "openid"),
            ("state", &random::<8>()),
            ("nonce", &random::<8>()),
            ("response_type", "code"),
        ];
        let parameters = usual.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let request = Self { mode, redirect_uri: client.redirect_uri.clone(), parameters };
        match mode {
            ResponseMode::Query => request,
            ResponseMode::FormPost => request.with("response_mode", "form_post"),
        }
    }

    /// With a parameter in place of the usual one.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(other, _)| other != name);
        self
    }

    /// A `state` that is as long as the suite ever makes one.
    pub fn with_a_long_state(self) -> Self {
        self.with("state", &random::<96>())
    }

    /// Its parameters the other way round.
    pub fn reversed(mut self) -> Self {
        self.parameters.reverse();
        self
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn parameters(&self) -> Vec<(&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    pub fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.parameters).finish()
    }

    /// What the redirect URI is told, if this answer leads there in the way that was asked for.
    #[track_caller]
    pub fn callback(&self, answer: &Answer) -> Callback {
        let parameters = match self.mode {
            ResponseMode::Query => self.redirected(answer),
            ResponseMode::FormPost => self.posted(answer),
        };
        Callback { state: self.get("state").map(str::to_owned), parameters }
    }

    #[track_caller]
    fn redirected(&self, answer: &Answer) -> BTreeMap<String, String> {
        assert!(answer.status.is_redirection(), "{} {}", answer.status, answer.body);
        let location = answer.location().unwrap();
        assert!(!location.contains('#'), "{location}");
        let rest = location.strip_prefix(&self.redirect_uri).expect(&location);
        assert!(rest.starts_with(if self.redirect_uri.contains('?') { '&' } else { '?' }), "{location}");
        query_of(&location)
    }

    /// Form Post Response Mode §2: a page whose form goes to the redirect URI by POST, sent by a script.
    #[track_caller]
    fn posted(&self, answer: &Answer) -> BTreeMap<String, String> {
        assert_eq!(answer.status, 200, "{:?} {}", answer.location(), answer.body);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        let method = answer.attribute("form", "method").expect(&answer.body);
        assert!(method.eq_ignore_ascii_case("post"), "{}", answer.body);
        assert!(answer.exists("script") && answer.exists("form [type=submit]"), "{}", answer.body);
        let (action, fields) = answer.form();
        assert_eq!(action, self.redirect_uri);
        fields
    }
}

fn random<const BYTES: usize>() -> String {
    base64url(&random_bytes::<BYTES>())
}

/// What the redirect URI was told.
#[derive(Debug)]
pub struct Callback {
    state: Option<String>,
    pub parameters: BTreeMap<String, String>,
}

/// What an error answer may say (OpenID Connect Core §3.1.2.6, RFC 9207 §2).
const OF_AN_ERROR: [&str; 5] = ["error", "error_description", "error_uri", "state", "iss"];

impl Callback {
    /// The code of a successful answer.
    #[track_caller]
    pub fn code(&self, issuer: &str) -> &str {
        assert!(!self.parameters.contains_key("error"), "{self:?}");
        self.comes_from(issuer);
        &self.parameters["code"]
    }

    /// Asserts a refusal with one of these codes.
    #[track_caller]
    pub fn refuses_with(&self, issuer: &str, errors: &[&str]) {
        self.comes_from(issuer);
        assert!(!self.parameters.contains_key("code"), "{self:?}");
        assert!(self.parameters.keys().all(|name| OF_AN_ERROR.contains(&name.as_str())), "{self:?}");
        let error = self.parameters.get("error").expect("an error");
        assert!(errors.contains(&error.as_str()), "{self:?}");
        // RFC 6749 §4.1.2.1.
        let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
        let description = self.parameters.get("error_description").map_or("", String::as_str);
        assert!(description.chars().all(allowed), "{self:?}");
    }

    #[track_caller]
    fn comes_from(&self, issuer: &str) {
        assert_eq!(self.parameters.get("iss").map(String::as_str), Some(issuer), "{self:?}");
        assert_eq!(self.parameters.get("state"), self.state.as_ref(), "{self:?}");
    }
}
