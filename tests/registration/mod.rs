//! Clients that register themselves (RFC 7591, RFC 7592, OpenID Connect Registration).

mod admission;
mod consent;
mod expiry;
mod libraries;
mod limits;
mod management;
mod metadata;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Browser, Server, Settings};

/// Where anybody may register, and limits do not matter.
pub fn open() -> Settings {
    Settings::default()
        .with("GRANTOR_REGISTRATION_MODE", "open")
        .with("GRANTOR_LIMITS_REGISTRATION_PER_ADDRESS", "0")
        .with("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1")
}

/// A registration request, by whoever has the token.
pub async fn send(
    browser: &Browser,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Answer {
    let request = browser.request(method, path);
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string()),
        None => request,
    };
    Answer::read(request.send().await.unwrap()).await
}

/// Registers without a token.
pub async fn register(server: &Server, metadata: &Value) -> Answer {
    send(&Browser::new(server), Method::POST, "/register", None, Some(metadata)).await
}

/// The same, which succeeds; what was registered.
pub async fn registered(server: &Server, metadata: &Value) -> Value {
    let answer = register(server, metadata).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// What a web app says.
pub fn web_app() -> Value {
    json!({ "redirect_uris": ["https://app.example/callback"], "client_name": "App" })
}

/// The same with these members too.
pub fn web_app_with(more: &Value) -> Value {
    let mut metadata = web_app();
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata
}

/// The text of a member.
pub fn text<'a>(registered: &'a Value, name: &str) -> &'a str {
    registered[name].as_str().unwrap_or_else(|| panic!("no {name} in {registered:#}"))
}

/// A client's own endpoint, as it was told.
pub fn own_path(server: &Server, registered: &Value) -> String {
    let uri = text(registered, "registration_client_uri");
    uri.strip_prefix(&server.issuer).expect("an address of the issuer").to_owned()
}

#[track_caller]
pub fn assert_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str()),
        (status, Some(error)),
        "{}",
        answer.body
    );
    assert!(!answer.json()["error_description"].as_str().unwrap().is_empty());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    if status == 401 {
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer "));
    }
}
