//! Logout that an app begins (OpenID Connect RP-Initiated Logout 1.0).

use reqwest::Method;
use serde_json::json;

use crate::harness::{
    Answer, Browser, RelyingParty, Server, Settings, Tokens, query_of, set_backchannel_logout_uri,
};

const AFTERWARDS: &str = "https://app.example/signed-out";

struct Stage {
    server: Server,
    app: RelyingParty,
    browser: Browser,
}

impl Stage {
    async fn new() -> Self {
        let server = Server::start().await;
        server.user("alice", &[]);
        let app = register(&server, AFTERWARDS);
        let browser = Browser::new(&server);
        Self { server, app, browser }
    }

    /// Alice, in the browser, signed in to the app.
    async fn signed_in(&self) -> Tokens {
        self.app.sign_in(&self.browser, "alice", &[]).await
    }

    async fn is_signed_in(&self) -> bool {
        self.browser.get("/sign-out").await.has_id("logout-confirm")
    }

    async fn get(&self, parameters: &[(&str, &str)]) -> Answer {
        self.browser.get(&path(parameters)).await
    }
}

fn register(server: &Server, uri: &str) -> RelyingParty {
    RelyingParty::register(server, &["--post-logout-redirect-uri", uri])
}

fn path(parameters: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/logout?{query}")
}

fn id_token(tokens: &Tokens) -> &str {
    tokens.0["id_token"].as_str().unwrap()
}

#[tokio::test]
async fn the_metadata_says_where() {
    let stage = Stage::new().await;
    for document in ["openid-configuration", "oauth-authorization-server"] {
        let metadata = stage.browser.get(&format!("/.well-known/{document}")).await.json();
        assert_eq!(metadata["end_session_endpoint"], stage.server.url("/logout"));
    }
}

/// Conformance: rp-initiated-logout, no-state.
#[tokio::test]
async fn an_app_that_means_this_session_ends_it_at_once() {
    let stage = Stage::new().await;
    for (more, expected) in [
        (
            vec![("post_logout_redirect_uri", AFTERWARDS), ("state", "a b&c")],
            "https://app.example/signed-out?state=a+b%26c",
        ),
        (vec![("post_logout_redirect_uri", AFTERWARDS)], AFTERWARDS),
        (
            vec![
                ("post_logout_redirect_uri", AFTERWARDS),
                ("client_id", stage.app.client_id.as_str()),
                ("logout_hint", "alice"),
                ("ui_locales", "de en"),
                ("unknown", "x"),
            ],
            AFTERWARDS,
        ),
    ] {
        let tokens = stage.signed_in().await;
        let answer = stage.get(&[&[("id_token_hint", id_token(&tokens))][..], &more].concat()).await;
        assert_eq!((answer.status.as_u16(), answer.location().as_deref()), (303, Some(expected)));
        assert!(answer.cookies().iter().any(|cookie| cookie.starts_with("grantor_session=;")), "forgotten");
        assert!(!stage.is_signed_in().await);
        assert_eq!(stage.app.introspect(tokens.access_token()).await, json!({ "active": false }));
    }
    let recorded =
        stage.server.cli(&["audit", "list", "--event", "sign_out", "--client", &stage.app.client_id]);
    assert_eq!(recorded.as_array().map(Vec::len), Some(3), "which app it was: {recorded:#}");
}

/// Conformance: no-post-logout-redirect-uri, only-state, no-params.
#[tokio::test]
async fn without_an_address_it_ends_here() {
    let stage = Stage::new().await;
    let tokens = stage.signed_in().await;
    let answer = stage.get(&[("id_token_hint", id_token(&tokens)), ("state", "x")]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.has_id("logout-done") && answer.location().is_none());
    assert!(!stage.is_signed_in().await);

    for parameters in [&[][..], &[("state", "x")], &[("client_id", stage.app.client_id.as_str())]] {
        stage.signed_in().await;
        let page = stage.browser.follow(stage.get(parameters).await).await;
        assert!(page.has_id("logout-confirm"), "asked first: {}", page.body);
        assert!(stage.is_signed_in().await);
        let done = stage.browser.submit(&page, &[]).await;
        assert!(done.has_id("logout-done") && done.location().is_none());
        assert!(!stage.is_signed_in().await);
    }
}

#[tokio::test]
async fn an_app_that_only_says_its_name_or_means_another_session_asks_first() {
    let stage = Stage::new().await;
    let elsewhere = Browser::new(&stage.server);
    let other = stage.app.sign_in(&elsewhere, "alice", &[]).await;
    let uri = ("post_logout_redirect_uri", AFTERWARDS);
    let name = ("client_id", stage.app.client_id.as_str());
    for who in [
        vec![name],
        vec![("id_token_hint", id_token(&other))],
        vec![("id_token_hint", id_token(&other)), name],
    ] {
        stage.signed_in().await;
        let asked = stage.get(&[&who[..], &[uri, ("state", "s")]].concat()).await;
        let location = asked.location().unwrap();
        assert!(location.starts_with("/logout/confirm?") && !location.contains("id_token"), "{location}");
        let page = stage.browser.get(&location).await;
        assert!(page.text_of("main").contains("Test app asks to sign you out here"), "{}", page.body);
        assert!(page.text_of("main").contains("you will be taken to app.example"), "{}", page.body);
        // Browsers hold form-action against the redirect after the form, too.
        assert!(!page.header("content-security-policy").unwrap().contains("form-action"));
        assert!(stage.is_signed_in().await);
        let answer = stage.browser.submit(&page, &[]).await;
        assert_eq!(answer.location().unwrap(), format!("{AFTERWARDS}?state=s"));
        assert!(!stage.is_signed_in().await);
    }
    assert!(elsewhere.get("/sign-out").await.has_id("logout-confirm"), "the other session goes on");
}

#[tokio::test]
async fn where_nobody_is_signed_in_nobody_is_asked() {
    let stage = Stage::new().await;
    assert!(stage.get(&[]).await.has_id("logout-done"));
    assert!(stage.browser.get("/logout/confirm").await.has_id("logout-done"));
    let named = [("client_id", stage.app.client_id.as_str()), ("post_logout_redirect_uri", AFTERWARDS)];
    assert_eq!(stage.get(&named).await.location().as_deref(), Some(AFTERWARDS));
}

/// Conformance: bad-post-logout-redirect-uri, query-added-to-post-logout-redirect-uri, modified-id-token-hint,
/// bad-id-token-hint, no-id-token-hint.
// Case 65.
#[tokio::test]
async fn whatever_does_not_fit_leads_nowhere_and_ends_nothing() {
    let stage = Stage::new().await;
    let tokens = stage.signed_in().await;
    let other = register(&stage.server, "https://other.example/bye");
    let disabled = register(&stage.server, AFTERWARDS);
    stage.server.cli(&["client", "update", &disabled.client_id, "--disable"]);
    let token = id_token(&tokens);
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = head.split_once('.').unwrap();
    let forged = format!("{header}.{claims}x.{signature}");
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let hint = ("id_token_hint", token);
    let uri = |uri| ("post_logout_redirect_uri", uri);
    let client = |app: &RelyingParty| app.client_id.clone();
    let (own, others, off) = (client(&stage.app), client(&other), client(&disabled));
    let refused: &[&[(&str, &str)]] = &[
        // Unregistered, suffixed, with a query, in another spelling, another app's, anything but a web address.
        &[hint, uri("https://evil.example/")],
        &[hint, uri("https://app.example/signed-out/")],
        &[hint, uri("https://app.example/signed-out?a=b")],
        &[hint, uri("https://app.example/signed-out#x")],
        &[hint, uri("https://APP.example/signed-out")],
        &[hint, uri("https://app.example/x/../signed-out")],
        &[hint, uri("https://app.example")],
        &[hint, uri("https://other.example/bye")],
        &[hint, uri("javascript:alert(1)")],
        &[hint, uri("//evil.example")],
        &[("client_id", &own), uri("https://other.example/bye")],
        // A redirect URI for sign-in is none for logout.
        &[hint, uri("https://app.example/callback")],
        // Unhinted, forged, not an ID token, contradictory, of nobody.
        &[uri(AFTERWARDS)],
        &[uri(AFTERWARDS), ("state", "x")],
        &[("id_token_hint", &forged), uri(AFTERWARDS)],
        &[("id_token_hint", &forged)],
        &[("id_token_hint", &unsigned), uri(AFTERWARDS)],
        &[("id_token_hint", "nonsense"), ("client_id", &own), uri(AFTERWARDS)],
        &[("id_token_hint", tokens.access_token()), uri(AFTERWARDS)],
        &[hint, ("client_id", &others), uri("https://other.example/bye")],
        &[hint, ("client_id", &others)],
        &[("client_id", "nobody"), uri(AFTERWARDS)],
        &[("client_id", &off), uri(AFTERWARDS)],
        // Twice.
        &[hint, uri(AFTERWARDS), uri("https://evil.example/")],
        &[hint, uri(AFTERWARDS), ("state", "a"), ("state", "b")],
    ];
    for parameters in refused {
        let answers = [
            stage.get(parameters).await,
            stage.browser.post("/logout", parameters).await,
            stage.browser.get(&path(parameters).replace("/logout?", "/logout/confirm?")).await,
            stage.browser.post("/logout/confirm", parameters).await,
            Browser::new(&stage.server).get(&path(parameters)).await,
        ];
        for answer in answers {
            assert!(answer.is_error_page(), "{parameters:?}: {} {}", answer.status, answer.body);
            assert_eq!(answer.text_of("#error-page code"), "invalid_request", "{}", answer.body);
            // Whoever wanted to sign out still can.
            assert!(answer.exists("#error-page a[href='/sign-out']"), "{}", answer.body);
        }
    }
    assert!(stage.is_signed_in().await);
}

#[tokio::test]
async fn what_the_page_carries_is_judged_anew_when_it_comes_back() {
    let stage = Stage::new().await;
    stage.signed_in().await;
    let asked =
        stage.get(&[("client_id", &stage.app.client_id), ("post_logout_redirect_uri", AFTERWARDS)]).await;
    let page = stage.browser.follow(asked).await;
    let changed = stage.browser.submit(&page, &[("post_logout_redirect_uri", "https://evil.example/")]).await;
    assert!(changed.is_error_page(), "{}", changed.body);
    // Case 60: without its token the form counts for nothing, and another site's is refused.
    let forged = stage.browser.submit(&page, &[("csrf", "forged")]).await;
    assert!(forged.has_id("logout-confirm"), "asked again: {}", forged.body);
    let foreign =
        stage.browser.request(Method::POST, "/logout/confirm").header("origin", "https://evil.example");
    let foreign = Answer::read(foreign.form(&page.form().1).send().await.unwrap()).await;
    assert!(foreign.is_error_page());
    assert!(stage.is_signed_in().await);
    // The registration has changed while the page stood open.
    let update = ["client", "update", &stage.app.client_id, "--post-logout-redirect-uri", ""];
    stage.server.cli(&update);
    stage.server.change_arrives().await;
    assert!(stage.browser.submit(&page, &[]).await.is_error_page());
    assert!(stage.is_signed_in().await);
}

#[tokio::test]
async fn another_sites_form_is_taken_round_once_more() {
    let stage = Stage::new().await;
    let tokens = stage.signed_in().await;
    let fields =
        [("id_token_hint", id_token(&tokens)), ("post_logout_redirect_uri", AFTERWARDS), ("state", "s")];
    // A browser sends no `SameSite=Lax` cookie along with another site's form.
    let answer = Browser::new(&stage.server).post("/logout", &fields).await;
    assert_eq!(answer.status, 303);
    let location = answer.location().unwrap();
    assert!(location.starts_with("/logout?"), "{location}");
    assert_eq!(query_of(&location).len(), 3);
    assert!(answer.cookies().is_empty(), "the session's cookie is not forgotten: {:?}", answer.cookies());
    let answer = stage.browser.get(&location).await;
    assert_eq!(answer.location().unwrap(), format!("{AFTERWARDS}?state=s"));
    // With the cookie it counts at once.
    let tokens = stage.signed_in().await;
    let fields = [("id_token_hint", id_token(&tokens)), ("post_logout_redirect_uri", AFTERWARDS)];
    assert_eq!(stage.browser.post("/logout", &fields).await.location().as_deref(), Some(AFTERWARDS));
    assert!(!stage.is_signed_in().await);
}

/// A session that was not used for half a day has expired, but nobody has signed out: whoever does so now in an app means
/// the others too.
#[tokio::test]
async fn signing_out_of_an_expired_session_tells_the_other_apps() {
    let stage = Stage::new().await;
    let other = RelyingParty::register(&stage.server, &[]);
    set_backchannel_logout_uri(&stage.server, &other.client_id, "https://127.0.0.1/logout").await;
    let tokens = stage.signed_in().await;
    other.sign_in(&stage.browser, "alice", &[]).await;
    let told = || stage.server.cli(&["logout-delivery", "list"]).as_array().unwrap().len();
    stage.server.database.execute("UPDATE sessions SET idle_expires_at = clock_timestamp()").await;
    let hint = [("id_token_hint", id_token(&tokens)), ("post_logout_redirect_uri", AFTERWARDS)];
    // It takes the cookie, and not an ID token alone.
    let elsewhere = Browser::new(&stage.server);
    assert_eq!(elsewhere.get(&path(&hint)).await.location().as_deref(), Some(AFTERWARDS));
    assert_eq!(told(), 0);
    assert_eq!(stage.get(&hint).await.location().as_deref(), Some(AFTERWARDS));
    assert_eq!(told(), 1);
}

#[tokio::test]
async fn looking_ahead_ends_nothing() {
    let stage = Stage::new().await;
    let tokens = stage.signed_in().await;
    let path = path(&[("id_token_hint", id_token(&tokens))]);
    let head = stage.browser.request(Method::HEAD, &path);
    let ahead = stage.browser.request(Method::GET, &path).header("sec-purpose", "prefetch;prerender");
    for request in [head, ahead] {
        let answer = Answer::read(request.send().await.unwrap()).await;
        assert!(answer.location().unwrap().starts_with("/logout/confirm?"));
    }
    assert!(stage.is_signed_in().await);
}

#[tokio::test]
async fn an_id_token_that_has_expired_still_names_the_session() {
    let settings = Settings::default().with("GRANTOR_TOKENS_ID_TOKEN_LIFETIME", "10s");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    let (app, browser) = (register(&server, AFTERWARDS), Browser::new(&server));
    let stage = Stage { server, app, browser };
    let tokens = stage.signed_in().await;
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    let hint = [("id_token_hint", id_token(&tokens)), ("post_logout_redirect_uri", AFTERWARDS)];
    assert_eq!(stage.get(&hint).await.location().as_deref(), Some(AFTERWARDS));
    assert!(!stage.is_signed_in().await);
}
