//! TLS: cookies that only this host can set, and a certificate that can be replaced.

use std::time::{Duration, Instant};

use crate::harness::{Certificate, RelyingParty, Server};

#[tokio::test]
async fn an_https_issuers_cookies_are_secure_and_this_hosts_own() {
    let certificate = Certificate::new();
    let server = Server::start_with(certificate.settings()).await;
    assert!(server.issuer.starts_with("https://localhost:"), "{}", server.issuer);
    server.user("alice", &[]);
    let browser = certificate.browser(&server);
    let page = browser.get("/sign-in").await;
    let answer = browser.submit(&page, &[("username", "alice"), ("password", "correct horse alice")]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    for (cookie, name) in
        [(page.cookies()[0], "__Host-grantor_csrf="), (answer.cookies()[0], "__Host-grantor_session=")]
    {
        let (value, attributes) = cookie.split_once("; ").unwrap();
        assert!(value.starts_with(name), "{cookie}");
        let mut attributes: Vec<&str> = attributes.split("; ").collect();
        attributes.sort_unstable();
        assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"], "{cookie}");
    }
    // A cookie without the prefix, which a sibling host could have set, is none.
    let session = answer.cookies()[0].split(';').next().unwrap().replace("__Host-", "");
    let stranger = certificate.browser(&server);
    let start = stranger.request(reqwest::Method::GET, "/").header("cookie", session).send().await.unwrap();
    assert!(!start.text().await.unwrap().contains("alice"));
    // And the whole flow works, with the issuer's name in the answer.
    let app = RelyingParty::register(&server, &[]);
    let answer = browser.authorize(&app.authorize_path(&crate::harness::pkce().1, &[]), "alice").await;
    assert!(answer.parameter("code").is_some());
    assert_eq!(answer.parameter("iss").as_deref(), Some(server.issuer.as_str()));
}

/// Whether a fresh connection is served with the present certificate.
async fn is_served(certificate: &Certificate, server: &Server) -> bool {
    certificate.browser(server).request(reqwest::Method::GET, "/health/live").send().await.is_ok()
}

#[tokio::test]
async fn a_replaced_certificate_is_served_within_seconds() {
    let mut certificate = Certificate::new();
    let server = Server::start_with(certificate.settings()).await;
    assert!(is_served(&certificate, &server).await);
    // Half of it is not taken: what is there goes on.
    let key = std::fs::read(certificate.path("key.pem")).unwrap();
    std::fs::write(certificate.path("key.pem"), "-----BEGIN PRIVATE KEY-----\n").unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(is_served(&certificate, &server).await);
    std::fs::write(certificate.path("key.pem"), key).unwrap();

    certificate.replace();
    assert!(!is_served(&certificate, &server).await, "not yet");
    let started = Instant::now();
    while !is_served(&certificate, &server).await {
        assert!(started.elapsed() < Duration::from_secs(6), "{}", server.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn plain_http_is_not_spoken_there() {
    let certificate = Certificate::new();
    let server = Server::start_with(certificate.settings()).await;
    let plain = server.issuer.replace("https://", "http://");
    let browser = certificate.browser(&server);
    assert!(browser.request(reqwest::Method::GET, &plain).send().await.is_err());
    assert_eq!(browser.get("/health/live").await.status, 200);
}
