//! People who sign in, approve an app, and use it: a code, refreshes, a look at the token, its revocation.

use std::sync::Arc;

use grantor::secret::{base64url, random_bytes, sha256};

use crate::load::{Answer, Progress, RequestSource, request};
use crate::population::{Newcomer, PASSWORD, Population, REDIRECT_URI};
use crate::rows::browser::{Browser, Step};
use crate::rows::sources::{Supply, text};
use crate::site::HOST;

/// Refreshes of each.
const REFRESHES: u32 = 2;

/// Pages that lead nowhere.
const TOO_MANY: usize = 12;

/// One person after the other.
pub struct Person {
    population: Arc<Population>,
    fresh: Supply<Newcomer>,
    visit: Option<Visit>,
}

struct Visit {
    newcomer: Newcomer,
    browser: Browser,
    verifier: String,
    next: Vec<u8>,
    requests: usize,
    stage: Stage,
}

/// What the last request was for.
enum Stage {
    Page,
    Tokens { refreshes: u32 },
    Look { access: String },
    Revocation,
}

impl Person {
    pub fn new(population: Arc<Population>, fresh: Supply<Newcomer>) -> Self {
        Self { population, fresh, visit: None }
    }

    fn begin(&self, newcomer: Newcomer) -> Visit {
        let [a, b, c] = random_bytes();
        let browser = Browser::new(format!("10.{a}.{b}.{c}"));
        let (client, _) = self.population.client(newcomer.client);
        let verifier = base64url(&random_bytes::<32>());
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", client),
                ("redirect_uri", REDIRECT_URI),
                ("scope", "openid offline_access email"),
                ("code_challenge", &base64url(&sha256(verifier.as_bytes()))),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        let next = browser.get(&format!("/authorize?{query}"));
        Visit { newcomer, browser, verifier, next, requests: 0, stage: Stage::Page }
    }
}

impl Visit {
    /// The next request, if there is one; `None`: nothing of the kind was expected. An empty one: all is done.
    fn proceed(&mut self, population: &Population, answer: &Answer<'_>) -> Option<Vec<u8>> {
        let (id, secret) = population.client(self.newcomer.client);
        let post = |path, form: &[(&str, &str)]| Some(request::post_as(id, secret, HOST, path, form));
        let refresh_token = text(answer.body, "refresh_token");
        let access_token = text(answer.body, "access_token");
        match &self.stage {
            Stage::Page => self.page(population, answer),
            Stage::Tokens { refreshes } if *refreshes < REFRESHES => {
                self.stage = Stage::Tokens { refreshes: refreshes + 1 };
                post("/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh_token?)])
            }
            Stage::Tokens { .. } => {
                self.stage = Stage::Look { access: access_token?.to_owned() };
                post("/introspect", &[("token", access_token?)])
            }
            Stage::Look { access } => {
                let is_active = memchr::memmem::find(answer.body, b"\"active\":true").is_some();
                let revocation = post("/revoke", &[("token", access)]).filter(|_| is_active);
                self.stage = Stage::Revocation;
                revocation
            }
            Stage::Revocation => (answer.status == 200).then(Vec::new),
        }
    }

    fn page(&mut self, population: &Population, answer: &Answer<'_>) -> Option<Vec<u8>> {
        let username = population.username(self.newcomer.user);
        let person = [("username", username.as_str()), ("password", PASSWORD), ("decision", "allow")];
        match self.browser.proceed(answer, &person) {
            Step::Ask(next) if self.requests < TOO_MANY => Some(next),
            Step::Leave(address) => {
                let (_, query) = address.split_once('?')?;
                let (_, code) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code")?;
                let (id, secret) = population.client(self.newcomer.client);
                let form = [
                    ("grant_type", "authorization_code"),
                    ("code", code.as_ref()),
                    ("code_verifier", &self.verifier),
                    ("redirect_uri", REDIRECT_URI),
                ];
                self.stage = Stage::Tokens { refreshes: 0 };
                Some(request::post_as(id, secret, HOST, "/token", &form))
            }
            _ => None,
        }
    }
}

impl RequestSource for Person {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        if self.visit.is_none() {
            self.visit = self.fresh.take().map(|newcomer| self.begin(newcomer));
        }
        let Some(visit) = &mut self.visit else { return false };
        visit.requests += 1;
        request.append(&mut visit.next);
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        let Some(visit) = &mut self.visit else { return Progress::Wrong };
        match visit.proceed(&self.population, answer) {
            Some(next) if !next.is_empty() => {
                visit.next = next;
                Progress::More
            }
            done => {
                self.visit = None;
                if done.is_some() { Progress::Done } else { Progress::Wrong }
            }
        }
    }
}
