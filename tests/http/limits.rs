//! More than anybody needs is refused, soon and without an error of the server. Case 74.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::harness::{Answer, Browser, Server, Wire};

/// A 4xx, or the connection closed, within five seconds; and then the server is as well as ever.
async fn assert_refused(server: &Server, request: Vec<u8>, what: &str) {
    let started = Instant::now();
    let answer = Wire::ask(server, &request).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{what}: {:?}", started.elapsed());
    let first_line = answer.lines().next().unwrap_or_default();
    assert!(answer.is_empty() || first_line.starts_with("HTTP/1.1 4"), "{what}: {first_line}");
    assert_eq!(Browser::new(server).get("/health/ready").await.status, 200, "{what}");
}

fn head(server: &Server, line: &str, headers: &str) -> Vec<u8> {
    let host = server.issuer.strip_prefix("http://").unwrap();
    format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n").into_bytes()
}

fn form(server: &Server, path: &str, body: &str) -> Vec<u8> {
    let headers =
        format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len());
    let mut request = head(server, &format!("POST {path}"), &headers);
    request.extend_from_slice(body.as_bytes());
    request
}

#[tokio::test]
async fn a_flood_of_bytes_is_refused() {
    let server = Server::start().await;
    let large = format!("username={}", "x".repeat(5_000_000));
    let many = "a=1&".repeat(100_000);
    let scopes = format!("scope={}", "s+".repeat(1_500));
    for path in ["/sign-in", "/authorize", "/consent", "/token", "/introspect", "/revoke"] {
        for (what, body) in [("5 MB", &large), ("100 000 parameters", &many), ("1 500 scopes", &scopes)] {
            assert_refused(&server, form(&server, path, body), &format!("{what} to {path}")).await;
        }
    }
    let url = format!("GET /authorize?client_id=x&state={}", "s".repeat(60_000));
    assert_refused(&server, head(&server, &url, ""), "a URL of 60 kB").await;
    let url = format!("GET /{}", "s".repeat(200_000));
    assert_refused(&server, head(&server, &url, ""), "a URL of 200 kB").await;
    let header = format!("X-Long: {}\r\n", "h".repeat(200_000));
    assert_refused(&server, head(&server, "GET /authorize", &header), "a header of 200 kB").await;
    let headers: String = (0..5_000).map(|number| format!("X-H{number}: 1\r\n")).collect();
    assert_refused(&server, head(&server, "GET /authorize", &headers), "5 000 headers").await;
}

#[tokio::test]
async fn four_hundred_cookies_hurt_nobody() {
    let server = Server::start().await;
    let cookies: Vec<String> = (0..400).map(|number| format!("c{number}={}", "x".repeat(20))).collect();
    let browser = Browser::new(&server);
    let started = Instant::now();
    for cookie in [
        cookies.join("; "),
        format!("grantor_session={}", "x".repeat(4_000)),
        "grantor_session=%00%ff; grantor_csrf=\u{7f}".replace('\u{7f}', "\""),
        ["grantor_session=a"; 100].join("; "),
        ";;;===;".to_owned(),
    ] {
        let request = browser.request(Method::GET, "/sign-in").header("cookie", &cookie);
        let answer = Answer::read(request.send().await.unwrap()).await;
        assert!(answer.status == 200 || answer.status.is_client_error(), "{}", answer.status);
    }
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn what_is_no_http_ends_the_connection() {
    let server = Server::start().await;
    for junk in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n",
        "POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        "POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzz\r\n",
    ] {
        assert_refused(&server, junk.as_bytes().to_vec(), junk).await;
    }
}
