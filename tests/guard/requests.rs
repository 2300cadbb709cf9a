//! The kinds of requests whose cost is guarded, as bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor::protocol::discovery::{
    INTROSPECTION_PATH, JWKS_PATH, OPENID_CONFIGURATION_PATH, TOKEN_PATH, USERINFO_PATH,
};

use super::harness::{Browser, RelyingParty, Server, pkce};

/// How many of each kind are counted, after those that warm up.
pub const COUNTED: usize = 40;
/// Statements are prepared and caches filled by these.
pub const WARMING_UP: usize = 8;

/// Requests that cost the same.
pub struct Kind {
    pub name: &'static str,
    /// What each is answered with.
    pub status: u16,
    /// Whether the answer waits for a statement.
    pub asks_database: bool,
    /// [`WARMING_UP`] and [`COUNTED`] of them.
    pub requests: Vec<Vec<u8>>,
}

impl Kind {
    /// The same request again and again, answered from memory.
    fn same(name: &'static str, status: u16, request: &[u8]) -> Self {
        let requests = vec![request.to_vec(); WARMING_UP + COUNTED];
        Self { name, status, asks_database: false, requests }
    }

    /// Requests that can be sent once, answered by the database.
    fn each(name: &'static str, requests: Vec<Vec<u8>>) -> Self {
        Self { name, status: 200, asks_database: true, requests }
    }

    fn by_the_database(self) -> Self {
        Self { asks_database: true, ..self }
    }
}

/// Makes an app and a person at this server, and the requests with what they have been given there.
pub async fn prepare(server: &Server) -> Vec<Kind> {
    server.user("alice", &[]);
    let grants = ["authorization_code", "refresh_token", "client_credentials"];
    let app = RelyingParty::register(server, &grants.map(|grant| ["--grant", grant]).concat());
    server.change_arrives().await;
    let browser = Browser::new(server);
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let access_token = tokens.access_token();
    // The pages answer under the issuer's name alone.
    let host = app.address();
    let get =
        |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n").into_bytes();
    let form = |path, form: &[(&str, &str)]| post(&app, path, form);

    let asking = app.authorize_path(&pkce().1, &[]);
    let sign_in = Browser::new(server).get(&asking).await.location().unwrap();
    let sign_in = sign_in.strip_prefix(&server.issuer).unwrap_or(&sign_in).to_owned();
    let own = form(TOKEN_PATH, &[("grant_type", "client_credentials")]);
    let about_token = form(INTROSPECTION_PATH, &[("token", access_token)]);
    let about_person = get(USERINFO_PATH, &format!("Authorization: Bearer {access_token}\r\n"));
    vec![
        Kind::same("token_client_credentials", 200, &own),
        Kind::each("token_authorization_code", codes(&app, &browser).await),
        Kind::each("token_refresh_token", refresh_tokens(&app, &browser).await),
        Kind::same("introspect", 200, &about_token).by_the_database(),
        Kind::same("userinfo", 200, &about_person).by_the_database(),
        Kind::same("jwks", 200, &get(JWKS_PATH, "")),
        Kind::same("metadata", 200, &get(OPENID_CONFIGURATION_PATH, "")),
        // Here the request is sealed, and there it is opened.
        Kind::same("authorize_signed_out", 303, &get(&asking, "")),
        Kind::same("sign_in_page", 200, &get(&sign_in, "")),
    ]
}

async fn codes(app: &RelyingParty, browser: &Browser) -> Vec<Vec<u8>> {
    let mut requests = Vec::new();
    for _ in 0..WARMING_UP + COUNTED {
        let (code, verifier) = app.code(browser, "alice", &[]).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", &verifier),
            ("redirect_uri", &app.redirect_uri),
        ];
        requests.push(post(app, TOKEN_PATH, &form));
    }
    requests
}

async fn refresh_tokens(app: &RelyingParty, browser: &Browser) -> Vec<Vec<u8>> {
    let mut requests = Vec::new();
    for _ in 0..WARMING_UP + COUNTED {
        let tokens = app.sign_in(browser, "alice", &[]).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token())];
        requests.push(post(app, TOKEN_PATH, &form));
    }
    requests
}

/// A form, with the client's secret in the `Authorization` header.
fn post(app: &RelyingParty, path: &str, form: &[(&str, &str)]) -> Vec<u8> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let secret = app.client_secret.as_deref().unwrap();
    let credentials = STANDARD.encode(format!("{}:{secret}", app.client_id));
    format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {credentials}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        app.address(),
        body.len()
    )
    .into_bytes()
}
