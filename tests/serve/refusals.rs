//! A start that cannot go well ends at once: exit 1, one line that says what is wrong, nobody listening.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::harness::{Installation, MASTER_KEY, TestDatabase};

const AT_MOST: Duration = Duration::from_secs(5);

/// Starts a server that refuses; its line has all of these words.
fn refuses(installation: &Installation, arguments: &[&str], words: &[&str]) {
    let started = Instant::now();
    let said = installation.refused(&[&["serve"], arguments].concat());
    let took = started.elapsed();
    assert!(took < AT_MOST, "{took:?}: {said}");
    for word in words {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
}

#[test]
fn wrong_settings() {
    for (name, value, words) in [
        ("GRANTOR_ISSUER", "https://id.example.com", ["https://id.example.com", "DATABASE_URL"]),
        ("GRANTOR_ISSUER", "http://id.example.com", ["GRANTOR_ISSUER", "https"]),
        ("GRANTOR_ISSUER", "http://localhost:8080/", ["GRANTOR_ISSUER", "slash"]),
        ("DATABASE_URL", "mysql://localhost/x", ["DATABASE_URL", "postgres"]),
        ("DATABASE_URL", "nonsense", ["DATABASE_URL", "postgres"]),
        ("GRANTOR_ISUER", "http://localhost", ["GRANTOR_ISUER", "did you mean `GRANTOR_ISSUER`"]),
        ("GRANTOR_LISTEN", "localhost", ["GRANTOR_LISTEN", "address"]),
        ("GRANTOR_CONFIG", "/nowhere/grantor.toml", ["/nowhere/grantor.toml", "cannot read"]),
        ("GRANTOR_TOKENS_CODE_LIFETIME", "1h", ["GRANTOR_TOKENS_CODE_LIFETIME", "1m"]),
        ("GRANTOR_SERVER_TLS_CERT", "/nowhere.pem", ["tls_cert", "tls_key"]),
    ] {
        refuses(&Installation::new().with(name, value), &[], &words);
    }
}

#[tokio::test]
async fn a_key_file_that_cannot_be_used() {
    let database = TestDatabase::empty().await;
    let installation = Installation::on(&database);
    let (garbage, short) = (installation.file("garbage", "###\n"), installation.file("short", "c2hvcnQ=\n"));
    for path in ["/nowhere/master.key", garbage.to_str().unwrap(), short.to_str().unwrap()] {
        let installation = Installation::on(&database).with("GRANTOR_MASTER_KEY_FILE", path);
        refuses(&installation, &[], &[path]);
    }
    let installation = Installation::on(&database).with("GRANTOR_MASTER_KEY", "c2VjcmV0LXRlc3Q=");
    refuses(&installation, &[], &["GRANTOR_MASTER_KEY"]);
    assert!(!installation.refused(&["serve"]).contains("c2VjcmV0LXRlc3Q"), "a key is not repeated");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used() {
    let database = TestDatabase::new().await;
    let installation = Installation::on(&database).with("GRANTOR_MASTER_KEY", MASTER_KEY);
    let file = installation.file("tls.pem", "no certificate\n");
    let file = file.to_str().unwrap();
    refuses(&installation, &["--tls-cert", file, "--tls-key", file], &[file]);
}

#[tokio::test]
async fn a_port_that_is_taken() {
    let database = TestDatabase::new().await;
    let installation = Installation::on(&database).with("GRANTOR_MASTER_KEY", MASTER_KEY);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let _taken = TcpListener::bind(taken).unwrap();
    let taken = taken.to_string();
    refuses(&installation, &["--listen", &taken], &[&taken, "in use"]);
    refuses(&installation.with("GRANTOR_SERVER_METRICS_LISTEN", &taken), &[], &[&taken, "in use"]);
}

#[test]
fn a_database_that_is_away_or_silent() {
    let away = Installation::new().with("DATABASE_URL", "postgres://nobody:hunter2@127.0.0.1:1/nothing");
    refuses(&away, &[], &["database"]);
    assert!(!away.refused(&["serve"]).contains("hunter2"));

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://nobody@{}/nothing?sslmode=disable", silent.local_addr().unwrap());
    refuses(&Installation::new().with("DATABASE_URL", &url), &[], &["database"]);
}

#[tokio::test]
async fn a_schema_that_is_not_of_this_release() {
    let newer = TestDatabase::new().await;
    newer.execute("INSERT INTO _sqlx_migrations VALUES (99990101000000, 'later', now(), true, '', 0)").await;
    let installation = Installation::on(&newer).with("GRANTOR_MASTER_KEY", MASTER_KEY);
    refuses(&installation, &[], &["99990101000000", "newer"]);
    assert!(installation.refused(&["user", "list"]).contains("newer"));

    let empty = TestDatabase::empty().await;
    let installation = Installation::on(&empty).with("GRANTOR_DATABASE_MIGRATE", "false");
    refuses(&installation, &[], &["grantor migrate"]);
    installation.json(&["migrate"]);
    installation.serve(&[]).stop();
}

#[test]
fn an_error_for_programs_is_json() {
    let installation = Installation::new().with("GRANTOR_ISSUER", "https://id.example.com");
    let said: serde_json::Value = serde_json::from_str(&installation.refused(&["serve", "--json"])).unwrap();
    assert_eq!(said["error"], "invalid_configuration");
    assert!(said["error_description"].as_str().unwrap().contains("https://id.example.com"));
}
