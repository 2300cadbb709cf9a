//! Clients that never finish keep nobody else waiting and are let go. Case 82.

use std::time::{Duration, Instant};

use crate::harness::{Browser, Server, Settings, Wire};

/// A head has 5 s, a body as long as `server.request_timeout` says.
const LET_GO: Duration = Duration::from_secs(20);

#[tokio::test]
async fn half_sent_requests_are_let_go_and_others_are_served_meanwhile() {
    let settings = Settings::default().with("GRANTOR_SERVER_REQUEST_TIMEOUT", "2s");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    let heads: [&[u8]; 6] = [
        b"G",
        b"GET /sign-in HTTP/1.1\r\n",
        b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nX-A: ",
        b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
          Content-Length: 100\r\n\r\ngrant_type=",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
          Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    ];
    let mut slow = Vec::new();
    for number in 0..50 {
        let mut wire = Wire::connect(&server).await;
        wire.send(heads[number % heads.len()]).await;
        slow.push(wire);
    }
    let started = Instant::now();
    Browser::new(&server).sign_in("alice").await;
    assert_eq!(Browser::new(&server).get("/health/ready").await.status, 200);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    for (number, mut wire) in slow.into_iter().enumerate() {
        let left = LET_GO.saturating_sub(started.elapsed());
        let answer = wire.read_to_end(left).await;
        assert!(answer.is_some(), "still open: {}", String::from_utf8_lossy(heads[number % heads.len()]));
    }
}

#[tokio::test]
async fn a_chunked_form_is_read_and_the_connection_kept() {
    let server = Server::start().await;
    let request = |connection: &str| {
        format!(
            "POST /token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: {connection}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n14\r\ngrant_type=something\r\n0\r\n\r\n"
        )
    };
    let mut wire = Wire::connect(&server).await;
    wire.send([request("keep-alive"), request("close")].concat().as_bytes()).await;
    let answers = wire.read_to_end(LET_GO).await.unwrap();
    assert_eq!(answers.matches("invalid_client").count(), 2, "{answers}");
}

#[tokio::test]
async fn a_second_request_that_never_ends_is_let_go_too() {
    let settings = Settings::default().with("GRANTOR_SERVER_KEEP_ALIVE", "1s");
    let server = Server::start_with(settings).await;
    let (mut still, mut dripping) = (Wire::connect(&server).await, Wire::connect(&server).await);
    for wire in [&mut still, &mut dripping] {
        wire.send(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health/live HTTP/1.1\r\n").await;
    }
    for _ in 0..16 {
        dripping.send(b"x").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    for mut wire in [still, dripping] {
        assert!(wire.read_to_end(Duration::from_secs(2)).await.is_some(), "still open");
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_let_go() {
    let server = Server::start().await;
    let mut wire = Wire::connect(&server).await;
    assert!(wire.read_to_end(LET_GO).await.is_some(), "still open");
}

#[tokio::test]
async fn large_forms_that_do_not_end_are_bounded_together_and_small_ones_let_in() {
    let settings =
        Settings::default().with("GRANTOR_SERVER_WORKERS", "1").with("GRANTOR_SERVER_REQUEST_TIMEOUT", "8s");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    let head = "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Content-Length: 65536\r\n\r\n";
    let request = [head.as_bytes(), &[b'a'; 65_000]].concat();
    let started = Instant::now();
    // 16 MiB are less than 280 of them.
    let mut slow = Vec::new();
    for _ in 0..350 {
        let mut wire = Wire::connect(&server).await;
        wire.send(&request).await;
        slow.push(wire);
    }
    Browser::new(&server).sign_in("alice").await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let left = Duration::from_secs(6).saturating_sub(started.elapsed());
    let answers = slow.iter_mut().map(|wire| wire.read_to_end(left));
    let answers = futures_util::future::join_all(answers).await;
    let refused = answers.iter().flatten().filter(|answer| answer.starts_with("HTTP/1.1 503 ")).count();
    assert!((71..=120).contains(&refused), "{refused}");
}
