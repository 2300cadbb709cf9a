//! `oidcc-backchannel-rp-initiated-logout-certification-test-plan`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::config::every_endpoint_is_https;
use super::{Client, POST_LOGOUT, ResponseMode, Suite};
use crate::harness::{query_of, unix_now, until};

/// What is done at the end of a session, by the registered name of the event (OpenID Connect Back-Channel Logout §2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The suite's address for logout tokens: what it was sent, head and body.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<String>>>);

impl Receiver {
    /// It listens, and this is its origin.
    async fn listen() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let receiver = Self::default();
        let received = receiver.clone();
        tokio::spawn(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                tokio::spawn(received.clone().receive(visitor));
            }
        });
        (receiver, origin)
    }

    async fn receive(self, mut visitor: TcpStream) {
        let mut request = String::new();
        let mut piece = [0; 8192];
        while !is_whole(&request) {
            let Ok(read @ 1..) = visitor.read(&mut piece).await else { return };
            request.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        }
        self.0.lock().unwrap().push(request);
        let answer =
            "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let _ = visitor.write_all(answer.as_bytes()).await;
    }

    fn requests(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Whether the head has come, and as much body as it announces.
fn is_whole(request: &str) -> bool {
    request.split_once("\r\n\r\n").is_some_and(|(head, body)| {
        let announced = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse().unwrap())
        });
        body.len() >= announced.unwrap_or(0)
    })
}

#[tokio::test]
async fn oidcc_backchannel_logout_discovery_endpoint_verification() {
    let suite = Suite::start(ResponseMode::Query).await;
    every_endpoint_is_https(&suite);
    assert_eq!(suite.metadata["backchannel_logout_supported"], true);
    assert_eq!(suite.metadata["backchannel_logout_session_supported"], true);
    suite.endpoint("end_session_endpoint");
}

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout() {
    let (receiver, origin) = Receiver::listen().await;
    let settings =
        |settings: crate::harness::Settings| settings.with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", &origin);
    let suite = Suite::start_with(ResponseMode::Query, settings).await;
    let client = Client::register(&suite.server, &["--backchannel-logout-session-required", "true"]);
    told_at(&suite, &client, &format!("{origin}/test/a/grantor/backchannel_logout")).await;
    let done = suite.sign_in(&client, &suite.request(&client)).await;

    let parameters = [
        ("id_token_hint", done.hint.as_str()),
        ("post_logout_redirect_uri", POST_LOGOUT),
        ("state", "st4te"),
    ];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let page = suite.browser.get(&format!("{}?{query}", suite.endpoint("end_session_endpoint"))).await;
    let answer = match page.has_id("logout-confirm") {
        true => suite.browser.submit(&page, &[]).await,
        false => page,
    };
    let location = suite.browser.follow(answer).await.location().expect("the way back");
    assert!(location.starts_with(POST_LOGOUT), "{location}");
    assert_eq!(query_of(&location), BTreeMap::from([("state".to_owned(), "st4te".to_owned())]));

    until(Duration::from_secs(30), || async { !receiver.requests().is_empty() }).await;
    let token = logout_token(&receiver.requests()[0]);
    is_a_logout_token(&suite, &token, &client, &done.id_token).await;
    let callback = suite.answered_at_once(&suite.request(&client).with("prompt", "none")).await;
    callback.refuses_with(suite.issuer(), &["login_required"]);
}

/// Registers an address on this machine, which the command line, not knowing the server's settings, would refuse.
async fn told_at(suite: &Suite, client: &Client, uri: &str) {
    let mut connection = suite.server.database.sql().await;
    let set = sqlx::query("UPDATE clients SET backchannel_logout_uri = $1 WHERE client_id = $2");
    set.bind(uri).bind(&client.id).execute(&mut connection).await.unwrap();
}

/// §2.5: a form with the token and nothing else.
fn logout_token(request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /test/a/grantor/backchannel_logout HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("\r\ncontent-type: application/x-www-form-urlencoded"), "{head}");
    let mut fields = query_of(&format!("?{body}"));
    let token = fields.remove("logout_token").expect(body);
    assert!(fields.is_empty(), "{fields:?}");
    token
}

/// §2.4.
async fn is_a_logout_token(suite: &Suite, token: &str, client: &Client, id_token: &Value) {
    let header = decode_header(token).unwrap();
    assert_eq!((header.typ.as_deref(), header.alg), (Some("logout+jwt"), Algorithm::RS256));
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[suite.issuer()]);
    validation.set_audience(&[&client.id]);
    validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    let keys = suite.keys().await;
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).expect("a published key")).unwrap();
    let claims = decode::<Value>(token, &key, &validation).unwrap().claims;
    assert_eq!(claims["events"], json!({EVENT: {}}));
    assert!(claims["jti"].as_str().is_some_and(|id| !id.is_empty()), "{claims}");
    assert!(claims["iat"].as_i64().unwrap() <= unix_now() + 1, "{claims}");
    assert!(claims.get("nonce").is_none(), "{claims}");
    for same in ["sub", "sid"] {
        assert!(claims[same].is_string(), "{same} in {claims}");
        assert_eq!(claims[same], id_token[same], "{same}");
    }
}
