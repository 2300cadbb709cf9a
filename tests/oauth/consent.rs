//! Consent: asked in words, bound to the session that was asked, remembered per client and scopes.

use reqwest::Method;

use super::assert_refused;
use crate::harness::{Answer, Browser, RelyingParty, Server, pkce};

/// Goes to the page after which nothing is left to decide.
async fn open(browser: &Browser, app: &RelyingParty, more: &[(&str, &str)]) -> Answer {
    browser.follow(browser.get(&app.authorize_path(&pkce().1, more)).await).await
}

#[tokio::test]
async fn the_page_says_who_asks_for_what_and_where_the_answer_goes() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &["--name", "Notes & more"]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    let page = open(&browser, &app, &[("scope", "openid email offline_access")]).await;
    assert!(page.text_of("h1").contains("Notes & more"));
    assert!(page.text_of(".person").contains("alice"));
    assert!(page.text_of(".destination").contains("app.example"));
    let scopes: Vec<&str> = ["email", "offline_access"].into();
    assert!(scopes.iter().all(|scope| page.body.contains(&format!("<code>{scope}</code>"))));
    assert!(page.has_id("consent-allow") && page.has_id("consent-deny"));
}

#[tokio::test]
async fn it_is_remembered_per_client_and_a_new_scope_asks_again() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let web = RelyingParty::register(&server, &[]);
    let public = RelyingParty::register(&server, &["--public"]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    // Case 67.
    for app in [&web, &public] {
        let page = open(&browser, app, &[]).await;
        assert!(browser.submit(&page, &[("decision", "allow")]).await.parameter("code").is_some());
        for scope in ["openid profile", "openid", "profile openid"] {
            assert!(open(&browser, app, &[("scope", scope)]).await.parameter("code").is_some(), "{scope}");
        }
        let page = open(&browser, app, &[("scope", "openid email")]).await;
        assert!(page.has_id("consent-allow"), "a new scope is asked for");
        assert!(browser.submit(&page, &[("decision", "allow")]).await.parameter("code").is_some());
        // What was agreed to at different times adds up.
        let answer = open(&browser, app, &[("scope", "openid profile email")]).await;
        assert!(answer.parameter("code").is_some());
    }
    // Another person has agreed to nothing.
    server.user("bob", &[]);
    let other = Browser::new(&server);
    other.sign_in("bob").await;
    assert!(open(&other, &web, &[]).await.has_id("consent-allow"));
}

#[tokio::test]
async fn what_is_new_stands_first_and_apart() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    let headings = |page: &Answer| {
        let document = scraper::Html::parse_document(&page.body);
        let selector = scraper::Selector::parse("h2, .scopes code").unwrap();
        document.select(&selector).map(|found| found.text().collect::<String>()).collect::<Vec<_>>()
    };
    let first = open(&browser, &app, &[("scope", "openid email")]).await;
    assert_eq!(headings(&first), ["It will be able to", "openid", "email"]);
    browser.submit(&first, &[("decision", "allow")]).await;

    let more = open(&browser, &app, &[("scope", "openid profile email")]).await;
    let expected =
        ["New: it will also be able to", "profile", "As you have allowed before", "openid", "email"];
    assert_eq!(headings(&more), expected);
    // A no leaves what was agreed to before, and asks again.
    browser.submit(&more, &[("decision", "deny")]).await;
    assert!(open(&browser, &app, &[("scope", "openid email")]).await.parameter("code").is_some());
    assert_eq!(headings(&open(&browser, &app, &[("scope", "openid profile email")]).await), expected);
    // Where nothing is new, the app wants to hear it once more.
    let again = open(&browser, &app, &[("scope", "openid email"), ("prompt", "consent")]).await;
    assert_eq!(headings(&again), ["It will be able to", "openid", "email"]);

    let answer = browser.submit(&more, &[("decision", "allow")]).await;
    assert!(answer.parameter("code").is_some(), "all that was shown is granted");
    let consents = server.cli(&["consent", "list", "alice"]);
    assert_eq!(consents[0]["scope"], "email openid profile");
}

#[tokio::test]
async fn taken_back_it_is_asked_for_anew_without_what_was_agreed_to_before() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let (app, other) = (RelyingParty::register(&server, &[]), RelyingParty::register(&server, &[]));
    let browser = Browser::new(&server);
    for app in [&app, &other] {
        app.sign_in(&browser, "alice", &[("scope", "openid email")]).await;
    }
    server.cli(&["consent", "withdraw", "alice", &app.client_id]);
    let page = open(&browser, &app, &[("scope", "openid")]).await;
    assert!(page.has_id("consent-allow") && !page.body.contains("As you have allowed before"));
    assert!(browser.submit(&page, &[("decision", "allow")]).await.parameter("code").is_some());
    assert!(open(&browser, &app, &[("scope", "openid email")]).await.has_id("consent-allow"));
    // Of the other app nothing was taken.
    assert!(open(&browser, &other, &[("scope", "openid email")]).await.parameter("code").is_some());
}

#[tokio::test]
async fn an_app_that_another_could_pose_as_asks_every_time() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    // RFC 8252 §8.6. Case 67.
    for arguments in [
        &["--public", "--redirect-uri", "com.example.app:/cb"][..],
        &["--public", "--redirect-uri", "http://127.0.0.1/cb"],
        &["--public", "--redirect-uri", "http://localhost:3000/cb", "--application-type", "web"],
        &["--public", "--redirect-uri", "https://app.example/cb", "--application-type", "native"],
    ] {
        let app = RelyingParty::register(&server, arguments);
        for _ in 0..2 {
            let page = open(&browser, &app, &[]).await;
            assert!(page.has_id("consent-allow"), "{arguments:?}: {:?}", page.location());
            let answer = browser.submit(&page, &[("decision", "allow")]).await;
            assert!(answer.parameter("code").is_some(), "{arguments:?}");
        }
        let silent = open(&browser, &app, &[("prompt", "none")]).await;
        assert_refused(&silent, &app.redirect_uri, "consent_required", &format!("{arguments:?}"));
    }
}

#[tokio::test]
async fn a_no_is_told_and_not_remembered() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    let page = open(&browser, &app, &[]).await;
    let answer = browser.submit(&page, &[("decision", "deny")]).await;
    assert_refused(&answer, &app.redirect_uri, "access_denied", "denied");
    assert!(open(&browser, &app, &[]).await.has_id("consent-allow"));
}

#[tokio::test]
async fn a_no_counts_also_where_another_tab_has_said_yes() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    let (one, other) = (open(&browser, &app, &[]).await, open(&browser, &app, &[]).await);
    assert!(browser.submit(&one, &[("decision", "allow")]).await.parameter("code").is_some());
    let answer = browser.submit(&other, &[("decision", "deny")]).await;
    assert_refused(&answer, &app.redirect_uri, "access_denied", "denied in the other tab");
}

#[tokio::test]
async fn only_the_form_that_this_session_was_shown_gives_a_code() {
    let server = Server::start().await;
    for name in ["alice", "mallory"] {
        server.user(name, &[]);
    }
    let app = RelyingParty::register(&server, &[]);
    let (alice, mallory) = (Browser::new(&server), Browser::new(&server));
    alice.sign_in("alice").await;
    mallory.sign_in("mallory").await;
    let (shown_to_alice, shown_to_mallory) = (open(&alice, &app, &[]).await, open(&mallory, &app, &[]).await);
    let csrf_of_mallory = shown_to_mallory.form().1["csrf"].clone();
    let csrf_of_sign_in = Browser::new(&server).get("/sign-in").await.form().1["csrf"].clone();

    // Case 60.
    for (what, csrf) in
        [("none", ""), ("another session's", &csrf_of_mallory), ("another page's", &csrf_of_sign_in)]
    {
        for decision in ["allow", "deny"] {
            let answer = alice.submit(&shown_to_alice, &[("csrf", csrf), ("decision", decision)]).await;
            assert!(answer.location().is_none(), "{what}, {decision}: {:?}", answer.location());
            assert!(answer.has_id("consent-allow"), "{what}: asked again");
        }
    }
    // Mallory's whole form in Alice's browser.
    let answer = alice.submit(&shown_to_mallory, &[("decision", "allow")]).await;
    assert!(answer.location().is_none(), "{:?}", answer.location());
    // And what Alice was shown is still good.
    assert!(alice.submit(&shown_to_alice, &[("decision", "allow")]).await.parameter("code").is_some());
}

#[tokio::test]
async fn a_form_shown_to_one_person_is_void_when_another_has_signed_in_since() {
    let server = Server::start().await;
    for name in ["alice", "bob"] {
        server.user(name, &[]);
    }
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    let shown_to_alice = open(&browser, &app, &[]).await;
    let switch = shown_to_alice.attribute(".person a", "href").unwrap();
    browser.sign_in_on(&browser.get(&switch).await, "bob").await;
    let answer = browser.submit(&shown_to_alice, &[("decision", "allow")]).await;
    assert!(answer.has_id("consent-allow") && answer.body.contains("bob"), "{:?}", answer.location());
}

#[tokio::test]
async fn another_site_cannot_press_the_button() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    let (_, mut form) = open(&browser, &app, &[]).await.form();
    form.insert("decision".to_owned(), "allow".to_owned());
    // Even with everything right in it, where the browser says where it comes from.
    for (header, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let request = browser.request(Method::POST, "/consent").header(header, value).form(&form);
        let answer = Answer::read(request.send().await.unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (403, None), "{header}: {value}");
    }
}

#[tokio::test]
async fn a_form_sent_after_signing_out_asks_to_sign_in() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    let page = open(&browser, &app, &[]).await;
    browser.submit(&browser.get("/sign-out").await, &[]).await;
    let answer = browser.submit(&page, &[("decision", "allow")]).await;
    assert!(answer.location().unwrap().starts_with("/sign-in?request="), "{:?}", answer.location());
}
