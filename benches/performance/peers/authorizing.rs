//! Codes of a peer's own authorization endpoint, by the way of a browser.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::secret::{random_bytes, sha256};

use super::asking::Asked;
use super::peer::{Authorization, REDIRECT_URI};
use crate::load::{Answer, Progress, RequestSource, request};

/// Codes that one session brings, before the next person signs in.
const CODES_PER_SESSION: usize = 8;

/// A code, and what its redemption needs.
pub struct Code {
    pub code: String,
    pub verifier: String,
    pub client: u64,
}

/// A browser that brings codes, and nothing else.
pub struct Authorizing {
    asked: Asked,
    /// Who signs in, and at which client.
    person: u64,
    cookies: BTreeMap<String, String>,
    verifier: String,
    /// The next request of a code that is under way.
    next: Vec<u8>,
    /// How many codes are still wanted.
    wanted: u64,
    pub codes: Vec<Code>,
}

impl Authorizing {
    pub fn new(asked: Asked, wanted: u64) -> Self {
        let (person, cookies) = (somebody(), BTreeMap::new());
        Self { asked, person, cookies, verifier: String::new(), next: Vec::new(), wanted, codes: Vec::new() }
    }

    fn begin(&mut self) {
        if self.codes.len().is_multiple_of(CODES_PER_SESSION) {
            self.person = somebody();
            self.cookies.clear();
        }
        self.wanted -= 1;
        self.verifier = URL_SAFE_NO_PAD.encode(random_bytes::<32>());
        let challenge = URL_SAFE_NO_PAD.encode(sha256(self.verifier.as_bytes()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.asked.client_id(self.person)),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "openid profile email read"),
            ("nonce", &self.verifier),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        query.extend_pairs(self.asked.peer.redemption);
        let query = query.finish();
        self.next = match self.asked.peer.authorization {
            Authorization::Browser(path) => self.get(&format!("{path}?{query}")),
            Authorization::Posted(path) => self.sign_in(&format!("{path}?{query}")),
        };
    }

    fn get(&self, path: &str) -> Vec<u8> {
        request::get(&self.asked.host(), path, &[("Cookie", &self.cookie())])
    }

    fn sign_in(&self, path: &str) -> Vec<u8> {
        let account = format!("{}{}", self.asked.peer.account_prefix, self.person % self.asked.size.users);
        request::post(&self.asked.host(), path, &[("Cookie", &self.cookie())], &[("account", &account)])
    }

    fn cookie(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep_cookies(&mut self, head: &[u8]) {
        for line in String::from_utf8_lossy(head).lines() {
            let Some((field, value)) = line.split_once(": ") else { continue };
            let pair = value.split(';').next().and_then(|cookie| cookie.split_once('='));
            if let Some((name, value)) = pair.filter(|_| field.eq_ignore_ascii_case("set-cookie")) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn keep_code(&mut self, query: &str) -> Progress {
        let mut members = form_urlencoded::parse(query.as_bytes());
        let Some((_, code)) = members.find(|(name, _)| name == "code") else { return Progress::Wrong };
        let verifier = std::mem::take(&mut self.verifier);
        self.codes.push(Code { code: code.into_owned(), verifier, client: self.person });
        Progress::Done
    }
}

impl RequestSource for Authorizing {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        if self.next.is_empty() {
            if self.wanted == 0 {
                return false;
            }
            self.begin();
        }
        request.append(&mut self.next);
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        self.keep_cookies(answer.head);
        let Some(location) = answer.header("location").filter(|_| matches!(answer.status, 302 | 303)) else {
            return Progress::Wrong;
        };
        if let Some(query) = location.strip_prefix(REDIRECT_URI) {
            return self.keep_code(query.trim_start_matches('?'));
        }
        let path = location.trim_start_matches("http://").trim_start_matches(&self.asked.host());
        self.next = if path.starts_with("/interaction/") { self.sign_in(path) } else { self.get(path) };
        Progress::More
    }
}

fn somebody() -> u64 {
    u64::from_be_bytes(random_bytes())
}
