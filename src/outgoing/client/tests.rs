use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const LIMITS: Limits = Limits { total: Duration::from_millis(800), bytes: 1_000 };

/// A server on this machine that gives everybody the same bytes, and counts who came.
struct Scripted {
    address: SocketAddr,
    visits: Arc<AtomicUsize>,
}

impl Scripted {
    /// Answers with this head and body; with `endless`, it goes on sending the body.
    async fn answering(head: &'static str, body: &'static [u8], endless: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let visits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&visits);
        tokio::spawn(async move {
            while let Ok((mut visitor, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let _ = visitor.read(&mut [0; 4096]).await;
                    let _ = visitor.write_all(format!("HTTP/1.1 {head}\r\n\r\n").as_bytes()).await;
                    while visitor.write_all(body).await.is_ok() && endless {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                });
            }
        });
        Self { address, visits }
    }

    fn url(&self) -> String {
        format!("http://{}/jwks", self.address)
    }

    /// What comes of a fetch where this server is listed.
    async fn fetched(&self) -> Result<Fetched, OutgoingError> {
        let origins = [format!("http://{}", self.address)];
        Outgoing::new(Policy::new(&origins, true)).get(&self.url(), LIMITS).await
    }
}

#[tokio::test]
async fn a_listed_server_is_fetched_from_and_no_other() {
    let head = "200 OK\r\nContent-Length: 2\r\nCache-Control: public, max-age=120";
    let server = Scripted::answering(head, b"{}", false).await;
    let fetched = server.fetched().await.unwrap();
    assert_eq!((fetched.body.as_slice(), fetched.max_age), (&b"{}"[..], Some(Duration::from_secs(120))));
    assert_eq!(server.visits.load(Ordering::SeqCst), 1);

    let port = server.address.port();
    for url in [server.url(), format!("https://localhost:{port}/"), format!("https://127.0.0.1:{port}/")] {
        let refused = Outgoing::new(Policy::default()).get(&url, LIMITS).await.unwrap_err();
        assert!(matches!(refused, OutgoingError::Refused(_)), "{url}: {refused}");
    }
    assert_eq!(server.visits.load(Ordering::SeqCst), 1, "nobody else came");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_an_order() {
    let goal = Scripted::answering("200 OK\r\nContent-Length: 2", b"{}", false).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let head = format!("{status}\r\nLocation: {}\r\nContent-Length: 0", goal.url());
        let server = Scripted::answering(head.leak(), b"", false).await;
        assert!(matches!(server.fetched().await, Err(OutgoingError::Status(_))), "{status}");
    }
    assert_eq!(goal.visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_message_is_posted_as_a_form_and_its_answer_is_a_status() {
    let posted = |server: &Scripted| {
        let origins = [format!("http://{}", server.address)];
        let (outgoing, url) = (Outgoing::new(Policy::new(&origins, true)), server.url());
        async move { outgoing.post(&url, "logout_token=x".to_owned(), LIMITS.total).await }
    };
    let goal = Scripted::answering("200 OK\r\nContent-Length: 0", b"", false).await;
    for (head, status) in [("200 OK", 200), ("204 No Content", 204), ("400 Bad", 400), ("307 Temporary", 307)]
    {
        let head = format!("{head}\r\nLocation: {}\r\nContent-Length: 0", goal.url());
        let server = Scripted::answering(head.leak(), b"", false).await;
        assert_eq!(posted(&server).await.unwrap(), status);
    }
    assert_eq!(goal.visits.load(Ordering::SeqCst), 0, "a redirect is not followed");
    // A body that never ends is not waited for; a head that never comes is given up.
    let endless = Scripted::answering("200 OK\r\nConnection: close", &[b'x'; 400], true).await;
    assert_eq!(posted(&endless).await.unwrap(), 200);
    let silent = Scripted::answering("", b"", true).await;
    assert!(posted(&silent).await.is_err());
    let refused = Outgoing::new(Policy::default()).post(&goal.url(), String::new(), LIMITS.total).await;
    assert!(matches!(refused, Err(OutgoingError::Refused(_))));
}

#[tokio::test]
async fn slow_and_huge_answers_end_at_the_limit() {
    let silent = Scripted::answering("200 OK\r\nContent-Length: 9", b"", false).await;
    assert!(silent.fetched().await.is_err(), "the body never came");
    let trickle = Scripted::answering("200 OK\r\nContent-Length: 900", b"x", true).await;
    assert!(matches!(trickle.fetched().await, Err(OutgoingError::TooSlow(_))));
    let announced = Scripted::answering("200 OK\r\nContent-Length: 1001", b"x", false).await;
    assert!(matches!(announced.fetched().await, Err(OutgoingError::TooLong(1_000))));
    let endless = Scripted::answering("200 OK\r\nConnection: close", &[b'x'; 400], true).await;
    assert!(matches!(endless.fetched().await, Err(OutgoingError::TooLong(1_000))));
}

#[tokio::test]
async fn only_200_is_a_document() {
    for head in ["204 No Content", "206 Partial", "404 Not Found", "500 Oops"] {
        let head = format!("{head}\r\nContent-Length: 0");
        let server = Scripted::answering(head.leak(), b"", false).await;
        assert!(matches!(server.fetched().await, Err(OutgoingError::Status(_))));
    }
}

#[test]
fn max_age_is_read_from_cache_control() {
    for (text, expected) in [
        ("max-age=60", Some(60)),
        ("public, max-age=\"60\"", Some(60)),
        ("Max-Age = 60", Some(60)),
        ("max-age=60, no-store", Some(0)),
        ("no-cache", Some(0)),
        ("max-age=x", None),
        ("max-age=-1", None),
        ("s-maxage=60", None),
        ("", None),
    ] {
        assert_eq!(max_age(text), expected.map(Duration::from_secs), "{text}");
    }
}
