//! What a client can get wrong in an authorization request, and how it learns of it (RFC 6749 §4.1.2.1).

use tokio::net::TcpListener;

use super::{assert_error_page, assert_refused};
use crate::harness::{Answer, Browser, RelyingParty, Server, pkce};

const REDIRECT_URI: &str = "https://app.example/callback";
const MARKUP: &str = "\"'><script>alert(1)</script>";

/// Faults of a request whose client and redirect URI are good. Cases 10, 13, 15, 16 and 17.
const FAULTS: &[(&str, &str, &str)] = &[
    ("response_type", "", "invalid_request"),
    ("response_type", "token", "unsupported_response_type"),
    ("response_type", "id_token", "unsupported_response_type"),
    ("response_type", "code token", "unsupported_response_type"),
    ("response_type", "CODE", "unsupported_response_type"),
    ("response_mode", "fragment", "invalid_request"),
    ("scope", "admin", "invalid_scope"),
    ("scope", "openid nonexistent", "invalid_scope"),
    ("scope", "openid \"quoted\"", "invalid_scope"),
    ("scope", "open\\id", "invalid_scope"),
    ("scope", "öpenid", "invalid_scope"),
    ("prompt", "none login", "invalid_request"),
    ("prompt", "create", "invalid_request"),
    ("max_age", "-1", "invalid_request"),
    ("max_age", "1.5", "invalid_request"),
    ("max_age", "99999999999999999999999", "invalid_request"),
    ("resource", "https://api.example", "invalid_target"),
    ("resource", "not a uri", "invalid_target"),
    ("resource", "https://api.example/#x", "invalid_target"),
    (
        "request",
        "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.",
        "request_not_supported",
    ),
    ("request_uri", "file:///etc/passwd", "request_uri_not_supported"),
    ("request_uri", "gopher://127.0.0.1:70/", "request_uri_not_supported"),
    ("request_uri", "urn:ietf:params:oauth:request_uri:guess", "request_uri_not_supported"),
    ("registration", "{}", "registration_not_supported"),
];

async fn post(browser: &Browser, path: &str) -> Answer {
    let (endpoint, query) = path.split_once('?').unwrap();
    let request = browser.request(reqwest::Method::POST, endpoint).body(query.to_owned());
    let form = request.header("content-type", "application/x-www-form-urlencoded");
    Answer::read(form.send().await.unwrap()).await
}

#[tokio::test]
async fn a_fault_is_told_to_the_client_by_redirect_whether_it_comes_by_get_or_post() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let (_, challenge) = pkce();
    for (name, value, error) in FAULTS {
        let path = app.authorize_path(&challenge, &[(name, value)]);
        let what = format!("{name}={value}");
        assert_refused(&browser.get(&path).await, REDIRECT_URI, error, &what);
        assert_refused(&post(&browser, &path).await, REDIRECT_URI, error, &what);
    }
}

#[tokio::test]
async fn a_parameter_that_stands_twice_is_refused() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let usual = app.authorize_path(&pkce().1, &[("nonce", "n"), ("prompt", "none"), ("login_hint", "alice")]);
    // Case 10. Equal or not, known or not, with a value or without.
    for twice in [
        "scope=openid",
        "response_type=code",
        "response_type=token",
        "code_challenge=x",
        "code_challenge_method=S256",
        "nonce=n",
        "prompt=login",
        "login_hint=",
        "unknown=1&unknown=2",
    ] {
        let answer = browser.get(&format!("{usual}&{twice}")).await;
        assert_refused(&answer, REDIRECT_URI, "invalid_request", twice);
    }
    // Which `state` was meant, nobody knows: it is left out.
    let answer = browser.get(&format!("{usual}&state=other")).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("invalid_request"));
    assert_eq!(answer.parameter("state"), None);
}

#[tokio::test]
async fn state_comes_back_as_it_was_sent() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    for state in ["a b+c", "&error=x&iss=https://evil.example", "ä€𝄞", "%0d%0aSet-Cookie:x=y", "#", MARKUP]
    {
        let path = app.authorize_path(&pkce().1, &[("prompt", "none"), ("state", state)]);
        let answer = browser.get(&path).await;
        assert_eq!(answer.parameter("state").as_deref(), Some(state));
        assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
        assert_eq!(answer.parameter("iss").as_deref(), Some(server.issuer.as_str()));
        assert!(answer.cookies().is_empty());
    }
    let path = app.authorize_path(&pkce().1, &[("prompt", "none"), ("state", "")]);
    assert_eq!(browser.get(&path).await.parameter("state"), None);
}

#[tokio::test]
async fn what_is_no_text_is_refused_by_a_page() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let (_, challenge) = pkce();
    // Cases 20 and 73: PostgreSQL could not store NUL, and a line break could split a header.
    for broken in ["%00", "%", "%zz", "%ff", "%ED%A0%80", "a%0d%0aSet-Cookie:%20a=b", "%C2%85"] {
        for name in ["state", "scope", "login_hint", "nonce", "resource", "unknown"] {
            let path = app.authorize_path(&challenge, &[(name, "")]);
            let answer = browser.get(&format!("{path}&{name}={broken}")).await;
            assert_error_page(&answer, &format!("{name}={broken}"));
            assert!(answer.cookies().is_empty());
        }
        for page in ["/sign-in?request=", "/consent?request=", "/password/set?token="] {
            assert_error_page(&browser.get(&format!("{page}{broken}")).await, broken);
        }
    }
}

#[tokio::test]
async fn markup_stays_text_on_every_page() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &["--name", MARKUP]);
    let browser = Browser::new(&server);
    let (_, challenge) = pkce();
    // Case 14.
    let markup = [("state", MARKUP), ("login_hint", MARKUP), ("nonce", MARKUP)];
    let sign_in = browser.follow(browser.get(&app.authorize_path(&challenge, &markup)).await).await;
    assert!(sign_in.has_id("login-submit"));
    assert_eq!(sign_in.form().1["username"], MARKUP);
    let again = browser.submit(&sign_in, &[("username", MARKUP), ("password", MARKUP)]).await;
    assert!(again.has_id("login-submit"));
    let consent = browser.sign_in_on(&again, "alice").await;
    assert!(consent.has_id("consent-allow"));
    let mut pages = vec![sign_in, again, consent];
    for query in [
        [("client_id", MARKUP)],
        [("redirect_uri", MARKUP)],
        [("error_description", MARKUP)],
        [("client_id", "\u{0}<script>")],
    ] {
        pages.push(browser.follow(browser.get(&app.authorize_path(&challenge, &query)).await).await);
    }
    pages.push(browser.get("/sign-in?request=%3Cscript%3E").await);
    pages.push(browser.get("/%3Cscript%3E").await);
    pages.push(browser.get("/authorize?%3Cscript%3E=1&%3Cscript%3E=2&client_id=1&client_id=2").await);
    for page in pages {
        assert!(page.body.contains("<main"), "{} is a page", page.url);
        assert!(!page.body.contains("<script"), "{}: {}", page.url, page.body);
    }
}

#[tokio::test]
async fn nothing_is_fetched_because_a_request_says_so() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    // Case 15.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/request.jwt", listener.local_addr().unwrap());
    for name in ["request_uri", "jwks_uri", "client_uri", "logo_uri"] {
        browser.get(&app.authorize_path(&pkce().1, &[(name, &uri)])).await;
    }
    browser.get(&app.authorize_path(&pkce().1, &[("client_id", &uri)])).await;
    let visit = tokio::time::timeout(std::time::Duration::from_millis(300), listener.accept()).await;
    assert!(visit.is_err(), "somebody came to fetch it");
}

#[tokio::test]
async fn sql_in_any_parameter_is_text() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let (_, challenge) = pkce();
    // Case 72.
    for sql in ["' OR 1=1 --", "'; DROP TABLE users; --", "\\'; SELECT pg_sleep(9) --", "$1", "{1,2}"] {
        for name in
            ["client_id", "redirect_uri", "scope", "state", "nonce", "prompt", "resource", "login_hint"]
        {
            let answer = browser.get(&app.authorize_path(&challenge, &[(name, sql)])).await;
            assert!(answer.status.as_u16() < 500, "{name}={sql}: {}", answer.status);
        }
        for page in ["/sign-in?request=", "/consent?request=", "/password/set?token="] {
            let query: String = form_urlencoded::byte_serialize(sql.as_bytes()).collect();
            assert_error_page(&browser.get(&format!("{page}{query}")).await, sql);
        }
    }
    assert_eq!(server.cli(&["user", "list"]).as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn a_request_is_no_longer_than_a_url_can_be() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let usual = app.authorize_path(&pkce().1, &[]);
    let scopes = "s ".repeat(1_500);
    for (name, value) in [("nonce", "n".repeat(4_096)), ("scope", scopes), ("unknown", "u".repeat(9_000))] {
        let path = app.authorize_path(&pkce().1, &[(name, &value)]);
        let answer = browser.get(&path).await;
        let error = answer.parameter("error");
        assert!(
            matches!(error.as_deref(), Some("invalid_request" | "invalid_scope")),
            "{name}: {} {error:?}",
            answer.status
        );
        assert!(answer.location().unwrap().len() < 1_000, "{name}");
    }
    let many: String = (0..1_000).map(|number| format!("&p{number}=1")).collect();
    assert_error_page(&browser.get(&format!("{usual}{many}")).await, "1000 parameters");
}
