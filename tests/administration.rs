//! What operators do, against a real database: each test has a private one of its own.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use grantor::clients::{ClientMetadata, registration, scopes, secrets};
use grantor::config::DatabaseSource;
use grantor::jose::Algorithm;
use grantor::keys::{KeyOperations, MasterKeys};
use grantor::model::{Client, ClientId, Role, Scope, SessionId, User};
use grantor::secret::{Secret, base64url, random_bytes};
use grantor::store::{Database, KeptSession, SchemaError, Store, StoreError, embedded};
use grantor::time::Timestamp;
use grantor::users::{AccountError, Accounts, Cost, NewAccount, PasswordHasher, roles};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

struct Installation {
    database: Database,
    store: Store,
    options: PgConnectOptions,
    state: tempfile::TempDir,
}

impl Installation {
    async fn empty() -> Self {
        let state = tempfile::tempdir().unwrap();
        let database = Database::open(&DatabaseSource::Embedded, state.path(), &|_| {}).unwrap();
        let running = embedded::Embedded::start(state.path(), embedded::Durability::Full, &|_| {}).unwrap();
        let store = database.store(12, Duration::from_secs(5));
        Self { database, store, options: running.connect_options(), state }
    }

    async fn new() -> Self {
        let installation = Self::empty().await;
        let migrations =
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap().count();
        assert_eq!(installation.database.migrate().await.unwrap(), migrations);
        installation
    }

    async fn sql(&self) -> PgConnection {
        PgConnection::connect_with(&self.options).await.unwrap()
    }

    async fn version(&self) -> i64 {
        sqlx::query_scalar("SELECT version FROM installation").fetch_one(&mut self.sql().await).await.unwrap()
    }

    fn accounts(&self) -> Accounts {
        let cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };
        Accounts::new(self.store.clone(), PasswordHasher::start(Some(2), cost).unwrap(), 10)
    }

    async fn alice(&self) -> User {
        self.accounts().create(account("Alice", "alice@example.com"), Timestamp::now()).await.unwrap()
    }

    async fn session(&self, user: &User) -> SessionId {
        let id = SessionId::random();
        let statement =
            "INSERT INTO sessions (id, token_hash, user_id, auth_time, last_seen_at, idle_expires_at,
             expires_at) VALUES ($1, $2, $3, now(), now(), now() + '1 h', now() + '1 h')";
        let insert =
            sqlx::query(statement).bind(id.as_uuid()).bind(random_bytes::<32>()).bind(user.id.as_uuid());
        insert.execute(&mut self.sql().await).await.unwrap();
        id
    }

    async fn live_sessions(&self) -> Vec<SessionId> {
        let statement = "SELECT id FROM sessions WHERE ended_at IS NULL";
        let ids: Vec<uuid::Uuid> =
            sqlx::query_scalar(statement).fetch_all(&mut self.sql().await).await.unwrap();
        ids.into_iter().map(Into::into).collect()
    }

    async fn close(self) {
        self.store.close();
        self.database.close().unwrap();
    }
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn account(username: &str, email: &str) -> NewAccount {
    let password = Some(secret("correct horse"));
    NewAccount {
        username: username.to_owned(),
        email: email.to_owned(),
        email_verified: false,
        attributes: Vec::new(),
        password,
        roles: Vec::new(),
    }
}

fn scope(name: &str, restricted: bool) -> Scope {
    Scope { name: name.to_owned(), description: "Words".to_owned(), restricted, built_in: false }
}

fn master_keys() -> MasterKeys {
    let key = base64url(&[7; 32]) + "=";
    MasterKeys::load(&[("test".to_owned(), Secret::new(key))]).unwrap()
}

#[tokio::test]
async fn names_and_addresses_are_unique_after_folding() {
    let installation = Installation::new().await;
    installation.alice().await;
    for (username, email, taken) in [
        ("aLICE", "other@example.com", "a user with this name"),
        ("\u{ff21}lice", "other@example.com", "a user with this name"),
        ("alicia", "ALICE@Example.com", "a user with this e-mail address"),
    ] {
        let refused = installation.accounts().create(account(username, email), Timestamp::now()).await;
        match refused {
            Err(AccountError::Store(StoreError::Conflict { what })) => assert_eq!(what, taken),
            other => panic!("{other:?}"),
        }
    }
    installation.close().await;
}

#[tokio::test]
async fn a_link_sets_a_password_once_and_ends_what_there_was() {
    let installation = Installation::new().await;
    let (accounts, alice) = (installation.accounts(), installation.alice().await);
    installation.session(&alice).await;
    let earlier = accounts.create_set_password_link(&alice, Duration::from_secs(60)).await.unwrap();
    let link = accounts.create_set_password_link(&alice, Duration::from_secs(60)).await.unwrap();
    let (now, password) = (Timestamp::now(), secret("a new pass phrase"));
    let used = accounts.use_set_password_link(earlier.token.expose(), &password, now).await;
    assert!(matches!(used, Err(AccountError::LinkInvalid)), "a later link ends an earlier one");
    let used = accounts.use_set_password_link(link.token.expose(), &secret("short"), now).await;
    assert!(matches!(used, Err(AccountError::Password(_))), "a refused password uses nothing up");
    let later = now + Duration::from_secs(120);
    assert!(accounts.use_set_password_link(link.token.expose(), &password, later).await.is_err());

    let uses = (0..10).map(|_| accounts.use_set_password_link(link.token.expose(), &password, now));
    let uses = futures_util::future::join_all(uses).await;
    assert_eq!(uses.iter().filter(|used| used.is_ok()).count(), 1);
    assert!(installation.live_sessions().await.is_empty());
    installation.close().await;
}

#[tokio::test]
async fn a_disabled_account_gets_no_link_and_loses_its_sessions() {
    let installation = Installation::new().await;
    let (accounts, alice) = (installation.accounts(), installation.alice().await);
    let link = accounts.create_set_password_link(&alice, Duration::from_secs(60)).await.unwrap();
    installation.session(&alice).await;
    assert!(installation.store.disable_user(alice.id).await.unwrap());
    assert!(installation.live_sessions().await.is_empty());
    let password = secret("a new pass phrase");
    assert!(accounts.use_set_password_link(link.token.expose(), &password, Timestamp::now()).await.is_err());
    let alice = installation.store.user(alice.id).await.unwrap().unwrap();
    let refused = accounts.create_set_password_link(&alice, Duration::from_secs(60)).await;
    assert!(matches!(refused, Err(AccountError::Disabled(_))));
    installation.close().await;
}

#[tokio::test]
async fn a_person_keeps_the_session_in_which_the_password_is_changed() {
    let installation = Installation::new().await;
    let (accounts, alice) = (installation.accounts(), installation.alice().await);
    let (here, _elsewhere) = (installation.session(&alice).await, installation.session(&alice).await);
    let (old, new) = (secret("correct horse"), secret("battery staple"));
    let wrong = accounts.change_own_password(alice.id, here, &new, &new).await;
    assert!(matches!(wrong, Err(AccountError::WrongPassword)));
    assert_eq!(installation.live_sessions().await.len(), 2);
    accounts.change_own_password(alice.id, here, &old, &new).await.unwrap();
    assert_eq!(installation.live_sessions().await, [here]);
    accounts.change_own_password(alice.id, here, &new, &old).await.unwrap();

    // An operator's reset lands between the check of the present password and the change: the reset stays.
    let record = installation.store.sign_in_record_of(alice.id).await.unwrap().unwrap();
    accounts.set_password(&alice, &secret("set by an operator")).await.unwrap();
    let checked_before = record.password_hash.unwrap();
    let keep = KeptSession { id: here, token_hash: &[0; 32] };
    let changed = installation.store.change_password(alice.id, &checked_before, &secret("x"), keep).await;
    assert!(!changed.unwrap());
    assert!(installation.live_sessions().await.is_empty());
    installation.close().await;
}

#[tokio::test]
async fn a_client_is_read_as_it_was_written_and_each_change_is_announced() {
    let installation = Installation::new().await;
    let (store, keys) = (&installation.store, master_keys());
    let mut metadata = ClientMetadata::named("Demo");
    metadata.redirect_uris = vec!["https://app.example/cb".to_owned()];
    metadata.access_token_lifetime = Some(Duration::from_secs(300));
    let before = installation.version().await;
    let (client, secret) = registration::create(store, &keys, metadata, Timestamp::now()).await.unwrap();
    let read = |id: ClientId| async move { store.client(&id).await.unwrap().unwrap() };
    let same = |a: &Client, b: &Client| assert_eq!(format!("{a:?}"), format!("{b:?}"));
    same(&read(client.id.clone()).await, &client);
    let hash = secrets::hash_secret(keys.current(), secret.unwrap().expose());
    let secret_of = |client: &Client| client.authentication.secrets().unwrap().newest.hash.clone();
    assert!(secret_of(&client) == hash);
    assert_eq!(installation.version().await, before + 1);

    let changed = registration::update(store, &client.id, |m| m.name = "Other".to_owned()).await.unwrap();
    same(&read(client.id.clone()).await, &changed);
    assert!(secret_of(&changed) == secret_of(&client));
    let rotation = registration::Rotation::default();
    registration::rotate_secret(store, &keys, &client.id, rotation, Timestamp::now()).await.unwrap();
    assert!(secret_of(&read(client.id.clone()).await) != secret_of(&client));
    assert!(store.delete_client(&client.id).await.unwrap());
    assert_eq!(installation.version().await, before + 4);
    assert!(!store.delete_client(&client.id).await.unwrap());
    assert_eq!(installation.version().await, before + 4, "nothing was changed");
    installation.close().await;
}

#[tokio::test]
async fn a_used_assertion_is_remembered_until_it_has_expired() {
    let installation = Installation::new().await;
    let store = &installation.store;
    let (now, minute) = (Timestamp::now(), Duration::from_secs(60));
    // Case 50.
    assert!(store.use_client_assertion(&[1; 32], now + minute).await.unwrap());
    assert!(!store.use_client_assertion(&[1; 32], now + minute + minute).await.unwrap());
    assert!(store.use_client_assertion(&[2; 32], now + minute).await.unwrap());
    // The database's clock has a say: what has expired by it is not taken, whatever this process believes.
    assert!(!store.use_client_assertion(&[3; 32], now - minute).await.unwrap());
    assert_eq!(store.delete_past_client_assertions(10, now).await.unwrap(), 0);
    let mut sql = installation.sql().await;
    let age = "UPDATE used_client_assertions SET expires_at = expires_at - interval '7 minutes'";
    sqlx::query(age).execute(&mut sql).await.unwrap();
    // Case 87. A database whose clock is ahead does not make anybody forget what is good again when that is set right.
    assert_eq!(store.delete_past_client_assertions(10, now - Duration::from_secs(3_600)).await.unwrap(), 0);
    assert_eq!(store.delete_past_client_assertions(1, now).await.unwrap(), 1);
    assert_eq!(store.delete_past_client_assertions(10, now).await.unwrap(), 1);
    installation.close().await;
}

#[tokio::test]
async fn a_private_key_is_erased_when_it_is_retired_by_both_clocks() {
    let installation = Installation::new().await;
    let keys = master_keys();
    let (minute, now) = (Duration::from_secs(60), Timestamp::now());
    let operations = KeyOperations::new(&installation.store, &keys, minute, minute);
    let (created, _) = operations.maintain(None, now).await.unwrap();
    operations.rotate_now(Algorithm::default()).await.unwrap();
    let age = "UPDATE signing_keys SET activates_at = activates_at - interval '1 h'";
    sqlx::query(age).execute(&mut installation.sql().await).await.unwrap();
    // Case 87.
    let (_, erased) = operations.maintain(None, now - 60 * minute).await.unwrap();
    assert_eq!(erased, [""; 0]);
    let (_, erased) = operations.maintain(None, now).await.unwrap();
    assert_eq!(erased, [created[0].key.kid.as_str()]);
    installation.close().await;
}

#[tokio::test]
async fn a_scope_leaves_clients_but_not_roles() {
    let installation = Installation::new().await;
    let store = &installation.store;
    scopes::create(store, &scope("notes", false)).await.unwrap();
    scopes::create(store, &scope("admin", true)).await.unwrap();
    let mut metadata = ClientMetadata::named("Demo");
    metadata.redirect_uris = vec!["https://app.example/cb".to_owned()];
    metadata.scopes = Some(vec!["notes".to_owned(), "admin".to_owned()]);
    let (client, _) = registration::create(store, &master_keys(), metadata, Timestamp::now()).await.unwrap();
    let role = Role { name: "boss".to_owned(), scopes: vec!["admin".to_owned()] };
    roles::create(store, &role).await.unwrap();
    scopes::delete(store, "notes").await.unwrap();
    assert!(matches!(scopes::delete(store, "admin").await, Err(scopes::ScopeRefused::CarriedBy(_))));
    assert!(matches!(scopes::delete(store, "openid").await, Err(scopes::ScopeRefused::BuiltIn)));
    assert_eq!(store.client(&client.id).await.unwrap().unwrap().scopes, ["admin"]);
    installation.close().await;
}

#[tokio::test]
async fn only_the_schema_of_this_release_will_do() {
    let installation = Installation::empty().await;
    assert!(matches!(installation.database.check_schema().await, Err(SchemaError::Older { .. })));
    let steps = tokio::join!(installation.database.migrate(), installation.database.migrate());
    assert!(steps.0.is_ok() && steps.1.is_ok());
    installation.database.check_schema().await.unwrap();
    for (statement, newer) in [
        ("INSERT INTO _sqlx_migrations VALUES (9999, 'later', now(), true, '', 0)", true),
        (
            "DELETE FROM _sqlx_migrations WHERE version = 9999; UPDATE _sqlx_migrations SET checksum = ''",
            false,
        ),
    ] {
        sqlx::raw_sql(statement).execute(&mut installation.sql().await).await.unwrap();
        for refused in
            [installation.database.check_schema().await, installation.database.migrate().await.map(drop)]
        {
            let is_newer = matches!(refused.unwrap_err(), SchemaError::Newer { .. });
            assert_eq!(is_newer, newer, "{statement}");
        }
    }
    installation.close().await;
}

#[tokio::test]
async fn commands_answer_as_scripts_expect() {
    let installation = Installation::new().await;
    let grantor = |line: &str, input: &str| run(installation.state.path(), line, input);
    let json = |output: &[u8]| serde_json::from_slice::<Value>(output).unwrap();

    let made = grantor(
        "user create --username alice --email a@example.com --password-stdin --json",
        "correct horse\n",
    );
    assert!(made.status.success() && json(&made.stdout)["id"].is_string(), "{made:?}");
    assert_eq!(installation.store.users().await.unwrap().len(), 1);
    let client = grantor("client create --name A --redirect-uri https://a.example/cb --json", "");
    let client = json(&client.stdout);
    assert!(client["client_id"].is_string() && client["client_secret"].as_str().unwrap().starts_with("grs_"));
    let public = grantor("client create --name B --public --redirect-uri http://127.0.0.1/cb --json", "");
    assert!(json(&public.stdout)["client_secret"].is_null());
    let again = grantor("--json user create --username ALICE --email b@example.com", "");
    assert_eq!((again.status.code(), again.stdout.is_empty()), (Some(1), true));
    assert_eq!(json(&again.stderr)["error"], "already_exists");
    assert!(json(&again.stderr)["error_description"].as_str().unwrap().contains("name"));
    assert_eq!(grantor("user create --username bob", "").status.code(), Some(2));
    assert_eq!(json(&grantor("client list --json", "").stdout).as_array().unwrap().len(), 2);
    let link = json(&grantor("user set-password alice --link --json", "").stdout);
    assert!(link["link"].as_str().unwrap().starts_with("http://localhost:8080/password/set?token=grp_"));
    installation.close().await;
}

fn run(state: &std::path::Path, line: &str, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_grantor"))
        .args(line.split(' '))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GRANTOR_STATE_DIR", state)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
