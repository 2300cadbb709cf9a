//! An app that writes down all that it asks for.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;

use super::harness::{Browser, pkce, query_of};
use super::history::{Mark, Operation, Outcome};
use super::journal::Journal;
use super::site::{PERSON, REDIRECT_URI, Site};

/// No request of the server may take this long.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// A client of the site's.
#[derive(Clone)]
pub struct App {
    http: Client,
    client_id: String,
    client_secret: String,
    pub journal: Arc<Journal>,
}

/// A person's approval, as the app holds it.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// By the journal's count.
    pub grant: u32,
    pub refresh_token: String,
    pub access_token: String,
}

/// A code and its verifier.
#[derive(Debug, Clone)]
pub struct Code {
    pub code: String,
    pub verifier: String,
}

/// What an app may ask for.
#[derive(Debug, Clone, Copy)]
pub enum Ask<'a> {
    Exchange(u32, &'a Code),
    Refresh(&'a Tokens),
    Revoke(&'a Tokens),
    Introspect(&'a Tokens),
}

impl App {
    pub fn of(site: &Site, journal: &Arc<Journal>) -> Self {
        Self {
            http: Client::builder().timeout(PATIENCE).build().unwrap(),
            client_id: site.client_id.clone(),
            client_secret: site.client_secret.clone(),
            journal: Arc::clone(journal),
        }
    }

    /// A browser in which the person has signed in and allowed the app.
    pub async fn browser(&self, issuer: &str) -> Browser {
        let browser = Browser::at(issuer);
        browser.authorize(&self.authorize_path(&pkce().1), PERSON).await;
        browser
    }

    /// A fresh code without any page; `None` if that does not work just now.
    pub async fn code(&self, browser: &Browser) -> Option<Code> {
        let (verifier, challenge) = pkce();
        let asked = browser.request(Method::GET, &self.authorize_path(&challenge)).timeout(PATIENCE);
        let code = asked.send().await.ok().and_then(|answer| code_in(&answer));
        if code.is_none() {
            self.journal.page_failed();
        }
        Some(Code { code: code?, verifier })
    }

    /// Asks once; what came of it, and the tokens that it gave.
    pub async fn ask(&self, origin: &str, ask: Ask<'_>) -> (Outcome, Option<Tokens>) {
        match ask {
            Ask::Exchange(grant, code) => self.exchange(origin, grant, code).await,
            Ask::Refresh(tokens) => self.refresh(origin, tokens).await,
            Ask::Revoke(tokens) => (self.revoke(origin, tokens).await, None),
            Ask::Introspect(tokens) => (self.introspect(origin, tokens).await, None),
        }
    }

    pub async fn exchange(&self, origin: &str, grant: u32, code: &Code) -> (Outcome, Option<Tokens>) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code.code),
            ("code_verifier", &code.verifier),
            ("redirect_uri", REDIRECT_URI),
        ];
        self.tokens(origin, grant, Operation::Exchange(Mark::of(&code.code)), &form).await
    }

    pub async fn refresh(&self, origin: &str, tokens: &Tokens) -> (Outcome, Option<Tokens>) {
        let form = [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh_token)];
        let operation = Operation::Refresh(Mark::of(&tokens.refresh_token));
        self.tokens(origin, tokens.grant, operation, &form).await
    }

    pub async fn revoke(&self, origin: &str, tokens: &Tokens) -> Outcome {
        let operation = Operation::Revoke(Mark::of(&tokens.refresh_token));
        let request = async {
            match self.post(origin, "/revoke", &[("token", &tokens.refresh_token)]).await {
                Ok(_) => Outcome::Revoked,
                Err(outcome) => outcome,
            }
        };
        self.journal.record(tokens.grant, operation, request).await
    }

    pub async fn introspect(&self, origin: &str, tokens: &Tokens) -> Outcome {
        let operation = Operation::Introspect(Mark::of(&tokens.access_token));
        let request = async {
            match self.post(origin, "/introspect", &[("token", &tokens.access_token)]).await {
                Ok(answer) => Outcome::Active(answer["active"] == true),
                Err(outcome) => outcome,
            }
        };
        self.journal.record(tokens.grant, operation, request).await
    }

    async fn tokens(
        &self,
        origin: &str,
        grant: u32,
        operation: Operation,
        form: &[(&str, &str)],
    ) -> (Outcome, Option<Tokens>) {
        let mut given = None;
        let request = async {
            match self.post(origin, "/token", form).await {
                Ok(answer) => {
                    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
                    let tokens = Tokens {
                        grant,
                        refresh_token: text("refresh_token"),
                        access_token: text("access_token"),
                    };
                    let mark = Mark::of(&tokens.refresh_token);
                    given = Some(tokens);
                    Outcome::Gave(mark)
                }
                Err(outcome) => outcome,
            }
        };
        (self.journal.record(grant, operation, request).await, given)
    }

    /// The JSON of a 200, or what came instead.
    async fn post(&self, origin: &str, path: &str, form: &[(&str, &str)]) -> Result<Value, Outcome> {
        let request = self.http.post(format!("{origin}{path}"));
        let request = request.basic_auth(&self.client_id, Some(&self.client_secret)).form(form);
        let without_answer = |error: reqwest::Error| match error.is_timeout() {
            true => Outcome::Late,
            false => Outcome::Unknown,
        };
        let answer = request.send().await.map_err(without_answer)?;
        if answer.status() == StatusCode::OK {
            let body = answer.text().await.map_err(without_answer)?;
            // RFC 7009 §2.2: the body of a revocation's answer says nothing.
            return Ok(serde_json::from_str(&body).unwrap_or_default());
        }
        Err(refusal(answer).await)
    }

    fn authorize_path(&self, challenge: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", &self.client_id),
                ("redirect_uri", REDIRECT_URI),
                ("scope", "openid offline_access"),
                ("code_challenge", challenge),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        format!("/authorize?{query}")
    }
}

fn code_in(redirect: &Response) -> Option<String> {
    query_of(redirect.headers().get(LOCATION)?.to_str().ok()?).remove("code")
}

async fn refusal(answer: Response) -> Outcome {
    let status = answer.status();
    let retry_after = answer.headers().contains_key(RETRY_AFTER);
    match status.as_u16() {
        503 | 429 => Outcome::Away { retry_after },
        400 => match answer.json::<Value>().await {
            Ok(body) if body["error"] == "invalid_grant" => Outcome::Refused,
            Ok(_) => Outcome::Fault(400),
            Err(_) => Outcome::Unknown,
        },
        status => Outcome::Fault(status),
    }
}
