//! `oidcc-rp-initiated-logout-certification-test-plan`.

use aws_lc_rs::rsa::KeySize;
use grantor::secret::{base64url, random_bytes};
use serde_json::json;

use super::config::every_endpoint_is_https;
use super::{Client, POST_LOGOUT, ResponseMode, SignedIn, Suite};
use crate::harness::{Answer, Assertion, ClientKey, query_of, unix_now};

/// Somebody who has signed in to a client and is about to leave.
struct Leaving {
    suite: Suite,
    client: Client,
    done: SignedIn,
    /// As long as the suite makes it.
    state: String,
}

impl Leaving {
    async fn new() -> Self {
        let suite = Suite::start(ResponseMode::Query).await;
        let client = Client::register(&suite.server, &[]);
        let done = suite.sign_in(&client, &suite.request(&client)).await;
        Self { suite, client, done, state: base64url(&random_bytes::<96>()) }
    }

    /// What the suite sends to the end-session endpoint, less some and more of others.
    fn parameters(&self, without: &[&str], more: &[(&str, &str)]) -> String {
        let mut parameters = vec![
            ("id_token_hint", self.done.hint.as_str()),
            ("post_logout_redirect_uri", POST_LOGOUT),
            ("state", &self.state),
        ];
        let is_replaced = |name: &str| more.iter().any(|(other, _)| *other == name);
        parameters.retain(|(name, _)| !without.contains(name) && !is_replaced(name));
        parameters.extend(more);
        form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
    }

    /// Where the browser ends up, confirming where it is asked to.
    async fn leave(&self, query: &str) -> Answer {
        let url = format!("{}?{query}", self.suite.endpoint("end_session_endpoint"));
        let browser = &self.suite.browser;
        let mut answer = browser.follow(browser.get(&url).await).await;
        if answer.has_id("logout-confirm") {
            answer = browser.follow(browser.submit(&answer, &[]).await).await;
        }
        answer
    }

    /// Asserts that the browser is back at the client, and what it brings.
    #[track_caller]
    fn is_back(&self, answer: &Answer, state: Option<&str>) {
        let location = answer.location().unwrap_or_else(|| panic!("{} {}", answer.status, answer.body));
        assert!(location.starts_with(POST_LOGOUT), "{location}");
        let brought = query_of(&location);
        let expected = state.map(|state| ("state".to_owned(), state.to_owned()));
        assert_eq!(brought, expected.into_iter().collect());
    }

    /// Asserts that nobody is signed in any more.
    async fn is_signed_out(&self) {
        let request = self.suite.request(&self.client).with("prompt", "none").with_a_long_state();
        let callback = self.suite.answered_at_once(&request).await;
        callback.refuses_with(self.suite.issuer(), &["login_required", "interaction_required"]);
    }

    /// Asserts that a request leads to an error or a question, and never to an address of the client.
    async fn stays_here(&self, query: &str) {
        let url = format!("{}?{query}", self.suite.endpoint("end_session_endpoint"));
        let browser = &self.suite.browser;
        let page = browser.follow(browser.get(&url).await).await;
        assert!(page.location().is_none(), "{:?}", page.location());
        assert!(page.has_id("error-page") || page.has_id("logout-confirm"), "{}", page.body);
        let end = self.leave(query).await;
        assert!(end.location().is_none(), "{:?}", end.location());
    }

    /// Asserts that a request ends the session and says so.
    async fn ends_with_a_page(&self, query: &str) {
        let end = self.leave(query).await;
        assert!(end.status == 200 && end.has_id("logout-done"), "{} {}", end.status, end.body);
        self.is_signed_out().await;
    }
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    let suite = Suite::start(ResponseMode::Query).await;
    every_endpoint_is_https(&suite);
    assert_eq!(suite.endpoint("end_session_endpoint"), format!("{}/logout", suite.issuer()));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout() {
    let leaving = Leaving::new().await;
    let answer = leaving.leave(&leaving.parameters(&[], &[])).await;
    leaving.is_back(&answer, Some(&leaving.state));
    leaving.is_signed_out().await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let leaving = Leaving::new().await;
    let answer = leaving.leave(&leaving.parameters(&["state"], &[])).await;
    leaving.is_back(&answer, None);
    leaving.is_signed_out().await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let leaving = Leaving::new().await;
    let other = format!("{POST_LOGOUT}/{}", base64url(&random_bytes::<7>()));
    leaving.stays_here(&leaving.parameters(&[], &[("post_logout_redirect_uri", &other)])).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let leaving = Leaving::new().await;
    let other = format!("{POST_LOGOUT}?foo=bar");
    leaving.stays_here(&leaving.parameters(&[], &[("post_logout_redirect_uri", &other)])).await;
}

/// The ID token as if it needed no signature.
#[tokio::test]
async fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let leaving = Leaving::new().await;
    let claims = leaving.done.hint.split('.').nth(1).unwrap();
    let unsigned = format!("{}.{claims}.", base64url(br#"{"alg":"none"}"#));
    leaving.stays_here(&leaving.parameters(&[], &[("id_token_hint", &unsigned)])).await;
}

/// An ID token that the suite has signed itself.
#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let leaving = Leaving::new().await;
    let now = unix_now();
    let claims = json!({
        "iss": leaving.suite.issuer(), "sub": leaving.done.id_token["sub"], "aud": leaving.client.id,
        "nonce": "n", "iat": now, "exp": now + 300,
    });
    let header = json!({"alg": "RS256", "kid": leaving.done.header.kid});
    let hint = Assertion { header, claims }.signed_by(&ClientKey::rsa(KeySize::Rsa2048));
    leaving.stays_here(&leaving.parameters(&[], &[("id_token_hint", &hint)])).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_id_token_hint() {
    let leaving = Leaving::new().await;
    leaving.stays_here(&leaving.parameters(&["id_token_hint"], &[])).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params() {
    let leaving = Leaving::new().await;
    leaving.ends_with_a_page("").await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    let leaving = Leaving::new().await;
    leaving.ends_with_a_page(&leaving.parameters(&["post_logout_redirect_uri"], &[])).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_only_state() {
    let leaving = Leaving::new().await;
    let without = ["id_token_hint", "post_logout_redirect_uri"];
    leaving.ends_with_a_page(&leaving.parameters(&without, &[])).await;
}
