//! The way through the authorization endpoint (RFC 6749 §4.1, RFC 9207).

use super::assert_error_page;
use crate::harness::{Browser, RelyingParty, Server, pkce, query_of};

#[tokio::test]
async fn every_step_is_a_303_and_the_answer_has_code_state_and_issuer_only() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);

    let asked = browser.get(&app.authorize_path(&pkce().1, &[])).await;
    assert_eq!(asked.status, 303);
    assert!(asked.cookies().is_empty(), "an anonymous request leaves nothing behind");
    let sign_in = browser.get(&asked.location().unwrap()).await;
    // Case 19: a 307 would send the password on to the next place.
    let signed_in =
        browser.submit(&sign_in, &[("username", "alice"), ("password", "correct horse alice")]).await;
    assert_eq!(signed_in.status, 303);
    let consent = browser.get(&signed_in.location().unwrap()).await;
    assert!(consent.has_id("consent-allow"), "{}", consent.body);
    let allowed = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(allowed.status, 303);

    let location = allowed.location().unwrap();
    assert!(location.starts_with("https://app.example/callback?code="), "{location}");
    let answer = query_of(&location);
    assert_eq!(answer.keys().collect::<Vec<_>>(), ["code", "iss", "state"]);
    assert_eq!((answer["state"].as_str(), answer["iss"].as_str()), ("st4te", server.issuer.as_str()));
    // Neither kept by a cache nor told on by a Referer.
    assert_eq!(allowed.header("cache-control"), Some("no-store"));
    assert_eq!(allowed.header("referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn a_registered_query_stays_in_front_of_the_answer() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &["--redirect-uri", "https://app.example/cb?tenant=1"]);
    let answer = Browser::new(&server).authorize(&app.authorize_path(&pkce().1, &[]), "alice").await;
    let location = answer.location().unwrap();
    assert!(location.starts_with("https://app.example/cb?tenant=1&code="), "{location}");
}

#[tokio::test]
async fn a_second_app_gets_its_code_without_a_second_sign_in() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let (first, second) = (RelyingParty::register(&server, &[]), RelyingParty::register(&server, &[]));
    let browser = Browser::new(&server);
    first.sign_in(&browser, "alice", &[]).await;
    let page = browser.follow(browser.get(&second.authorize_path(&pkce().1, &[])).await).await;
    assert!(page.has_id("consent-allow") && !page.has_id("password"));
    let answer = browser.submit(&page, &[("decision", "allow")]).await;
    assert!(answer.parameter("code").is_some());
    // And the first one its next code without anything shown.
    let answer = browser.get(&first.authorize_path(&pkce().1, &[])).await;
    assert!(answer.parameter("code").is_some(), "{:?}", answer.location());
}

#[tokio::test]
async fn a_request_under_way_in_another_browser_is_the_link_itself() {
    let server = Server::start().await;
    for name in ["alice", "mallory"] {
        server.user(name, &[]);
    }
    let app = RelyingParty::register(&server, &[]);
    let (alice, mallory) = (Browser::new(&server), Browser::new(&server));
    let asked = alice.get(&app.authorize_path(&pkce().1, &[])).await;
    let consent = alice.sign_in_on(&alice.follow(asked).await, "alice").await;
    assert!(consent.has_id("consent-allow"));

    // Nobody is signed in there, and nothing of Alice's is in it.
    let replayed = mallory.follow(mallory.get(&consent.url).await).await;
    assert!(replayed.has_id("login-submit"));
    assert!(!replayed.body.contains("alice"));
    let page = mallory.sign_in_on(&replayed, "mallory").await;
    assert!(page.has_id("consent-allow") && page.body.contains("mallory") && !page.body.contains("alice"));
}

#[tokio::test]
async fn an_address_that_was_tampered_with_leads_to_a_page() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let asked = browser.get(&app.authorize_path(&pkce().1, &[])).await.location().unwrap();
    let sealed = query_of(&asked)["request"].clone();
    let flipped = if sealed.ends_with('A') { "B" } else { "A" };
    let middle = sealed.len() / 2;
    let changed = format!("{}{flipped}{}", &sealed[..middle], &sealed[middle + 1..]);
    let changed = if changed == sealed { sealed.to_uppercase() } else { changed };
    for broken in
        ["", "x", &sealed[..sealed.len() - 4], &format!("{sealed}AAAA"), &changed, &sealed.repeat(9)]
    {
        let answer = browser.get(&format!("/consent?request={broken}")).await;
        assert_error_page(&answer, broken);
        if !broken.is_empty() {
            assert_error_page(&browser.get(&format!("/sign-in?request={broken}")).await, broken);
        }
    }
}
