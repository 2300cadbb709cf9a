//! A database belongs to master keys, and a first start is one start however many servers begin it.

use std::collections::BTreeSet;
use std::sync::Arc;

use grantor::secret::{base64url, random_bytes};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{Executor, Row};

use crate::harness::{Browser, Installation, MASTER_KEY, Server, Settings, TestDatabase};

pub fn new_master_key() -> String {
    base64url(&random_bytes::<32>()).replace('-', "+").replace('_', "/") + "="
}

async fn count(database: &TestDatabase, statement: &'static str) -> i64 {
    let row: PgRow = database.sql().await.fetch_one(statement).await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn eight_servers_that_begin_on_an_empty_database_make_one_schema_and_one_key() {
    let database = Arc::new(TestDatabase::empty().await);
    let few = Settings::default().with("GRANTOR_DATABASE_MAX_CONNECTIONS", "5");
    let starting = (0..8).map(|_| Server::start_on(Arc::clone(&database), few.clone()));
    let servers = futures_util::future::join_all(starting).await;

    assert_eq!(count(&database, "SELECT count(*) FROM signing_keys").await, 1);
    assert_eq!(count(&database, "SELECT count(*) FROM master_keys").await, 1);
    let migrations = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap().count();
    let applied = count(&database, "SELECT count(*) FROM _sqlx_migrations WHERE success").await;
    assert_eq!(usize::try_from(applied), Ok(migrations));
    let mut published = BTreeSet::new();
    for server in &servers {
        published.insert(Browser::new(server).get("/.well-known/jwks.json").await.body);
    }
    assert_eq!(published.len(), 1, "{published:?}");
}

#[tokio::test]
async fn every_command_refuses_another_master_key_and_names_both_sources() {
    let database = TestDatabase::new().await;
    let installation = Installation::on(&database);
    let file = installation.file("other.key", &format!("{}\n", new_master_key()));
    let file = file.to_str().unwrap();
    let installation = installation.with("GRANTOR_MASTER_KEY_FILE", file);
    for command in [
        "serve",
        "client list",
        "client create --name A --redirect-uri https://a.example/cb",
        "user list",
        "user create --username alice --email alice@example.com",
        "scope list",
        "role list",
        "key list",
        "key rotate",
        "key rotate --now",
    ] {
        let said = installation.refused(&command.split(' ').collect::<Vec<_>>());
        for source in ["environment GRANTOR_MASTER_KEY)", file] {
            let named = said.contains(source) || said.contains(source.trim_end_matches(')'));
            assert!(named, "{command} does not name {source}: {said}");
        }
    }
    assert_eq!(count(&database, "SELECT count(*) FROM clients").await, 0);
    assert_eq!(count(&database, "SELECT count(*) FROM master_keys").await, 1);
}

#[tokio::test]
async fn a_new_master_key_before_the_old_one_is_taken_and_both_are_needed_then() {
    let database = TestDatabase::new().await;
    let new = new_master_key();
    let both = Installation::on(&database).with("GRANTOR_MASTER_KEY", &format!("{new} {MASTER_KEY}"));
    let made = both.json(&["key", "list"]);
    assert_eq!(made.as_array().unwrap().len(), 1);
    let server = both.serve(&[]);
    let jwks: Value = serde_json::from_str(&server.get("/.well-known/jwks.json").await.1).unwrap();
    assert_eq!(jwks["keys"][0]["kid"], made[0]["kid"], "what the old one sealed is read");
    for alone in [MASTER_KEY, new.as_str()] {
        let alone = Installation::on(&database).with("GRANTOR_MASTER_KEY", alone);
        alone.refused(&["key", "list"]);
    }
}

/// The schema of somebody else's database is not touched, by a server that starts or by the command alone.
#[tokio::test]
async fn a_foreign_database_is_not_migrated() {
    let database = TestDatabase::new().await;
    // As the release before the last migration left it.
    let (undo, forget) = (
        "ALTER TABLE master_keys DROP COLUMN wrapped_key, DROP COLUMN wrapped_by;
         ALTER TABLE signing_keys DROP COLUMN longest_token_lifetime",
        "DELETE FROM _sqlx_migrations WHERE version = 3",
    );
    for statement in undo.split(';').chain([forget]) {
        database.execute(statement).await;
    }
    let applied = || count(&database, "SELECT count(*) FROM _sqlx_migrations WHERE version = 3");
    let foreign = Installation::on(&database).with("GRANTOR_MASTER_KEY", &new_master_key());
    for command in [&["serve"][..], &["migrate"], &["key", "list"]] {
        let said = foreign.refused(command);
        assert!(said.contains("none of this process's"), "{command:?}: {said}");
        assert_eq!(applied().await, 0, "{command:?} migrated it");
    }
    let own = Installation::on(&database).with("GRANTOR_MASTER_KEY", MASTER_KEY);
    assert_eq!(own.json(&["migrate"])["applied"], 1);
    assert_eq!(applied().await, 1);
    own.json(&["key", "list"]);
}

#[tokio::test]
async fn an_empty_database_is_migrated_without_a_master_key_and_none_is_made() {
    let database = TestDatabase::empty().await;
    let installation = Installation::on(&database);
    installation.json(&["migrate"]);
    assert!(!installation.state.join("master.key").exists());
}
