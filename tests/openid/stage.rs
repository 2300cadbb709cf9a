//! What these tests begin with.

use std::collections::BTreeMap;

use reqwest::Method;

use crate::harness::{Answer, Browser, RelyingParty, Server, pkce};

/// A server with Alice and Bob, and a client whose answers can be redeemed.
pub struct Stage {
    pub server: Server,
    pub app: RelyingParty,
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(arguments: &[&str]) -> Self {
        let server = Server::start().await;
        for name in ["alice", "bob"] {
            server.user(name, &[]);
        }
        let app = RelyingParty::register(&server, arguments);
        Self { server, app }
    }

    /// A browser in which this person has signed in and agreed to the client.
    pub async fn browser_of(&self, name: &str) -> Browser {
        let browser = Browser::new(&self.server);
        self.app.sign_in(&browser, name, &[]).await;
        browser
    }

    /// Sends a request; the answer, or the first page.
    pub async fn open(&self, browser: &Browser, more: &[(&str, &str)]) -> Answer {
        browser.follow(browser.get(&self.app.authorize_path(&pkce().1, more)).await).await
    }

    /// The same by POST, as another site's form or as one that brings the session along.
    pub async fn post(&self, browser: &Browser, more: &[(&str, &str)]) -> Answer {
        let path = self.app.authorize_path(&pkce().1, more);
        let form = path.strip_prefix("/authorize?").unwrap().to_owned();
        let request = browser.request(Method::POST, "/authorize").body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        browser.follow(Answer::read(request.send().await.unwrap()).await).await
    }
}

/// What an answer tells the client, wherever it stands: in the query, or in the form that is to be posted.
pub fn told(answer: &Answer) -> BTreeMap<String, String> {
    match answer.location() {
        Some(location) => crate::harness::query_of(&location),
        None => answer.form().1,
    }
}

#[track_caller]
pub fn assert_error(answer: &Answer, error: &str, what: &str) {
    assert!(answer.location().is_some(), "{what}: a page: {} {}", answer.url, answer.body);
    let told = told(answer);
    assert_eq!(told.get("error").map(String::as_str), Some(error), "{what}: {told:?}");
    assert!(!told.contains_key("code"), "{what}: {told:?}");
}
