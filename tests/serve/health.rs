//! What a process says of itself: `/health/live`, `/health/ready`, `/metrics`, `grantor health`.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use grantor::store::embedded::{Durability, Embedded};

use crate::harness::{Installation, MASTER_KEY, Process, TestDatabase, free_port, until};

const SOON: Duration = Duration::from_secs(5);

fn start_database(state: &Path) -> Embedded {
    Embedded::start(state, Durability::None, &|_| {}).unwrap()
}

fn url_of(database: &Embedded) -> String {
    let options = database.connect_options();
    let socket = options.get_socket().unwrap().display().to_string();
    let socket: String = form_urlencoded::byte_serialize(socket.as_bytes()).collect();
    format!("postgres:///grantor?host={socket}&user=grantor")
}

async fn is_ready(server: &Process) -> bool {
    server.get("/health/ready").await.0 == 200
}

#[tokio::test]
async fn a_server_without_its_database_is_alive_but_not_ready_until_the_database_is_back() {
    let host = Installation::new();
    let database = start_database(&host.state);
    let installation = Installation::new().with("DATABASE_URL", &url_of(&database));
    let server = installation.serve(&[]);
    assert_eq!(server.get("/health/ready").await, (200, r#"{"status":"ready"}"#.to_owned()));

    database.stop().unwrap();
    until(SOON, || async { !is_ready(&server).await }).await;
    assert_eq!(server.get("/health/live").await.0, 200);
    let (_, told) = server.get("/health/ready").await;
    assert!(told.contains("the database does not answer"), "{told}");
    // Who asks for something meanwhile is told to come back.
    let asked = reqwest::Client::new()
        .post(format!("http://{}/token", server.address()))
        .basic_auth("some-client", Some("secret"))
        .form(&[("grant_type", "client_credentials")])
        .timeout(SOON);
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let said = installation.refused(&["health", "--listen", &server.address()]);
    assert!(said.contains("the database does not answer"), "{said}");

    let database = start_database(&host.state);
    until(SOON, || is_ready(&server)).await;
    installation.json(&["health", "--listen", &server.address()]);
    drop(server);
    database.stop().unwrap();
}

#[tokio::test]
async fn metrics_have_a_listener_of_their_own() {
    let database = TestDatabase::new().await;
    let address = free_address();
    let installation = Installation::on(&database)
        .with("GRANTOR_MASTER_KEY", MASTER_KEY)
        .with("GRANTOR_SERVER_METRICS_LISTEN", &address);
    let server = installation.serve(&[]);
    assert_eq!(server.get("/health/live").await.0, 200);
    assert_eq!(server.get("/metrics").await.0, 404);
    let answer = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
    assert_eq!(answer.status(), 200);
    let metrics = answer.text().await.unwrap();
    assert!(metrics.contains("grantor_http_request_duration_seconds"), "{metrics}");
    assert!(metrics.contains(r#"route="/health/live""#), "{metrics}");
    assert_eq!(reqwest::get(format!("http://{address}/token")).await.unwrap().status(), 404);
}

#[tokio::test]
async fn without_a_chosen_address_a_taken_one_only_costs_the_metrics() {
    let database = TestDatabase::new().await;
    let installation = Installation::on(&database)
        .with("GRANTOR_MASTER_KEY", MASTER_KEY)
        .without("GRANTOR_SERVER_METRICS_LISTEN");
    let (first, second) = (installation.serve(&[]), installation.serve(&[]));
    assert!(is_ready(&first).await && is_ready(&second).await);
}

#[tokio::test]
async fn the_health_command_takes_the_address_from_the_configuration() {
    let database = TestDatabase::new().await;
    let address = free_address();
    let port = address.rsplit(':').next().unwrap();
    let installation = Installation::on(&database)
        .with("GRANTOR_MASTER_KEY", MASTER_KEY)
        .with("GRANTOR_LISTEN", &format!("0.0.0.0:{port}"));
    assert!(installation.refused(&["health"]).contains(&address), "nobody listens");
    let server = installation.serve(&[]);
    assert_eq!(installation.json(&["health"])["status"], "ready");
    drop(server);

    // Something else listens there, and says nothing.
    let _silent = TcpListener::bind(&address).unwrap();
    assert!(installation.refused(&["health"]).contains("does not answer"));
    // With TLS only the port is looked at.
    let file = installation.file("tls.pem", "");
    let file = file.to_str().unwrap();
    let tls = installation.with("GRANTOR_SERVER_TLS_CERT", file).with("GRANTOR_SERVER_TLS_KEY", file);
    assert_eq!(tls.json(&["health"])["status"], "ready");
    assert!(tls.without("GRANTOR_LISTEN").refused(&["health", "--listen", "127.0.0.1:0"]).contains("port"));
}

fn free_address() -> String {
    format!("127.0.0.1:{}", free_port())
}
