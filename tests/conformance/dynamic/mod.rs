//! `oidcc-dynamic-certification-test-plan`: clients that register themselves and authenticate by `private_key_jwt`.

mod addresses;
mod keys;
mod redirect_uris;
mod request_objects;
mod responses;

use aws_lc_rs::rsa::KeySize;
use grantor::secret::{base64url, random_bytes};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::public_jwk;
use super::{Authentication, CALLBACK, Client, ResponseMode, Suite};
use crate::harness::{Answer, ClientKey, Settings};

/// What the plan needs beyond the usual: see `docs/conformance.md`.
fn open(settings: Settings) -> Settings {
    settings
        .with("GRANTOR_REGISTRATION_MODE", "open")
        .with("GRANTOR_REGISTRATION_REQUIRE_PKCE", "false")
        .with("GRANTOR_REGISTRATION_SHOW_LOGOS", "true")
}

async fn start() -> Suite {
    Suite::start_with(ResponseMode::Query, open).await
}

/// The same with an address of the suite's that Grantor may fetch from.
async fn start_beside(origin: &str) -> Suite {
    let settings = |settings: Settings| open(settings).with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", origin);
    Suite::start_with(ResponseMode::Query, settings).await
}

/// A registration before it is sent.
struct Registration {
    key: ClientKey,
    kid: Option<&'static str>,
    metadata: Map<String, Value>,
}

impl Registration {
    /// What the suite registers unless a module changes it.
    fn new() -> Self {
        let key = ClientKey::rsa(KeySize::Rsa2048);
        let metadata = json!({
            "client_name": format!("Conformance suite {}", base64url(&random_bytes::<7>())),
            "grant_types": ["authorization_code"],
            "jwks": {"keys": [public_jwk(&key, None)]},
            "token_endpoint_auth_method": "private_key_jwt",
            "response_types": ["code"],
            "redirect_uris": [CALLBACK],
            "contacts": ["certification@oidf.org"],
        });
        let Value::Object(metadata) = metadata else { unreachable!("it was written so above") };
        Self { key, kid: None, metadata }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.metadata.insert(name.to_owned(), value);
        self
    }

    /// With the key at an address instead, under this `kid`.
    fn with_key_at(mut self, uri: &str, kid: &'static str) -> Self {
        self.metadata.remove("jwks");
        self.kid = Some(kid);
        self.with("jwks_uri", json!(uri))
    }

    async fn send(&self, suite: &Suite) -> Answer {
        let request = suite.ask(Method::POST, "registration_endpoint");
        Answer::read(request.json(&self.metadata).send().await.unwrap()).await
    }

    /// The client that comes of it, with its metadata as the server has registered it.
    async fn succeeds(self, suite: &Suite) -> (Client, Value) {
        let answer = self.send(suite).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let registered = answer.json();
        self.is_registered_as_sent(suite, &registered);
        let client = Client {
            id: registered["client_id"].as_str().unwrap().to_owned(),
            redirect_uri: registered["redirect_uris"][0].as_str().unwrap().to_owned(),
            authentication: Authentication::Key(self.key, self.kid),
        };
        (client, registered)
    }

    /// OpenID Connect Registration §3.2, RFC 7592 §3.
    fn is_registered_as_sent(&self, suite: &Suite, registered: &Value) {
        for same in
            ["redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method", "jwks_uri"]
        {
            assert_eq!(registered.get(same), self.metadata.get(same), "{same}");
        }
        assert!(registered.get("client_secret").is_none(), "it has a key");
        let manages = registered["registration_client_uri"].as_str().unwrap();
        assert!(manages.starts_with(&format!("{}/", suite.issuer())), "{manages}");
        assert!(!registered["registration_access_token"].as_str().unwrap().is_empty());
    }

    /// Asserts that it is refused so.
    async fn is_refused_with(&self, suite: &Suite, errors: &[&str]) {
        let answer = self.send(suite).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(errors.contains(&answer.json()["error"].as_str().unwrap()), "{}", answer.body);
    }
}

/// What the suite does at the end of a module (RFC 7592 §2.3).
async fn unregister(suite: &Suite, registered: &Value) {
    let uri = registered["registration_client_uri"].as_str().unwrap();
    let request = suite.http().request(Method::DELETE, uri);
    let token = registered["registration_access_token"].as_str().unwrap();
    let answer = Answer::read(request.bearer_auth(token).send().await.unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
}
