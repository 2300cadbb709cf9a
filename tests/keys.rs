//! Signing keys over their life, by the command line, while two servers run; and the master keys under them.

mod algorithms;
mod master_keys;
mod rewrap;
mod rotation;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::decode_header;
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::OsRng;
use serde_json::{Value, json};

use crate::harness::jwt::{jwks, verify};
use crate::harness::{Browser, Installation, MASTER_KEY, RelyingParty, Server, Settings, until};

/// Within which every server has noticed a change.
const PROMISED: Duration = Duration::from_secs(2);

const JWKS_MAX_AGE: &str = "GRANTOR_KEYS_JWKS_MAX_AGE";

/// Two processes of one issuer on one database, a client of its own right that speaks to each, and who runs them.
struct Servers {
    each: [(Server, RelyingParty); 2],
    operator: Installation,
}

impl Servers {
    async fn start() -> Self {
        Self::start_with_jwks_max_age("10m").await
    }

    async fn start_with_jwks_max_age(age: &str) -> Self {
        let settings = Settings::default().with(JWKS_MAX_AGE, age);
        let first = Server::start_with(settings.clone()).await;
        let second = first.replica(settings).await;
        let grants = ["--grant", "client_credentials", "--grant", "authorization_code"];
        let client = RelyingParty::register(&first, &grants);
        let at_second = client.at(&second);
        let operator =
            Installation::on(&first.database).with("GRANTOR_MASTER_KEY", MASTER_KEY).with(JWKS_MAX_AGE, age);
        Self { each: [(first, client), (second, at_second)], operator }
    }

    fn key(&self, arguments: &[&str]) -> Value {
        self.operator.json(&[&["key"], arguments].concat())
    }

    fn refused(&self, arguments: &[&str], input: &str) -> Value {
        let output = self.operator.run(&[&["key"], arguments, &["--json"]].concat(), input);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty());
        serde_json::from_slice(&output.stderr).unwrap()
    }

    /// The kid of the key that signs, by the list.
    fn active(&self) -> String {
        let listed = self.key(&["list"]);
        let active = listed.as_array().unwrap().iter().find(|key| key["state"] == "active").unwrap();
        active["kid"].as_str().unwrap().to_owned()
    }

    fn state(&self, kid: &str) -> String {
        let listed = self.key(&["list"]);
        let key = listed.as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();
        key["state"].as_str().unwrap().to_owned()
    }

    /// Waits until both servers sign with this key.
    async fn sign_with(&self, kid: &str, at_most: Duration) {
        for (_, client) in &self.each {
            until(at_most, || async { kid_of(&token(client).await) == kid }).await;
        }
    }

    /// Waits until both publish exactly these keys.
    async fn publish(&self, kids: &[&str]) {
        let mut wanted = kids.to_vec();
        wanted.sort_unstable();
        for (server, _) in &self.each {
            until(PROMISED, || async {
                let mut published = published(server).await;
                published.sort_unstable();
                published == wanted
            })
            .await;
        }
    }

    /// The token verifies by the published keys, and is active, at both.
    async fn accept(&self, token: &str) {
        for (server, client) in &self.each {
            verify(server, token, &server.issuer).await;
            assert_eq!(client.introspect(token).await["active"], true);
        }
    }
}

async fn token(client: &RelyingParty) -> String {
    let answer = client.token(&[("grant_type", "client_credentials")]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn published(server: &Server) -> Vec<String> {
    jwks(server).await.keys.into_iter().map(|key| key.common.key_id.unwrap()).collect()
}

fn kid_of(token: &str) -> String {
    decode_header(token).unwrap().kid.unwrap()
}

#[tokio::test]
async fn rotate_publishes_ahead_and_signs_when_every_cache_can_have_the_key() {
    let servers = Servers::start_with_jwks_max_age("1s").await;
    let first = servers.active();
    let old_token = token(&servers.each[0].1).await;
    let fetched = Browser::new(&servers.each[0].0).get("/.well-known/jwks.json").await;
    assert!(fetched.header("cache-control").unwrap().contains("max-age=1"), "{:?}", fetched.headers);

    let rotated = Instant::now();
    let next = servers.key(&["rotate"]);
    let kid = next["kid"].as_str().unwrap();
    assert_eq!((&next["state"], &next["active_kid"]), (&json!("next"), &json!(first)));
    assert_eq!(servers.key(&["rotate"])["changed"], false, "one next key at a time");
    servers.publish(&[&first, kid]).await;
    assert_eq!(kid_of(&token(&servers.each[1].1).await), first, "it does not sign yet");

    servers.sign_with(kid, Duration::from_secs(7)).await;
    // The age of the caches, and the time in which the last server and the last cache notice.
    assert!(rotated.elapsed() > Duration::from_secs(1) + PROMISED, "{:?}", rotated.elapsed());
    assert_eq!((servers.active(), servers.state(&first)), (kid.to_owned(), "retiring".to_owned()));
    servers.publish(&[&first, kid]).await;
    servers.accept(&old_token).await;
    servers.accept(&token(&servers.each[0].1).await).await;
}

#[tokio::test]
async fn rotate_now_signs_at_once_and_keeps_the_old_key_published() {
    let servers = Servers::start().await;
    let first = servers.active();
    let old_token = token(&servers.each[0].1).await;
    let second = servers.key(&["rotate", "--now"]);
    let second = second["kid"].as_str().unwrap();
    assert_eq!(servers.state(second), "active");
    servers.sign_with(second, PROMISED).await;
    servers.publish(&[&first, second]).await;
    servers.accept(&old_token).await;

    // A key that waits is the one that is taken.
    let next = servers.key(&["rotate"])["kid"].clone();
    assert_eq!(servers.key(&["rotate", "--now"])["kid"], next);
    servers.sign_with(next.as_str().unwrap(), PROMISED).await;
    servers.accept(&old_token).await;
}

#[tokio::test]
async fn a_retired_key_and_its_tokens_are_gone_at_once() {
    let servers = Servers::start().await;
    let first = servers.active();
    let old_token = token(&servers.each[0].1).await;
    servers.accept(&old_token).await;
    let outcome = servers.key(&["retire", &first]);
    assert_eq!((&outcome["kid"], &outcome["state"]), (&json!(first), &json!("retired")));
    // It signed: another one takes over in the same moment.
    let second = outcome["active_kid"].as_str().unwrap();
    let retired = Instant::now();
    for (_, client) in &servers.each {
        until(PROMISED, || async { client.introspect(&old_token).await == json!({ "active": false }) }).await;
    }
    servers.publish(&[second]).await;
    servers.sign_with(second, PROMISED).await;
    println!("retired everywhere after {:?}", retired.elapsed());

    assert_eq!(servers.key(&["retire", &first])["changed"], false);
    assert_eq!(servers.refused(&["retire", "nobody"], "")["error"], "not_found");
    // One that waits or is superseded goes without a successor.
    let next = servers.key(&["rotate"])["kid"].clone();
    let outcome = servers.key(&["retire", next.as_str().unwrap()]);
    assert_eq!(outcome["active_kid"], second);
    servers.publish(&[second]).await;
}

#[tokio::test]
async fn an_operators_own_key_in_either_form_signs() {
    let servers = Servers::start().await;
    let (one, other) = (new_key(2048), new_key(3072));
    let pkcs1 = one.to_pkcs1_pem(LineEnding::LF).unwrap();
    let file = servers.operator.file("own.pem", &pkcs1);
    let file = file.to_str().unwrap();
    let imported = servers.key(&["import", file]);
    assert_eq!(imported["state"], "next");
    assert_eq!(servers.refused(&["import", file], "")["error"], "already_exists");
    let pkcs8 = other.to_pkcs8_pem(LineEnding::CRLF).unwrap();
    let refused = servers.refused(&["import", "-", "--now"], &pkcs8);
    assert!(refused["error_description"].as_str().unwrap().contains("rotate --now"), "{refused}");

    assert_eq!(servers.key(&["rotate", "--now"])["kid"], imported["kid"]);
    servers.sign_with(imported["kid"].as_str().unwrap(), PROMISED).await;
    servers.accept(&token(&servers.each[0].1).await).await;

    let output = servers.operator.run(&["key", "import", "-", "--now", "--json"], &pkcs8);
    let imported: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(imported["state"], "active");
    servers.sign_with(imported["kid"].as_str().unwrap(), PROMISED).await;
    servers.accept(&token(&servers.each[1].1).await).await;
    let published = Browser::new(&servers.each[1].0).get("/.well-known/jwks.json").await.json();
    let keys = published["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == imported["kid"]).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    assert_eq!(modulus.len(), 3072 / 8);
}

#[tokio::test]
async fn a_key_that_is_not_fit_is_refused_and_nothing_changes() {
    let servers = Servers::start().await;
    let before = servers.key(&["list"]);
    let weak = new_key(1024).to_pkcs8_pem(LineEnding::LF).unwrap();
    let good = new_key(2048).to_pkcs8_pem(LineEnding::LF).unwrap();
    for (pem, word) in [
        ("hello", "no private key"),
        (weak.as_str(), "1024 bits"),
        (&good.repeat(2), "2 private keys"),
        (&good.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), "passphrase"),
        (&good[..good.len() / 2], "no private key"),
    ] {
        let refused = servers.refused(&["import", "-", "--now"], pem);
        assert_eq!(refused["error"], "invalid_key");
        assert!(refused["error_description"].as_str().unwrap().contains(word), "{refused}");
    }
    assert_eq!(servers.refused(&["import", "/nowhere.pem"], "")["error"], "invalid_request");
    assert_eq!(servers.key(&["list"]), before);
}

fn new_key(bits: usize) -> RsaPrivateKey {
    RsaPrivateKey::new(&mut OsRng, bits).unwrap()
}
