//! Another master key in the place of the old one, while servers run.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use grantor::keys::MasterKeys;
use grantor::secret::Secret;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Row};

use super::master_keys::new_master_key;
use super::token;
use crate::harness::{
    AssertingClient, Browser, ClientKey, Installation, MASTER_KEY, RelyingParty, Server, Settings, claims_of,
    pkce, until,
};

/// Refreshes a family and asks about its tokens, until told to stop: how often, and the last refresh token.
async fn load(
    client: RelyingParty,
    mut refresh_token: String,
    stop: Arc<AtomicBool>,
) -> Result<(usize, String), String> {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let answer = client.refresh(&refresh_token, &[]).await;
        if answer.status != 200 {
            return Err(format!("refresh {count}: {} {}", answer.status, answer.body));
        }
        let tokens = answer.tokens();
        if client.introspect(tokens.access_token()).await["active"] != true {
            return Err(format!("token {count} is inactive"));
        }
        refresh_token = tokens.refresh_token().to_owned();
        count += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok((count, refresh_token))
}

struct Scene {
    server: Server,
    new: String,
    client: RelyingParty,
    /// Lists the new key and then the old one.
    operator: Installation,
}

impl Scene {
    /// A server whose data are under the old master key, and which lists the new one too.
    async fn begin() -> Self {
        let new = new_master_key();
        let settings = Settings::default().with("GRANTOR_MASTER_KEY", &format!("{MASTER_KEY} {new}"));
        let server = Server::start_with(settings).await;
        server.user("alice", &[]);
        let grants = ["authorization_code", "refresh_token", "client_credentials"];
        let client = RelyingParty::register(&server, &grants.map(|grant| ["--grant", grant]).concat());
        for _ in 0..4 {
            server.cli(&["key", "rotate", "--now", "--alg", "ES256"]);
        }
        let operator =
            Installation::on(&server.database).with("GRANTOR_MASTER_KEY", &format!("{new} {MASTER_KEY}"));
        Self { server, new, client, operator }
    }

    /// What a process with these master keys alone says to a command.
    fn with_keys(&self, keys: &str) -> Installation {
        Installation::on(&self.server.database).with("GRANTOR_MASTER_KEY", keys)
    }

    /// How many signing keys are no longer under the old master key.
    async fn rewrapped(&self) -> usize {
        let statement = "SELECT master_key_id FROM signing_keys";
        let rows = sqlx::query(statement).fetch_all(&mut self.server.database.sql().await).await.unwrap();
        rows.iter().filter(|row| row.get::<Vec<u8>, _>(0) != old_key_id()).count()
    }

    /// Does this to every connection that waits for a lock; how many there are.
    async fn waiting(&self, each: &str) -> usize {
        let statement = format!(
            "SELECT {each} FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'"
        );
        let statement = sqlx::query(AssertSqlSafe(statement));
        statement.fetch_all(&mut self.server.database.sql().await).await.unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_master_key_leaves_without_a_failure() {
    let mut scene = Scene::begin().await;
    let browser = Browser::new(&scene.server);
    let mut families = Vec::new();
    for _ in 0..3 {
        let more = [("scope", "openid offline_access")];
        let tokens = scene.client.sign_in(&Browser::new(&scene.server), "alice", &more).await;
        families.push(tokens.refresh_token().to_owned());
    }
    let untouched = families.pop().unwrap();
    let old_token = token(&scene.client).await;
    // An authorization request that waits for its person, sealed under the old key.
    let (verifier, challenge) = pkce();
    let waiting = browser.get(&scene.client.authorize_path(&challenge, &[])).await;
    let waiting = waiting.location().unwrap().to_owned();

    let stop = Arc::new(AtomicBool::new(false));
    let begin = |client, family| tokio::spawn(load(client, family, Arc::clone(&stop)));
    let at_old = begin(scene.client.clone(), families.pop().unwrap());
    tokio::time::sleep(Duration::from_millis(300)).await;

    assert!(scene.with_keys(&scene.new).refused(&["key", "list"]).contains("none of this process's"));
    let done = scene.operator.json(&["key", "rewrap"]);
    assert_eq!((&done["master_keys"], &done["signing_keys"]), (&json!(1), &json!(5)), "{done}");
    assert_eq!(done["replaced_master_keys"].as_array().unwrap().len(), 1);
    assert_eq!(scene.rewrapped().await, 5);
    let again = scene.operator.json(&["key", "rewrap"]);
    assert_eq!((&again["master_keys"], &again["signing_keys"]), (&json!(0), &json!(0)), "{again}");
    assert_eq!(again["replaced_master_keys"], done["replaced_master_keys"]);

    // From now on the new key alone is enough; the old one alone is refused.
    let only_new = Settings::default().with("GRANTOR_MASTER_KEY", &scene.new);
    let replica = scene.server.replica(only_new).await;
    let at_new = begin(scene.client.at(&replica), families.pop().unwrap());
    scene.with_keys(MASTER_KEY).refused(&["key", "list"]);
    assert_eq!(scene.with_keys(&scene.new).json(&["key", "list"]).as_array().unwrap().len(), 5);
    assert_eq!(scene.client.at(&replica).introspect(&old_token).await["active"], true);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    // What the server that lists the old key first has written meanwhile is read by the other one, and back.
    stop.store(true, Ordering::Relaxed);
    let (count, from_old) = at_old.await.unwrap().expect("no failure");
    let (at_replica, from_new) = at_new.await.unwrap().expect("no failure");
    println!("{count} and {at_replica} refreshes");
    assert!(count > 20 && at_replica > 10, "{count} {at_replica}");
    assert_eq!(scene.client.at(&replica).refresh(&from_old, &[]).await.status, 200);
    assert_eq!(scene.client.refresh(&from_new, &[]).await.status, 200);

    // The server starts again in its place with the new key alone.
    scene.server.signal("-TERM");
    assert_eq!(scene.server.wait(Duration::from_secs(12)), Some(0));
    let listen = scene.server.address().to_string();
    let restarted = scene
        .with_keys(&scene.new)
        .with("GRANTOR_ISSUER", &scene.server.issuer)
        .serve(&["--listen", &listen]);
    assert_eq!(restarted.issuer, scene.server.issuer);
    assert_eq!(scene.client.refresh(&untouched, &[]).await.status, 200);
    assert_eq!(scene.client.introspect(&old_token).await["active"], true);
    let answer = browser.authorize(&waiting, "alice").await;
    let code = answer.parameter("code").expect("a code");
    assert_eq!(scene.client.redeem(&code, &verifier, &[]).await.status, 200);
    restarted.stop();
}

#[tokio::test]
async fn killed_half_way_it_has_broken_nothing_and_can_be_done_again() {
    let scene = Scene::begin().await;
    let old = token(&scene.client).await;
    // It is stopped at a row that somebody else holds: the old master key's, then one signing key after another.
    let kids = scene.with_keys(&format!("{MASTER_KEY} {}", scene.new)).json(&["key", "list"]);
    let kids = kids.as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
    let held = kids.map(|kid| format!("SELECT FROM signing_keys WHERE kid = '{kid}' FOR UPDATE"));
    let held = std::iter::once("SELECT FROM master_keys FOR UPDATE".to_owned()).chain(held);
    for (step, held) in held.enumerate() {
        let mut holder = scene.server.database.sql().await;
        let mut holding = holder.begin().await.unwrap();
        sqlx::query(AssertSqlSafe(held)).execute(&mut *holding).await.unwrap();
        let mut command = scene.operator.command(&["key", "rewrap"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until(Duration::from_secs(5), async || scene.waiting("pid").await > 0).await;
        child.kill().unwrap();
        child.wait().unwrap();
        // What the killed process waits for shall not happen behind its back.
        scene.waiting("pg_terminate_backend(pid)").await;
        until(Duration::from_secs(5), async || scene.waiting("pid").await == 0).await;
        holding.rollback().await.unwrap();

        assert_eq!(scene.rewrapped().await, step.saturating_sub(1), "step {step}");
        // Those who list both lack nothing.
        assert_eq!(scene.client.introspect(&old).await["active"], true);
        assert_eq!(scene.operator.json(&["key", "list"]).as_array().unwrap().len(), 5);
        // Before the old key is kept the new one alone is refused, and from then on it reads everything.
        let mut alone = scene.with_keys(&scene.new);
        if step == 0 {
            alone.refused(&["key", "list"]);
        } else {
            let process = alone.serve(&[]);
            assert!(process.get("/.well-known/jwks.json").await.1.contains("RS256"));
            process.stop();
            alone = alone.with("GRANTOR_MASTER_KEY", MASTER_KEY);
            alone.refused(&["key", "list"]);
        }
    }
    assert_eq!(scene.operator.json(&["key", "rewrap"])["signing_keys"], 1, "what was left");
    assert_eq!(scene.rewrapped().await, 5);
}

fn old_key_id() -> Vec<u8> {
    let keys = MasterKeys::load(&[("the tests".to_owned(), Secret::new(MASTER_KEY.to_owned()))]).unwrap();
    keys.current().id().to_vec()
}

#[tokio::test]
async fn the_way_back_and_a_third_key() {
    let scene = Scene::begin().await;
    scene.operator.json(&["key", "rewrap"]);
    // Back to the old one: it is written with again, and the new one opens it no more.
    let back = scene.with_keys(&format!("{MASTER_KEY} {}", scene.new));
    assert_eq!(back.json(&["key", "rewrap"])["signing_keys"], 5);
    scene.with_keys(MASTER_KEY).json(&["key", "list"]);
    assert!(scene.with_keys(&scene.new).refused(&["key", "list"]).contains("none of this process's"));
    // On to a third: both others are kept under it.
    let third = new_master_key();
    let on = scene.with_keys(&format!("{third} {MASTER_KEY}"));
    let done = on.json(&["key", "rewrap"]);
    assert_eq!(done["replaced_master_keys"].as_array().unwrap().len(), 2, "{done}");
    scene.with_keys(&third).json(&["key", "list"]);
    for alone in [MASTER_KEY, &scene.new] {
        scene.with_keys(alone).refused(&["key", "list"]);
    }
}

/// What this server calls alice, and the session that she is in, to a client with pairwise subjects.
async fn names(server: &Server, client: &RelyingParty, browser: &Browser) -> (Value, Value) {
    let tokens = client.at(server).sign_in(browser, "alice", &[]).await;
    let claims = claims_of(tokens.0["id_token"].as_str().unwrap());
    (claims["sub"].clone(), claims["sid"].clone())
}

#[tokio::test]
async fn people_keep_their_pseudonyms_under_the_new_key() {
    let scene = Scene::begin().await;
    let client = RelyingParty::register(&scene.server, &["--subject-type", "pairwise"]);
    let browser = Browser::new(&scene.server);
    let before = names(&scene.server, &client, &browser).await;
    let master_key_id = || async {
        let statement = "SELECT master_key_id FROM installation_secrets WHERE name = 'pseudonyms'";
        let id: Vec<u8> =
            sqlx::query_scalar(statement).fetch_one(&mut scene.server.database.sql().await).await.unwrap();
        id
    };
    assert_eq!(master_key_id().await, old_key_id());
    assert_eq!(scene.operator.json(&["key", "rewrap"])["installation_secrets"], 1);
    assert_eq!(scene.operator.json(&["key", "rewrap"])["installation_secrets"], 0);
    assert_ne!(master_key_id().await, old_key_id());
    assert_eq!(names(&scene.server, &client, &browser).await, before);

    let replica = scene.server.replica(Settings::default().with("GRANTOR_MASTER_KEY", &scene.new)).await;
    assert_eq!(names(&replica, &client, &browser).await, before);
}

#[tokio::test]
async fn without_the_key_of_the_pseudonyms_no_server_starts_and_says_why() {
    let scene = Scene::begin().await;
    let client = RelyingParty::register(&scene.server, &["--subject-type", "pairwise"]);
    let browser = Browser::new(&scene.server);
    let before = names(&scene.server, &client, &browser).await;
    for (damage, reason) in [
        (
            "wrapped_secret = set_byte(wrapped_secret, 20, get_byte(wrapped_secret, 20) # 1)",
            "does not decrypt",
        ),
        ("master_key_id = '\\x0102030405060708'", "neither listed nor on record"),
    ] {
        let damage = format!("UPDATE installation_secrets SET {damage}");
        assert_eq!(scene.server.database.execute(&damage).await, 1);
        let said = scene.operator.refused(&["serve", "--listen", "127.0.0.1:0"]);
        assert!(said.contains(reason) && said.contains("installation_secrets back from a backup"), "{said}");
        assert!(scene.operator.refused(&["key", "rewrap"]).contains("'pseudonyms' is unusable"));
    }
    // What was read stays good, and what is made anew is another: that is what the message warns of.
    assert_eq!(names(&scene.server, &client, &browser).await, before);
    scene.server.database.execute("DELETE FROM installation_secrets").await;
    let both = format!("{MASTER_KEY} {}", scene.new);
    let replica = scene.server.replica(Settings::default().with("GRANTOR_MASTER_KEY", &both)).await;
    let after = names(&replica, &client, &browser).await;
    assert!(after.0 != before.0 && after.1 != before.1);
}

#[tokio::test]
async fn a_secret_that_signs_assertions_moves_to_the_new_key() {
    let scene = Scene::begin().await;
    let mut client = AssertingClient::register_with_secret(&scene.server);
    let client_id = client.party.client_id.clone();
    let rotated = scene.server.cli(&["client", "rotate-secret", &client_id, "--keep-old", "1h"]);
    assert_eq!(scene.operator.json(&["key", "rewrap"])["client_secrets"], 2);
    assert_eq!(scene.operator.json(&["key", "rewrap"])["client_secrets"], 0);
    let row = sqlx::query("SELECT secret_key_id, previous_secret_key_id FROM clients WHERE client_id = $1")
        .bind(&client_id)
        .fetch_one(&mut scene.server.database.sql().await)
        .await
        .unwrap();
    assert!((0..2).all(|column| row.get::<Vec<u8>, _>(column) != old_key_id()));
    scene.server.change_arrives().await;
    client.token().await.tokens();
    client.key = ClientKey::Secret(rotated["client_secret"].as_str().unwrap().to_owned());
    client.token().await.tokens();
}

#[tokio::test]
async fn of_two_at_once_in_opposite_directions_one_wins_whole() {
    let scene = Scene::begin().await;
    let back = scene.with_keys(&format!("{MASTER_KEY} {}", scene.new));
    for _ in 0..4 {
        std::thread::scope(|scope| {
            for operator in [&scene.operator, &back] {
                scope.spawn(|| {
                    operator.command(&["key", "rewrap"]).stdout(Stdio::null()).stderr(Stdio::null()).status()
                });
            }
        });
        // Each key opens itself, and the one that was replaced opens no other.
        let statement = "SELECT FROM master_keys WHERE wrapped_by IS NOT NULL";
        let rows = sqlx::query(statement).fetch_all(&mut scene.server.database.sql().await).await.unwrap();
        assert_eq!(rows.len(), 1);
    }
}

#[tokio::test]
async fn a_server_that_cannot_read_the_new_signing_key_says_that_it_is_not_ready() {
    let server = Server::start().await;
    let is_ready = || async { reqwest::get(server.url("/health/ready")).await.unwrap().status() == 200 };
    let new = new_master_key();
    let operator = |keys: String| Installation::on(&server.database).with("GRANTOR_MASTER_KEY", &keys);
    operator(format!("{new} {MASTER_KEY}")).json(&["key", "rotate", "--now"]);
    until(Duration::from_secs(3), || async { !is_ready().await }).await;
    let told = reqwest::get(server.url("/health/ready")).await.unwrap().text().await.unwrap();
    assert!(told.contains("the signing keys cannot be read"), "{told}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.log().matches("the signing keys cannot be read").count(), 1, "{}", server.log());

    // Under a master key that it has.
    let kid: String = sqlx::query_scalar("SELECT kid FROM signing_keys ORDER BY created_at DESC LIMIT 1")
        .fetch_one(&mut server.database.sql().await)
        .await
        .unwrap();
    operator(format!("{MASTER_KEY} {new}")).json(&["key", "retire", &kid]);
    until(Duration::from_secs(3), is_ready).await;
}
