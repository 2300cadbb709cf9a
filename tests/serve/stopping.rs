//! The end of a server, asked for or not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::Connection;

use crate::harness::{Browser, Installation, MASTER_KEY, TestDatabase, until};

const AT_MOST: Duration = Duration::from_secs(10);

/// Sends all but the last bytes of a request; the rest comes later.
fn begin_request(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(AT_MOST)).unwrap();
    let head = "POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-length: 29\r\n\
                content-type: application/x-www-form-urlencoded\r\n\r\n";
    write!(stream, "{head}grant_type=").unwrap();
    stream
}

fn end_request(mut stream: TcpStream) -> String {
    stream.write_all(b"client_credentials").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[tokio::test]
async fn sigterm_and_sigint_end_what_has_begun_and_take_nothing_new() {
    let database = TestDatabase::new().await;
    let installation = Installation::on(&database).with("GRANTOR_MASTER_KEY", MASTER_KEY);
    for signal in ["TERM", "INT"] {
        let mut server = installation.serve(&[]);
        let begun = begin_request(&server.address());
        let _idle = TcpStream::connect(server.address()).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.signal(signal);
        tokio::time::sleep(Duration::from_millis(400)).await;
        let answer = end_request(begun);
        assert!(answer.starts_with("HTTP/1.1 401"), "{signal}: {answer}");
        let (code, after) = server.wait(AT_MOST);
        assert_eq!(code, Some(0), "{signal}");
        println!("{signal}: gone {after:?} after the last answer");
        assert!(TcpStream::connect(server.address()).is_err(), "{signal}");
    }
}

#[tokio::test]
async fn sigterm_is_told_before_it_is_felt() {
    let database = TestDatabase::new().await;
    let installation = Installation::on(&database)
        .with("GRANTOR_MASTER_KEY", MASTER_KEY)
        .with("GRANTOR_SERVER_DRAIN_DELAY", "2s");
    let mut server = installation.serve(&[]);
    let kept = Browser::at(&server.issuer);
    assert_eq!(kept.get("/health/ready").await.header("connection"), None);
    let begun = begin_request(&server.address());
    server.signal("TERM");
    let started = Instant::now();
    until(Duration::from_millis(500), || async { kept.get("/health/ready").await.status == 503 }).await;
    // Everything else is as it was, but for the last time on this connection.
    while started.elapsed() < Duration::from_millis(1_500) {
        for path in ["/health/live", "/.well-known/jwks.json", "/sign-in"] {
            let answer = Browser::at(&server.issuer).get(path).await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(answer.header("connection"), Some("close"), "{path}");
        }
    }
    until(AT_MOST, || async { TcpStream::connect(server.address()).is_err() }).await;
    assert!(started.elapsed() > Duration::from_secs(2), "{:?}", started.elapsed());
    // Three seconds slow, and answered nevertheless.
    tokio::time::sleep(Duration::from_secs(3).saturating_sub(started.elapsed())).await;
    assert!(end_request(begun).starts_with("HTTP/1.1 401"));
    assert_eq!(server.wait(AT_MOST.saturating_sub(started.elapsed())).0, Some(0));
}

#[tokio::test]
async fn a_person_at_the_terminal_need_not_wait_and_can_insist() {
    let database = TestDatabase::new().await;
    let installation = Installation::on(&database)
        .with("GRANTOR_MASTER_KEY", MASTER_KEY)
        .without("GRANTOR_SERVER_DRAIN_DELAY");
    let mut server = installation.serve(&[]);
    server.signal("INT");
    assert_eq!(server.wait(Duration::from_millis(2_500)).0, Some(0), "no delay for a load balancer");

    let mut server = installation.serve(&[]);
    let _begun = begin_request(&server.address());
    server.signal("TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.signal("INT");
    assert_eq!(server.wait(Duration::from_millis(1_500)).0, Some(0), "the second signal ends it at once");
}

#[tokio::test]
async fn a_client_that_never_ends_its_request_holds_nobody_up() {
    let database = TestDatabase::new().await;
    let installation = Installation::on(&database)
        .with("GRANTOR_MASTER_KEY", MASTER_KEY)
        .with("GRANTOR_SERVER_SHUTDOWN_TIMEOUT", "1s");
    let mut server = installation.serve(&[]);
    let _begun = begin_request(&server.address());
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.signal("TERM");
    assert_eq!(server.wait(Duration::from_secs(5)).0, Some(0));
}

#[tokio::test]
async fn a_killed_server_loses_nothing() {
    let installation = Installation::new();
    let mut server = installation.serve(&[]);
    let user = ["user", "create", "--username", "alice", "--email", "alice@example.com"];
    let user = installation.json(&user)["id"].clone();
    let jwks = server.get("/.well-known/jwks.json").await.1;
    server.signal("KILL");
    assert_eq!(server.wait(AT_MOST).0, None);
    assert!(installation.cluster_runs(), "nobody could stop it");

    let server = installation.serve(&[]);
    assert_eq!(server.get("/.well-known/jwks.json").await.1, jwks);
    assert_eq!(installation.json(&["user", "show", "alice"])["id"], user);
    server.stop();
    assert!(!installation.cluster_runs());
}

#[tokio::test]
async fn the_last_server_to_leave_stops_the_private_database() {
    let installation = Installation::new();
    let (first, second) = (installation.serve(&[]), installation.serve(&[]));
    first.stop();
    assert!(installation.cluster_runs());
    assert_eq!(second.get("/health/ready").await.0, 200);
    second.stop();
    assert!(!installation.cluster_runs());
}

#[tokio::test]
async fn a_server_that_waits_for_its_database_can_be_stopped() {
    let database = TestDatabase::new().await;
    let mut holder = database.sql().await;
    let mut held = holder.begin().await.unwrap();
    sqlx::query("LOCK TABLE installation").execute(&mut *held).await.unwrap();
    let installation = Installation::on(&database).with("GRANTOR_MASTER_KEY", MASTER_KEY);
    let mut server = installation.command(&["serve"]).spawn().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(server.try_wait().unwrap().is_none(), "it does not wait");
    assert!(Command::new("kill").arg(server.id().to_string()).status().unwrap().success());
    until(AT_MOST, || {
        let ended = server.try_wait().unwrap();
        async move { ended.is_some_and(|status| status.success()) }
    })
    .await;
}
