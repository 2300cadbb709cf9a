//! Answers as a form that the browser posts to the client (OAuth 2.0 Form Post Response Mode).

use std::collections::BTreeMap;

use super::stage::Stage;
use crate::harness::{Answer, Browser, RelyingParty, pkce};

const FORM: (&str, &str) = ("response_mode", "form_post");

/// The fields of a form that goes to this URI and to nobody else.
#[track_caller]
fn posted(answer: &Answer, uri: &str) -> BTreeMap<String, String> {
    assert_eq!((answer.status.as_u16(), answer.location()), (200, None), "{}", answer.body);
    assert!(answer.exists("form#form-post[method=post]") && answer.has_id("form-post-continue"));
    let (action, fields) = answer.form();
    assert_eq!(action, uri);
    assert_eq!(answer.body.matches("<form").count(), 1);
    let policy = answer.header("content-security-policy").unwrap();
    let directives: Vec<&str> = policy.split("; ").collect();
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(directives.contains(&directive), "{policy}");
    }
    let scripts: Vec<_> = directives.iter().filter(|directive| directive.starts_with("script-src")).collect();
    assert!(scripts.len() == 1 && scripts[0].starts_with("script-src 'sha256-"), "{policy}");
    assert_eq!(scripts[0].split(' ').count(), 2, "{policy}");
    // A client may answer the form by any redirect it likes.
    assert!(!policy.contains("unsafe") && !policy.contains("form-action"), "{policy}");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "strict-origin"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
    fields
}

#[track_caller]
fn posted_error(answer: &Answer, uri: &str, error: &str, issuer: &str) {
    let fields = posted(answer, uri);
    assert_eq!(fields["error"], error, "{fields:?}");
    assert_eq!((fields["state"].as_str(), fields["iss"].as_str()), ("st4te", issuer));
    assert!(fields["error_description"].len() > 10 && fields.len() == 4, "{fields:?}");
}

#[tokio::test]
async fn a_code_comes_in_the_form_and_nowhere_else() {
    let stage = Stage::new().await;
    let browser = Browser::new(&stage.server);
    let (verifier, challenge) = pkce();
    let path = stage.app.authorize_path(&challenge, &[FORM, ("prompt", "consent")]);
    for begin in ["signed out", "signed in"] {
        let mut page = browser.follow(browser.get(&path).await).await;
        if page.has_id("login-submit") {
            page = browser.sign_in_on(&page, "alice").await;
        }
        let answer = browser.submit(&page, &[("decision", "allow")]).await;
        let fields = posted(&answer, &stage.app.redirect_uri);
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["code", "iss", "state"], "{begin}");
        assert_eq!((fields["state"].as_str(), &fields["iss"]), ("st4te", &stage.server.issuer));
        assert!(!answer.url.contains(&fields["code"]));
        assert_eq!(stage.app.redeem(&fields["code"], &verifier, &[]).await.status, 200);
    }
    // With nothing left to ask it is the answer to the request itself.
    for answer in [stage.open(&browser, &[FORM]).await, stage.post(&browser, &[FORM]).await] {
        assert!(posted(&answer, &stage.app.redirect_uri).contains_key("code"));
    }
    let query = stage.open(&browser, &[("response_mode", "query")]).await;
    assert!(query.parameter("code").is_some());
}

#[tokio::test]
async fn every_refusal_comes_in_a_form_too() {
    let stage = Stage::new().await;
    let browser = stage.browser_of("alice").await;
    let (uri, issuer) = (stage.app.redirect_uri.as_str(), stage.server.issuer.as_str());
    for (name, value, error) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "openid nonexistent", "invalid_scope"),
        ("prompt", "none login", "invalid_request"),
        ("max_age", "soon", "invalid_request"),
        ("resource", "https://api.example", "invalid_target"),
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", "https://app.example/r", "request_uri_not_supported"),
        ("registration", "{}", "registration_not_supported"),
        ("id_token_hint", "junk", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
    ] {
        posted_error(&stage.open(&browser, &[FORM, (name, value)]).await, uri, error, issuer);
        posted_error(&stage.post(&browser, &[FORM, (name, value)]).await, uri, error, issuer);
    }
    let silent = [FORM, ("prompt", "none")];
    let nobody = Browser::new(&stage.server);
    let answer = stage.open(&nobody, &silent).await;
    posted_error(&answer, uri, "login_required", issuer);
    assert_eq!(answer.cookies(), Vec::<&str>::new());
    let more = [FORM, ("prompt", "none"), ("scope", "openid email")];
    posted_error(&stage.open(&browser, &more).await, uri, "consent_required", issuer);
    let page = stage.open(&browser, &[FORM, ("prompt", "consent")]).await;
    posted_error(&browser.submit(&page, &[("decision", "deny")]).await, uri, "access_denied", issuer);
}

#[tokio::test]
async fn whatever_the_client_sent_comes_back_as_text() {
    let stage = Stage::with(&["--redirect-uri", "https://app.example/cb?a=b&c=%22%3E"]).await;
    let browser = stage.browser_of("alice").await;
    for state in
        ["\"><script>alert(1)</script>", "'&amp;<!-- \u{202e}", "a b+c%20&x=y", "</form><form action=//x>"]
    {
        let fields = posted(&stage.open(&browser, &[FORM, ("state", state)]).await, &stage.app.redirect_uri);
        assert_eq!(fields["state"], state);
        let error = stage.open(&browser, &[FORM, ("state", state), ("scope", "<script>")]).await;
        assert_eq!(posted(&error, &stage.app.redirect_uri)["state"], state);
    }
}

#[tokio::test]
async fn an_address_that_takes_no_form_gets_none() {
    let stage = Stage::new().await;
    let app = RelyingParty::register(&stage.server, &["--public", "--redirect-uri", "com.example.app:/cb"]);
    let browser = Browser::new(&stage.server);
    let answer = browser.get(&app.authorize_path(&pkce().1, &[FORM])).await;
    assert!(answer.location().unwrap().starts_with("com.example.app:/cb?error=invalid_request"));
    assert!(answer.parameter("error_description").unwrap().contains("form_post"));
    // A mode that is not known, or not told once, cannot be used for the answer either.
    for mode in ["fragment", "query.jwt", "FORM_POST"] {
        let answer = stage.open(&browser, &[("response_mode", mode)]).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("invalid_request"), "{mode}");
    }
    let twice = format!("{}&response_mode=form_post", stage.app.authorize_path(&pkce().1, &[FORM]));
    assert_eq!(browser.get(&twice).await.parameter("error").as_deref(), Some("invalid_request"));
}

// Cases 1 and 13.
#[tokio::test]
async fn an_unregistered_address_gets_neither_form_nor_redirect() {
    let stage = Stage::new().await;
    let browser = stage.browser_of("alice").await;
    for (wrong, code) in [
        (("redirect_uri", "https://evil.example/cb"), "invalid_request"),
        (("redirect_uri", ""), "invalid_request"),
        (("client_id", "nobody"), "invalid_client"),
        (("client_id", ""), "invalid_request"),
    ] {
        let more = [FORM, wrong];
        for answer in [stage.open(&browser, &more).await, stage.post(&browser, &more).await] {
            assert!(answer.is_error_page(), "{} {:?}", answer.status, answer.location());
            assert!(!answer.exists("form") && !answer.body.contains("evil.example"));
            assert!(answer.text_of("#error-page").contains(code), "{wrong:?}");
        }
    }
}

#[tokio::test]
async fn the_metadata_says_so() {
    let stage = Stage::new().await;
    let metadata = Browser::new(&stage.server).get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["response_modes_supported"], serde_json::json!(["query", "form_post"]));
}
