//! The suite's browser does what `examples/conformance/grantor.json` tells it, and here a browser does the same: each
//! address and each id in that file is right.

use serde_json::Value;

use super::suite::PERSON;
use super::{Client, POST_LOGOUT, ResponseMode, Suite};
use crate::harness::{Answer, password_of};

const CONFIGURATION: &str = include_str!("../../examples/conformance/grantor.json");

/// The file with the placeholders filled in.
fn configuration(suite: &Suite) -> Value {
    let filled = CONFIGURATION
        .replace("ISSUER", suite.issuer())
        .replace("USERNAME", PERSON)
        .replace("PASSWORD", &password_of(PERSON));
    serde_json::from_str(&filled).unwrap()
}

/// `*` at the begin or at the end stands for anything.
fn fits(pattern: &str, url: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => url.contains(pattern.trim_matches('*')),
        (None, Some(begin)) => url.starts_with(begin),
        (Some(end), None) => url.ends_with(end),
        (None, None) => pattern == url,
    }
}

/// The browser of one module.
struct Automation<'a> {
    suite: &'a Suite,
    page: Answer,
    /// What has been typed.
    fields: Vec<(String, String)>,
    /// How many screenshots were taken.
    shots: usize,
}

impl<'a> Automation<'a> {
    /// Opens an address of a module and does what the file says.
    async fn run(suite: &'a Suite, module: &str, url: &str) -> Self {
        let configuration = configuration(suite);
        let own = &configuration["override"][module]["browser"];
        let scripts = own.as_array().or(configuration["browser"].as_array()).unwrap();
        let script = scripts.iter().find(|script| fits(script["match"].as_str().unwrap(), url));
        let page = suite.browser.follow(suite.browser.get(url).await).await;
        let mut automation = Self { suite, page, fields: Vec::new(), shots: 0 };
        for task in script.expect(url)["tasks"].as_array().unwrap() {
            automation.perform(task).await;
        }
        automation
    }

    /// Where the browser is.
    fn place(&self) -> String {
        self.page.location().unwrap_or_else(|| self.page.url.clone())
    }

    async fn perform(&mut self, task: &Value) {
        if !fits(task["match"].as_str().unwrap(), &self.place()) {
            assert_eq!(task["optional"], true, "{} at {}: {}", task["task"], self.place(), self.page.body);
            return;
        }
        for command in task["commands"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let words: Vec<&str> = command.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            match words[..] {
                ["text", "id", id, value] => self.fields.push((self.name_of(id), value.to_owned())),
                ["click", "id", id] => self.click(id).await,
                ["click", "id", id, "optional"] if self.page.has_id(id) => self.click(id).await,
                ["click", "id", _, "optional"] => {}
                // That page is the suite's own.
                ["wait", "id", "submission_complete"] => {}
                ["wait", "xpath", "//*", text, _] => {
                    assert!(self.page.text_of("body").contains(text), "{text} in {}", self.page.body);
                    self.shots += 1;
                }
                _ => panic!("{command}"),
            }
        }
    }

    fn name_of(&self, id: &str) -> String {
        self.page.attribute(&format!("#{id}"), "name").unwrap_or_else(|| panic!("{id} in {}", self.page.body))
    }

    async fn click(&mut self, id: &str) {
        let attribute = |name| self.page.attribute(&format!("#{id}"), name);
        assert!(self.page.exists(&format!("form button#{id}")), "{id} in {}", self.page.body);
        let mut fields = std::mem::take(&mut self.fields);
        fields.extend(attribute("name").map(|name| (name, attribute("value").unwrap_or_default())));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = self.suite.browser.submit(&self.page, &fields).await;
        self.page = self.suite.browser.follow(answer).await;
    }
}

fn authorize(suite: &Suite, request: &super::Request) -> String {
    format!("{}?{}", suite.endpoint("authorization_endpoint"), request.query())
}

#[tokio::test]
async fn a_person_signs_in_and_allows_and_signs_in_again() {
    let suite = Suite::start(ResponseMode::Query).await;
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client);
    let first = Automation::run(&suite, "oidcc-server", &authorize(&suite, &request)).await;
    request.callback(&first.page).code(suite.issuer());
    assert_eq!(first.shots, 0);
    for (module, parameter) in
        [("oidcc-prompt-login", ("prompt", "login")), ("oidcc-max-age-1", ("max_age", "0"))]
    {
        let request = suite.request(&client).with(parameter.0, parameter.1);
        let again = Automation::run(&suite, module, &authorize(&suite, &request)).await;
        request.callback(&again.page).code(suite.issuer());
        assert_eq!(again.shots, 1, "{module}");
    }
}

#[tokio::test]
async fn what_may_not_be_answered_ends_on_the_error_page() {
    let suite = Suite::start(ResponseMode::Query).await;
    let client = Client::register(&suite.server, &[]);
    let elsewhere = suite.request(&client).with("redirect_uri", "https://app.example/elsewhere");
    let nowhere = suite.request(&client).without("redirect_uri");
    for (module, request) in [
        ("oidcc-ensure-registered-redirect-uri", &elsewhere),
        ("oidcc-ensure-request-object-with-redirect-uri", &elsewhere),
        ("oidcc-redirect-uri-query-mismatch", &elsewhere),
        ("oidcc-redirect-uri-query-added", &elsewhere),
        ("oidcc-ensure-redirect-uri-in-authorization-request", &nowhere),
    ] {
        assert_eq!(Automation::run(&suite, module, &authorize(&suite, request)).await.shots, 1, "{module}");
    }
}

#[tokio::test]
async fn the_first_page_is_that_of_signing_in() {
    let suite = Suite::start(ResponseMode::Query).await;
    let client = Client::register(&suite.server, &[]);
    for module in ["logo", "policy", "tos"] {
        let module = format!("oidcc-registration-{module}-uri");
        let page = Automation::run(&suite, &module, &authorize(&suite, &suite.request(&client))).await;
        assert_eq!(page.shots, 1, "{module}");
    }
}

#[tokio::test]
async fn a_logout_leads_back_or_says_why_not() {
    let suite = Suite::start(ResponseMode::Query).await;
    let client = Client::register(&suite.server, &[]);
    let other = format!("{POST_LOGOUT}?foo=bar");
    let leave = async |module: &str, parameters: &[(&str, &str)]| {
        let hint = suite.sign_in(&client, &suite.request(&client)).await.hint;
        let parameters = parameters.iter().map(|(name, value)| (*name, value.replace("HINT", &hint)));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let url = format!("{}?{query}", suite.endpoint("end_session_endpoint"));
        let automation = Automation::run(&suite, &format!("oidcc-rp-initiated-logout{module}"), &url).await;
        (automation.place(), automation.shots)
    };
    let (hint, back) = (("id_token_hint", "HINT"), ("post_logout_redirect_uri", POST_LOGOUT));
    let (place, shots) = leave("", &[hint, back]).await;
    assert!(place.starts_with(POST_LOGOUT) && shots == 0, "{place}");
    for (module, parameters) in [
        ("-bad-post-logout-redirect-uri", &[hint, ("post_logout_redirect_uri", "https://app.example/")][..]),
        ("-query-added-to-post-logout-redirect-uri", &[hint, ("post_logout_redirect_uri", &other)]),
        ("-modified-id-token-hint", &[("id_token_hint", "eyJhbGciOiJub25lIn0.e30."), back]),
        ("-bad-id-token-hint", &[("id_token_hint", "HINTx"), back]),
        ("-no-id-token-hint", &[back]),
        ("-no-params", &[]),
        ("-no-post-logout-redirect-uri", &[hint]),
        ("-only-state", &[("state", "st4te")]),
    ] {
        let (place, shots) = leave(module, parameters).await;
        assert!(place.starts_with(suite.issuer()) && shots == 1, "{module}: {place}");
    }
}
