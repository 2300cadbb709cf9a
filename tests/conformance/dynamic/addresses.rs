//! Addresses that a client names: for people to look at, and for Grantor to fetch.

use std::time::Duration;

use serde_json::json;

use super::{Registration, start, start_beside};
use crate::conformance::CALLBACK;
use crate::conformance::suite::PERSON;
use crate::harness::{Answer, KeyServer};

/// The page that a browser without session is shown for a client with this address.
async fn sign_in_page(name: &str, address: &str) -> Answer {
    let suite = start().await;
    let (client, registered) = Registration::new().with(name, json!(address)).succeeds(&suite).await;
    assert_eq!(registered[name], address);
    let page = suite.open(&suite.request(&client)).await;
    assert!(page.has_id("login-submit"), "{:?} {}", page.location(), page.body);
    page
}

#[tokio::test]
async fn oidcc_registration_logo_uri() {
    let logo = "https://localhost.emobix.co.uk:8443/images/openid.png";
    let suite = start().await;
    let (client, _) = Registration::new().with("logo_uri", json!(logo)).succeeds(&suite).await;
    let sign_in = suite.open(&suite.request(&client)).await;
    assert!(sign_in.has_id("login-submit"), "{:?} {}", sign_in.location(), sign_in.body);
    // Beyond the module: the consent page shows it too, and both say that nobody has checked it.
    let consent = suite.browser.sign_in_on(&sign_in, PERSON).await;
    assert!(consent.has_id("consent-allow"), "{:?} {}", consent.location(), consent.body);
    for page in [&sign_in, &consent] {
        assert!(page.exists(&format!("img#client-logo[src='{logo}']")), "{}", page.body);
        assert!(page.text_of("#unverified").contains("picture"), "{}", page.text_of("#unverified"));
        // The page lets the browser fetch it, and nothing else.
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("; img-src 'self' data: https://localhost.emobix.co.uk:8443; "), "{policy}");
    }
}

#[tokio::test]
async fn oidcc_registration_policy_uri() {
    let policy = "https://openid.net/policies/";
    let page = sign_in_page("policy_uri", policy).await;
    assert!(page.exists(&format!("a[href='{policy}']")), "{}", page.body);
}

#[tokio::test]
async fn oidcc_registration_tos_uri() {
    let terms = "https://openid.net/certification/terms/";
    let page = sign_in_page("tos_uri", terms).await;
    assert!(page.exists(&format!("a[href='{terms}']")), "{}", page.body);
}

/// What the suite serves as its list of redirect URIs.
async fn sector(redirect_uris: &[&str]) -> KeyServer {
    let server = KeyServer::start().await;
    server.answers(
        "200 OK\r\nContent-Type: application/json",
        &json!(redirect_uris).to_string(),
        Duration::ZERO,
    );
    server
}

fn pairwise(server: &KeyServer) -> Registration {
    let uri = format!("{}/redirect_uris.json", server.origin());
    Registration::new().with("subject_type", json!("pairwise")).with("sector_identifier_uri", json!(uri))
}

#[tokio::test]
async fn oidcc_registration_sector_uri() {
    let server = sector(&[CALLBACK]).await;
    let suite = start_beside(&server.origin()).await;
    assert!(suite.supported("subject_types_supported").contains(&"pairwise"));
    let (client, registered) = pairwise(&server).succeeds(&suite).await;
    assert_eq!(registered["subject_type"], "pairwise");
    assert_eq!(server.visits(), 1);
    // Beyond the module: the subject is another than for everybody else.
    let (public, _) = Registration::new().succeeds(&suite).await;
    let of_pairwise = suite.sign_in(&client, &suite.request(&client)).await;
    let of_public = suite.sign_in(&public, &suite.request(&public)).await;
    assert_ne!(of_pairwise.id_token["sub"], of_public.id_token["sub"]);
}

#[tokio::test]
async fn oidcc_registration_sector_bad() {
    let server = sector(&["https://example.com/not_the_callback"]).await;
    let suite = start_beside(&server.origin()).await;
    pairwise(&server).is_refused_with(&suite, &["invalid_client_metadata"]).await;
    assert_eq!(server.visits(), 1);
}
