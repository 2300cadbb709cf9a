//! Signing keys that go through their lives without a hand: on three servers under load, before a verifier that
//! fetches no more often than it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use sqlx::Row;

use super::{JWKS_MAX_AGE, kid_of, published, token};
use crate::harness::{Browser, Installation, MASTER_KEY, RelyingParty, Server, Settings, until};

const LIFETIME: Duration = Duration::from_secs(3);
/// Twice as long as a key needs to become active, so that the servers rotate a few times.
const UNDER_LOAD: Duration = Duration::from_secs(22);

fn short_lives() -> Settings {
    Settings::default()
        .with(JWKS_MAX_AGE, "2s")
        .with("GRANTOR_KEYS_ROTATE_EVERY", "7s")
        .with("GRANTOR_TOKENS_ACCESS_TOKEN_LIFETIME", "3s")
        .with("GRANTOR_TOKENS_ID_TOKEN_LIFETIME", "3s")
}

/// An API that keeps the published keys for exactly as long as it may, and fetches them for no other reason.
struct Verifier {
    browser: Browser,
    keys: JwkSet,
    fresh_until: Instant,
}

impl Verifier {
    async fn new(server: &Server) -> Self {
        let mut verifier = Self {
            browser: Browser::new(server),
            keys: JwkSet { keys: Vec::new() },
            fresh_until: Instant::now(),
        };
        verifier.fetch().await;
        verifier
    }

    async fn fetch(&mut self) {
        let asked = Instant::now();
        let answer = self.browser.get("/.well-known/jwks.json").await;
        let control = answer.header("cache-control").unwrap();
        let max_age = control.split("max-age=").nth(1).unwrap().split(',').next().unwrap();
        self.fresh_until = asked + Duration::from_secs(max_age.parse().unwrap());
        self.keys = serde_json::from_str(&answer.body).unwrap();
    }

    async fn verify(&mut self, token: &str) -> Result<String, String> {
        if Instant::now() >= self.fresh_until {
            self.fetch().await;
        }
        let kid = decode_header(token).unwrap().kid.unwrap();
        let key = self.keys.find(&kid).ok_or_else(|| format!("{kid} is not among the known keys"))?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_aud = false;
        validation.leeway = 5;
        let key = DecodingKey::from_jwk(key).unwrap();
        decode::<Value>(token, &key, &validation).map(|_| kid).map_err(|error| error.to_string())
    }
}

/// Tokens of one server, each verified at its start and again at the end of its life, until told to stop: the keys
/// that signed them, or what went wrong.
async fn load(
    client: RelyingParty,
    mut verifiers: Vec<Verifier>,
    stop: Arc<AtomicBool>,
) -> Result<(usize, BTreeSet<String>), String> {
    let (mut count, mut kids) = (0, BTreeSet::new());
    let mut old: Vec<(Instant, String)> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let answer = client.token(&[("grant_type", "client_credentials")]).await;
        if answer.status != 200 {
            return Err(format!("no token: {} {}", answer.status, answer.body));
        }
        let token = answer.tokens().access_token().to_owned();
        if client.introspect(&token).await["active"] != true {
            return Err("a fresh token is inactive".to_owned());
        }
        old.push((Instant::now(), token.clone()));
        let almost = LIFETIME.saturating_sub(Duration::from_millis(300));
        let (aged, young) = old.into_iter().partition(|(made, _)| made.elapsed() > almost);
        old = young;
        let aged: Vec<(Instant, String)> = aged;
        for verifier in &mut verifiers {
            for token in aged.iter().map(|(_, token)| token).chain([&token]) {
                kids.insert(verifier.verify(token).await?);
            }
        }
        count += 1;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Ok((count, kids))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_rotate_by_themselves_and_no_verifier_fails() {
    let first = Server::start_with(short_lives()).await;
    let servers = [first.replica(short_lives()).await, first.replica(short_lives()).await, first];
    let client = RelyingParty::register(&servers[2], &["--grant", "client_credentials"]);
    servers[2].change_arrives().await;

    let stop = Arc::new(AtomicBool::new(false));
    let mut loads = Vec::new();
    for server in &servers {
        // A verifier takes its keys from another server than the token comes from.
        let mut verifiers = Vec::new();
        for other in &servers {
            verifiers.push(Verifier::new(other).await);
        }
        loads.push(tokio::spawn(load(client.at(server), verifiers, Arc::clone(&stop))));
    }
    tokio::time::sleep(UNDER_LOAD).await;
    stop.store(true, Ordering::Relaxed);
    let mut tokens = 0;
    let mut kids = BTreeSet::new();
    for load in loads {
        let (count, used) = load.await.unwrap().expect("no failure");
        tokens += count;
        kids.extend(used);
    }
    println!("{tokens} tokens of {} keys verified three times each, twice in their lives", kids.len());
    assert!(tokens > 100, "{tokens}");
    assert!(kids.len() >= 3, "rotated twice at least: {kids:?}");

    // However many servers there are, one key waits at a time.
    let operator = Installation::on(&servers[2].database).with("GRANTOR_MASTER_KEY", MASTER_KEY);
    let listed = operator.json(&["key", "list"]);
    let count = |state: &str| listed.as_array().unwrap().iter().filter(|key| key["state"] == state).count();
    assert_eq!(count("active"), 1, "{listed}");
    assert!(count("next") <= 1, "{listed}");
}

/// The columns that the life of a key shows in: the length of its private part, and whether it is withdrawn.
async fn rows(server: &Server) -> BTreeMap<String, (i32, bool)> {
    let statement = "SELECT kid, length(wrapped_private_key) AS private, retired_at IS NOT NULL AS retired
                     FROM signing_keys";
    let rows = sqlx::query(statement).fetch_all(&mut server.database.sql().await).await.unwrap();
    rows.iter().map(|row| (row.get("kid"), (row.get("private"), row.get("retired")))).collect()
}

#[tokio::test]
async fn the_private_part_of_a_retired_key_is_erased_and_the_public_one_stays() {
    let settings = Settings::default().with("GRANTOR_KEYS_ROTATE_EVERY", "30s").with(JWKS_MAX_AGE, "10s");
    let server = Server::start_with(settings).await;
    let client = RelyingParty::register(&server, &["--grant", "client_credentials"]);
    let old = kid_of(&token(&client).await);
    let exported = server.cli(&["key", "export-public", "--kid", &old]);
    server.cli(&["key", "rotate", "--now"]);
    // Superseded, and published: nothing is erased.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(rows(&server).await.values().all(|(private, _)| *private > 0));

    // Long ago, so that all its tokens have expired.
    server
        .database
        .execute(
            "UPDATE signing_keys SET activates_at = activates_at - interval '1 day', longest_token_lifetime = 0
             WHERE activates_at <= now()",
        )
        .await;
    until(Duration::from_secs(8), || async { rows(&server).await[&old] == (0, true) }).await;
    assert!(rows(&server).await.iter().all(|(kid, (private, _))| (*private > 0) != (*kid == old)));
    assert_eq!(server.cli(&["key", "export-public", "--kid", &old]), exported);
    assert!(server.log().contains("the private part of a retired signing key was erased"));

    // Nobody misses it: not a server that starts, not one that runs.
    let another = server.replica(Settings::default()).await;
    let signing = kid_of(&token(&client.at(&another)).await);
    assert_ne!(signing, old);
    assert!(!published(&another).await.contains(&old));
    assert_eq!(client.introspect(&token(&client).await).await["active"], true);
}

#[tokio::test]
async fn a_key_is_published_for_tokens_of_a_lifetime_that_was_lowered_since() {
    let server = Server::start().await;
    let long = ["--grant", "client_credentials", "--access-token-lifetime", "2h"];
    let client = RelyingParty::register(&server, &long);
    let old_token = token(&client).await;
    let old = kid_of(&old_token);
    server.cli(&["client", "update", &client.client_id, "--access-token-lifetime", "1m"]);
    server.cli(&["key", "rotate", "--now"]);
    // An hour passes: another key took over then, and only the long token is left.
    let statement = "UPDATE signing_keys SET created_at = created_at - interval '1 h',
                         activates_at = activates_at - interval '1 h'";
    server.database.execute(statement).await;
    server.database.execute("UPDATE installation SET version = version + 1").await;
    server.change_arrives().await;
    assert!(published(&server).await.contains(&old));
    assert_eq!(client.introspect(&old_token).await["active"], true);

    // The same for a client that is gone.
    server.cli(&["client", "delete", &client.client_id]);
    assert!(published(&server).await.contains(&old));
    // And it ends: two hours and a minute after the rotation.
    server.database.execute(&statement.replace("'1 h'", "'62 min'")).await;
    server.database.execute("UPDATE installation SET version = version + 1").await;
    until(Duration::from_secs(2), || async { !published(&server).await.contains(&old) }).await;
}

#[tokio::test]
async fn all_processes_hear_of_one_whose_tokens_live_longer() {
    let server = Server::start().await;
    let version = async || {
        let version = sqlx::query_scalar("SELECT version FROM installation");
        version.fetch_one(&mut server.database.sql().await).await.unwrap()
    };
    let before: i64 = version().await;
    let lifetime = |value: &str| Settings::default().with("GRANTOR_TOKENS_ACCESS_TOKEN_LIFETIME", value);
    drop(server.replica(lifetime("1m")).await);
    assert_eq!(version().await, before, "nothing was changed");
    drop(server.replica(lifetime("2h")).await);
    assert_eq!(version().await, before + 1);
}

#[tokio::test]
async fn what_breaks_is_said_to_people_and_programs() {
    let server = Server::start().await;
    let operator =
        Installation::on(&server.database).with("GRANTOR_MASTER_KEY", MASTER_KEY).with(JWKS_MAX_AGE, "1h");
    RelyingParty::register(&server, &[]);
    let rotated = operator.json(&["key", "rotate", "--now"]);
    let consequences = &rotated["consequences"];
    assert_eq!(consequences["clients"], 1);
    assert_eq!(consequences["tokens_end_of"], Value::Null);
    assert!(consequences["new_tokens_may_be_refused_for"].as_u64().unwrap() > 3_590, "{consequences}");
    let until = consequences["new_tokens_may_be_refused_until"].as_str().unwrap();
    assert!(consequences["text"].as_str().unwrap().contains(until));

    let output = operator.run(&["key", "retire", rotated["kid"].as_str().unwrap()], "");
    let said = String::from_utf8(output.stderr).unwrap();
    for part in ["refuse every token that the key", "1 client for up to 60 min", "until 2"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Publishing ahead breaks nothing, and so does withdrawing what never signed but for what it says.
    let next = operator.json(&["key", "rotate"]);
    assert_eq!(next["consequences"], Value::Null);
    let retired = operator.json(&["key", "retire", next["kid"].as_str().unwrap()]);
    assert_eq!(retired["consequences"]["new_tokens_may_be_refused_until"], json!(null));
}

#[tokio::test]
async fn a_superseded_key_that_is_damaged_stops_nothing() {
    let server = Server::start().await;
    let client = RelyingParty::register(&server, &["--grant", "client_credentials"]);
    let old = server.cli(&["key", "list"])[0]["kid"].as_str().unwrap().to_owned();
    server.cli(&["key", "rotate", "--now"]);
    server
        .database
        .execute(&format!("UPDATE signing_keys SET wrapped_private_key = 'x' WHERE kid = '{old}'"))
        .await;
    let replica = server.replica(Settings::default()).await;
    let token = token(&client.at(&replica)).await;
    assert_eq!(client.at(&replica).introspect(&token).await["active"], true);
    assert!(replica.log().contains("a superseded signing key is left out"));
    // One that is to sign must be readable.
    server.database.execute("UPDATE signing_keys SET wrapped_private_key = 'x'").await;
    Installation::on(&server.database).refused(&["serve", "--listen", "127.0.0.1:0"]);
}
