//! Clients whose public keys lie at an address (`jwks_uri`): fetched, remembered, and only from where it is safe.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde_json::json;

use crate::harness::{AssertingClient, ClientKey, KeyServer, Server, Settings};

async fn server_that_lists(key_server: &KeyServer) -> Server {
    let settings = Settings::default().with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", &key_server.origin());
    Server::start_with(settings).await
}

/// A client whose keys lie at an address that the command line would refuse.
async fn register_at(server: &Server, uri: &str, key: ClientKey) -> AssertingClient {
    let app = AssertingClient::register_at(server, key, "https://app.example/jwks.json");
    let mut connection = server.database.sql().await;
    let set = sqlx::query("UPDATE clients SET jwks_uri = $1 WHERE client_id = $2");
    set.bind(uri).bind(&app.party.client_id).execute(&mut connection).await.unwrap();
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_once_and_anew_for_a_new_one() {
    let key_server = KeyServer::start().await;
    let server = server_that_lists(&key_server).await;
    let (old, new) = (ClientKey::p256(), ClientKey::p256());
    key_server.publishes(&[json!({"kty": "RSA", "use": "enc"}), old.jwk("one")]);
    let mut app = register_at(&server, &key_server.uri(), old).await;
    // Many at once share one fetch.
    let answers = join_all((0..20).map(|_| app.token())).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{}", answers[0].body);
    assert_eq!(key_server.visits(), 1);

    key_server.publishes(&[app.key.jwk("one"), new.jwk("two")]);
    let old = std::mem::replace(&mut app.key, new);
    let with_new = |app: &AssertingClient| app.assertion().header("kid", json!("two")).signed_by(&app.key);
    assert_eq!(app.token_with(&with_new(&app)).await.status, 200);
    assert_eq!(key_server.visits(), 2);
    // The old one is still there.
    assert_eq!(app.token_with(&app.assertion().signed_by(&old)).await.status, 200);
    // Keys that somebody makes up lead to no further fetch for a while.
    for kid in 0..10 {
        let made_up = app.assertion().header("kid", json!(format!("made up {kid}")));
        app.token_with(&made_up.signed_by(&ClientKey::p256())).await.assert_refused(401, "invalid_client");
    }
    assert_eq!(key_server.visits(), 2);
    // Nor is the address gone while keys are remembered.
    key_server.answers("500 Oops", "", Duration::ZERO);
    assert_eq!(app.token_with(&with_new(&app)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_answers_badly_costs_a_bounded_time_and_is_left_alone() {
    let key_server = KeyServer::start().await;
    let goal = KeyServer::start().await;
    let server = server_that_lists(&key_server).await;
    let key = ClientKey::p256();
    let good = json!({"keys": [key.jwk("one")]}).to_string();
    goal.publishes(&[key.jwk("one")]);
    let moved = format!("302 Found\r\nLocation: {}", goal.uri());
    let huge = format!("{}{good}", " ".repeat(70_000));
    for (head, body, delay) in [
        // Case 76: a redirect is not followed.
        (moved.as_str(), good.as_str(), Duration::ZERO),
        ("200 OK", "<html>not keys</html>", Duration::ZERO),
        ("200 OK", huge.as_str(), Duration::ZERO),
        ("404 Not Found", good.as_str(), Duration::ZERO),
        ("200 OK", good.as_str(), Duration::from_secs(20)),
    ] {
        let app = register_at(&server, &key_server.uri(), ClientKey::p256()).await;
        key_server.answers(head, body, delay);
        let (visits, started) = (key_server.visits(), std::time::Instant::now());
        for _ in 0..3 {
            app.token_with(&app.assertion().signed_by(&key)).await.assert_refused(401, "invalid_client");
        }
        assert!(started.elapsed() < Duration::from_secs(5), "{head}");
        assert_eq!(key_server.visits(), visits + 1, "{head}");
    }
    assert_eq!(goal.visits(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_address_holds_up_only_a_few_requests_of_its_own_client() {
    let key_server = KeyServer::start().await;
    let server = server_that_lists(&key_server).await;
    let app = register_at(&server, &key_server.uri(), ClientKey::p256()).await;
    let published = json!({"keys": [app.key.jwk("one")]}).to_string();
    key_server.answers("200 OK", &published, Duration::from_secs(2));
    let ends_of = async |assertions: Vec<String>| {
        join_all(assertions.iter().map(async |assertion| {
            let started = std::time::Instant::now();
            let answer = app.token_with(assertion).await;
            (answer, started.elapsed() < Duration::from_secs(1))
        }))
        .await
    };

    // As long as there are no keys, few wait for them.
    let ends = ends_of((0..60).map(|_| app.signed()).collect()).await;
    let waited = ends.iter().filter(|(answer, at_once)| answer.status == 200 && !at_once).count();
    assert_eq!(waited, 32, "{:?}", ends[0].0.body);
    for (refused, at_once) in ends.iter().filter(|(answer, _)| answer.status != 200) {
        refused.assert_refused(503, "temporarily_unavailable");
        assert!(*at_once && refused.header("retry-after").is_some());
    }
    assert_eq!(key_server.visits(), 1);

    // With keys, nobody waits but who has them looked at again; and who is verified by them does not even then.
    let unknown = |_| app.assertion().header("kid", json!("made up")).signed_by(&ClientKey::p256());
    let (made_up, ends) = futures_util::join!(ends_of((0..10).map(unknown).collect()), async {
        while key_server.visits() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        ends_of((0..10).map(|_| app.signed()).collect()).await
    });
    assert!(ends.iter().all(|(answer, at_once)| answer.status == 200 && *at_once));
    assert_eq!(made_up.iter().filter(|(answer, at_once)| answer.status == 503 && *at_once).count(), 9);
    assert_eq!(made_up.iter().filter(|(answer, at_once)| answer.status == 401 && !at_once).count(), 1);
    assert_eq!(key_server.visits(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_fetched_from_inside() {
    let inside = KeyServer::start().await;
    let server = Server::start().await;
    let port = inside.address.port();
    // Case 76: whatever stands in the database.
    for uri in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("https://localhost:{port}/"),
        format!("https://localhost.:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://0x7f.1:{port}/"),
        format!("https://0177.0.0.1:{port}/"),
        format!("https://0:{port}/"),
        format!("https://[::1]:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let app = register_at(&server, &uri, ClientKey::p256()).await;
        inside.publishes(&[app.key.jwk("one")]);
        let started = std::time::Instant::now();
        app.token().await.assert_refused(401, "invalid_client");
        assert!(started.elapsed() < Duration::from_secs(4), "{uri}");
    }
    assert_eq!(inside.visits(), 0);

    // The command line says so at once.
    for uri in
        ["http://app.example/jwks", "https://10.0.0.1/jwks", "https://u@app.example/", "https://2130706433/"]
    {
        let create = ["client", "create", "--name", "App", "--grant", "client_credentials"];
        let by_address = ["--auth-method", "private_key_jwt", "--jwks-uri", uri];
        let refused = server.cli_output(&[&create[..], &by_address].concat(), "");
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success() && said.contains("invalid_client_metadata"), "{uri}: {said}");
    }
}

/// Answers over TLS on this machine, as `localhost`, in a thread that ends with the tests; its address, and a file with
/// its certificate.
fn answering_over_tls(body: String) -> (SocketAddr, tempfile::NamedTempFile) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), made.cert.pem()).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for visitor in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut visitor = rustls::StreamOwned::new(connection, visitor.unwrap());
            // Who does not trust the certificate is gone before this.
            if visitor.read(&mut [0; 4096]).is_ok() {
                let head =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = visitor.write_all(format!("{head}{body}").as_bytes());
                visitor.conn.send_close_notify();
                let _ = visitor.flush();
            }
        }
    });
    (address, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https_the_certificate_must_be_trusted_and_the_origin_listed() {
    let key = ClientKey::p256();
    let (address, certificate) = answering_over_tls(json!({"keys": [key.jwk("one")]}).to_string());
    let origin = format!("https://localhost:{}", address.port());
    let trusting = Settings::default().with("SSL_CERT_FILE", certificate.path().to_str().unwrap());
    let listing = Settings::default().with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", &origin);
    let both = trusting.clone().with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", &origin);
    for (settings, status) in [(both, 200), (listing, 401), (trusting, 401)] {
        let server = Server::start_with(settings).await;
        let app = register_at(&server, &format!("{origin}/jwks"), ClientKey::p256()).await;
        let answer = app.token_with(&app.assertion().signed_by(&key)).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let log = server.log();
        assert_eq!(log.contains("could not be fetched"), status == 401, "{log}");
    }
}
