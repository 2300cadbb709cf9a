//! The demo app of a first run: an app like any other, on the server that it shows.

use reqwest::Method;
use serde_json::Value;

use crate::harness::{Answer, Browser, Installation, Process, Server, query_of};

/// The demo of a running first run, and its credentials.
struct Demo {
    server: Process,
    credentials: Value,
}

impl Demo {
    fn of(installation: &Installation) -> Self {
        let server = installation.serve(&[]);
        let file = std::fs::read(installation.state.join("demo-credentials.json")).unwrap();
        Self { server, credentials: serde_json::from_slice(&file).unwrap() }
    }

    fn text(&self, name: &str) -> &str {
        self.credentials[name].as_str().unwrap()
    }

    fn browser(&self) -> Browser {
        Browser::at(&self.server.issuer)
    }

    /// Begins and signs the demo user in; the consent page.
    async fn sign_in(&self, browser: &Browser) -> Answer {
        let page = browser.follow(browser.get("/demo").await).await;
        let fields = [("username", self.text("username")), ("password", self.text("password"))];
        browser.follow(browser.submit(&page, &fields).await).await
    }

    /// The same, and agrees; the answer's address at the demo app, not yet opened.
    async fn allow(&self, browser: &Browser) -> String {
        let page = self.sign_in(browser).await;
        browser.submit(&page, &[("decision", "allow")]).await.location().unwrap()
    }

    /// A form from a terminal, with the credentials that the page shows.
    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let request = self.browser().request(Method::POST, path);
        let request = request.basic_auth(self.text("client_id"), Some(self.text("client_secret")));
        Answer::read(request.form(form).send().await.unwrap()).await.json()
    }
}

/// The claims that a box of the page shows.
fn claims(page: &Answer, title: &str) -> Value {
    serde_json::from_str(&page.text_of(&format!("pre[aria-labelledby={title}]"))).unwrap()
}

/// The value that the page gives to a variable of the shell.
fn variable(page: &Answer, name: &str) -> String {
    let text = page.text_of("pre[aria-labelledby=shell]");
    let (_, rest) = text.split_once(&format!("{name}='")).unwrap();
    rest.split_once('\'').unwrap().0.to_owned()
}

#[tokio::test]
async fn the_demo_app_goes_the_way_of_every_app() {
    let installation = Installation::new();
    let demo = Demo::of(&installation);
    let browser = demo.browser();
    let request = browser.get("/demo").await;
    assert_eq!(request.status, 303);
    assert_eq!(request.parameter("scope").unwrap(), "openid profile email offline_access");
    assert_eq!(request.parameter("code_challenge_method").unwrap(), "S256");
    let cookie = request.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");

    let page = browser.get(&demo.allow(&browser).await).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(page.text_of(".person").contains("Signed in as demo"));
    let (access_token, id_token) = (claims(&page, "access-token"), claims(&page, "id-token"));
    assert_eq!(access_token["aud"], "https://orders.example");
    assert_eq!(access_token["client_id"], demo.text("client_id"));
    assert_eq!(id_token["aud"], demo.text("client_id"));
    assert_eq!(id_token["sub"], access_token["sub"]);

    let client = format!("{}:{}", demo.text("client_id"), demo.text("client_secret"));
    assert_eq!(variable(&page, "CLIENT"), client);
    let refresh_token = variable(&page, "REFRESH_TOKEN");
    let form = [("grant_type", "refresh_token"), ("refresh_token", &refresh_token)];
    assert!(demo.post("/token", &form).await["access_token"].is_string());
}

#[tokio::test]
async fn an_answer_counts_once_and_in_the_browser_that_asked() {
    let installation = Installation::new();
    let demo = Demo::of(&installation);
    let (browser, other) = (demo.browser(), demo.browser());
    let answer = demo.allow(&browser).await;
    let forged = |name: &str, value: &str| {
        let mut query = query_of(&answer);
        query.insert(name.to_owned(), value.to_owned());
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        format!("/demo/callback?{query}")
    };

    // Login CSRF: another's answer, in a browser that asked for nothing or for something else.
    assert_eq!(other.get(&answer).await.status, 400);
    other.get("/demo").await;
    assert_eq!(other.get(&answer).await.status, 400);
    assert_eq!(browser.get(&forged("state", "x")).await.status, 400);
    assert_eq!(browser.get(&forged("iss", "https://evil.example")).await.status, 400);
    assert_eq!(browser.get(&forged("code", "grc_x")).await.text_of(".details code"), "invalid_grant");
    // What a stranger wrote into the address is not shown.
    let told = browser.get("/demo/callback?error=access_denied&error_description=Call+us").await;
    assert_eq!(told.status, 400);
    assert!(!told.body.contains("Call us"));

    let page = browser.get(&answer).await;
    assert_eq!(page.status, 200, "{}", page.body);
    // Loading the page again redeems nothing: that would revoke what it shows.
    assert_eq!(browser.get(&answer).await.status, 400);
    let access_token = variable(&page, "ACCESS_TOKEN");
    assert_eq!(demo.post("/introspect", &[("token", &access_token)]).await["active"], true);
}

#[tokio::test]
async fn a_refusal_is_told_kindly() {
    let installation = Installation::new();
    let demo = Demo::of(&installation);
    let browser = demo.browser();
    let consent = demo.sign_in(&browser).await;
    let page = browser.follow(browser.submit(&consent, &[("decision", "deny")]).await).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text_of("h1"), "You did not allow it");
    assert_eq!(page.text_of(".details code"), "access_denied");
}

#[tokio::test]
async fn the_demo_follows_its_server_to_another_port_and_goes_when_it_is_removed() {
    let installation = Installation::new();
    let first = Demo::of(&installation);
    let (port, client_id) = (first.server.issuer.clone(), first.text("client_id").to_owned());
    first.server.stop();

    let second = Demo::of(&installation);
    assert_ne!(second.server.issuer, port);
    assert_eq!(second.text("link"), format!("{}/demo", second.server.issuer));
    let browser = second.browser();
    assert!(browser.get("/").await.exists("a[href='/demo']"));
    assert_eq!(browser.get(&second.allow(&browser).await).await.status, 200);

    installation.json(&["client", "delete", &client_id]);
    second.server.stop();
    let server = installation.serve(&[]);
    let browser = Browser::at(&server.issuer);
    assert_eq!(browser.get("/demo").await.status, 404);
    assert!(!browser.get("/").await.exists("a[href='/demo']"));
}

#[tokio::test]
async fn a_person_who_is_called_demo_already_is_left_alone() {
    let installation = Installation::new();
    installation.json(&["user", "create", "--username", "Demo", "--email", "d@example.com"]);
    let server = installation.serve(&[]);
    assert_eq!(server.told.lines().count(), 1, "{}", server.told);
    assert!(!installation.state.join("demo-credentials.json").exists());
    assert_eq!(Browser::at(&server.issuer).get("/demo").await.status, 404);
}

#[tokio::test]
async fn a_server_with_a_database_of_its_operator_has_no_demo() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    for path in ["/demo", "/demo/callback?code=x&state=y"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    assert!(!browser.get("/").await.exists("a[href='/demo']"));
}
