//! TLS: cookies that only this host can set, and a certificate that can be replaced.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::Certificate;

use crate::harness::{Browser, RelyingParty, Server, Settings};

/// A self-made certificate for localhost in two files.
struct Pair {
    directory: tempfile::TempDir,
    certificate: String,
}

impl Pair {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut pair = Self { directory, certificate: String::new() };
        pair.replace();
        pair
    }

    /// Puts another certificate and key into the same files.
    fn replace(&mut self) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        self.certificate = made.cert.pem();
        std::fs::write(self.path("cert.pem"), &self.certificate).unwrap();
        std::fs::write(self.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(self.directory.path()).join(name)
    }

    fn settings(&self) -> Settings {
        let path = |name| self.path(name).display().to_string();
        Settings::default()
            .with("GRANTOR_SERVER_TLS_CERT", &path("cert.pem"))
            .with("GRANTOR_SERVER_TLS_KEY", &path("key.pem"))
    }

    /// A browser that trusts this certificate alone.
    fn browser(&self, server: &Server) -> Browser {
        let certificate = Certificate::from_pem(self.certificate.as_bytes()).unwrap();
        Browser::with(server, |settings| settings.tls_certs_only([certificate]))
    }
}

#[tokio::test]
async fn an_https_issuers_cookies_are_secure_and_this_hosts_own() {
    let pair = Pair::new();
    let server = Server::start_with(pair.settings()).await;
    assert!(server.issuer.starts_with("https://localhost:"), "{}", server.issuer);
    server.user("alice", &[]);
    let browser = pair.browser(&server);
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
    let stranger = pair.browser(&server);
    let start = stranger.request(reqwest::Method::GET, "/").header("cookie", session).send().await.unwrap();
    assert!(!start.text().await.unwrap().contains("alice"));
    // And the whole flow works, with the issuer's name in the answer.
    let app = RelyingParty::register(&server, &[]);
    let answer = browser.authorize(&app.authorize_path(&crate::harness::pkce().1, &[]), "alice").await;
    assert!(answer.parameter("code").is_some());
    assert_eq!(answer.parameter("iss").as_deref(), Some(server.issuer.as_str()));
}

/// Whether a fresh connection is served with this pair's present certificate.
async fn is_served(pair: &Pair, server: &Server) -> bool {
    pair.browser(server).request(reqwest::Method::GET, "/health/live").send().await.is_ok()
}

#[tokio::test]
async fn a_replaced_certificate_is_served_within_seconds() {
    let mut pair = Pair::new();
    let server = Server::start_with(pair.settings()).await;
    assert!(is_served(&pair, &server).await);
    // Half a pair is not taken: what is there goes on.
    let key = std::fs::read(pair.path("key.pem")).unwrap();
    std::fs::write(pair.path("key.pem"), "-----BEGIN PRIVATE KEY-----\n").unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(is_served(&pair, &server).await);
    std::fs::write(pair.path("key.pem"), key).unwrap();

    pair.replace();
    assert!(!is_served(&pair, &server).await, "not yet");
    let started = Instant::now();
    while !is_served(&pair, &server).await {
        assert!(started.elapsed() < Duration::from_secs(6), "{}", server.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn plain_http_is_not_spoken_there() {
    let pair = Pair::new();
    let server = Server::start_with(pair.settings()).await;
    let plain = server.issuer.replace("https://", "http://");
    let browser = pair.browser(&server);
    assert!(browser.request(reqwest::Method::GET, &plain).send().await.is_err());
    assert_eq!(browser.get("/health/live").await.status, 200);
}
