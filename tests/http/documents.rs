//! The published keys and the metadata, whichever way they are answered. Cases 9 and 80.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{Browser, Server, Settings, Wire, free_port};

const JWKS: &str = "/.well-known/jwks.json";
const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// Fields that differ from answer to answer.
const OF_ONE_ANSWER: [&str; 2] = ["date", "x-request-id"];

/// Status, fields and body.
struct Sent {
    status: u16,
    fields: BTreeMap<String, String>,
    body: String,
}

impl Sent {
    fn read(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let field = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        };
        Self { status, fields: lines.map(field).collect(), body: body.to_owned() }
    }

    /// The fields, those that always differ by name alone.
    fn comparable(&self) -> BTreeMap<&str, &str> {
        let value = |name: &str, value| if OF_ONE_ANSWER.contains(&name) { "" } else { value };
        self.fields.iter().map(|(name, it)| (name.as_str(), value(name, it))).collect()
    }
}

async fn ask(server: &Server, request: &str) -> Sent {
    let (line, rest) = request.split_once("\r\n").unwrap_or((request, ""));
    let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{rest}");
    let end = if rest.contains("\r\n\r\n") { "" } else { "\r\n" };
    Sent::read(&Wire::ask(server, format!("{request}{end}").as_bytes()).await)
}

#[tokio::test]
async fn they_carry_these_fields_and_no_others() {
    let server = Server::start().await;
    for (path, content_type, caching) in [
        (JWKS, "application/jwk-set+json", "public, max-age=600"),
        (OPENID, "application/json", "public, max-age=300"),
        (OAUTH, "application/json", "public, max-age=300"),
    ] {
        let got = ask(&server, &format!("GET {path}")).await;
        let length = got.body.len().to_string();
        let tag = got.fields["etag"].clone();
        let mut fields = BTreeMap::from([
            ("access-control-allow-origin", "*"),
            ("access-control-expose-headers", "etag, retry-after, www-authenticate, x-request-id"),
            ("cache-control", caching),
            ("connection", "close"),
            ("content-length", &length),
            ("content-type", content_type),
            ("date", ""),
            ("etag", &tag),
            ("x-content-type-options", "nosniff"),
            ("x-request-id", ""),
        ]);
        assert_eq!((got.status, got.comparable()), (200, fields.clone()), "{path}");
        serde_json::from_str::<serde_json::Value>(&got.body).unwrap();

        let head = ask(&server, &format!("HEAD {path}")).await;
        assert_eq!((head.status, head.comparable(), &*head.body), (200, fields.clone(), ""), "{path}");

        fields.remove("content-type");
        fields.remove("content-length");
        for known in [tag.clone(), format!("\"other\", {tag}")] {
            let unchanged = ask(&server, &format!("GET {path}\r\nIf-None-Match: {known}\r\n")).await;
            let seen = (unchanged.status, unchanged.comparable(), &*unchanged.body);
            assert_eq!(seen, (304, fields.clone(), ""), "{path}");
        }
        assert_eq!(ask(&server, &format!("GET {path}\r\nIf-None-Match: \"other\"\r\n")).await.status, 200);
    }
}

#[tokio::test]
async fn an_unusual_request_gets_the_same_answer() {
    let server = Server::start().await;
    for path in [JWKS, OPENID, OAUTH] {
        let usual = ask(&server, &format!("GET {path}")).await;
        for request in [
            format!("GET {path}?a=b"),
            format!("GET http://evil.example{path}"),
            format!("GET {}", path.replace('.', "%2E")),
            format!("GET {path}\r\nOrigin: https://app.example\r\n"),
            format!("GET {path}\r\nContent-Length: 0\r\n"),
            format!("GET {path}\r\nContent-Length: 3\r\n\r\nabc"),
            format!("GET {path}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
            format!("GET {path}\r\nExpect: 100-continue\r\nContent-Length: 0\r\n"),
        ] {
            let answer = ask(&server, &request).await;
            let answer = match answer.status {
                100 => Sent::read(&answer.body),
                _ => answer,
            };
            let seen = (answer.status, answer.comparable(), &answer.body);
            assert_eq!(seen, (200, usual.comparable(), &usual.body), "{request}");
        }
        assert_eq!(ask(&server, &format!("GET {path}/")).await.status, 421, "{path}: no such page");
    }
}

#[tokio::test]
async fn a_body_that_nobody_wants_does_not_become_the_next_request() {
    let server = Server::start().await;
    let next = format!("GET {OPENID} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let smuggled = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let length = smuggled.len();
    for body in [
        format!("Content-Length: {length}\r\n\r\n{smuggled}"),
        format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{smuggled}\r\n0\r\n\r\n"),
    ] {
        let request = format!("GET {JWKS} HTTP/1.1\r\nHost: localhost\r\n{body}{next}");
        let answers = Wire::ask(&server, request.as_bytes()).await;
        assert!(answers.contains("\"kty\"") && !answers.contains("live"), "{answers}");
    }
    // Without bodies all are answered, each with an id of its own.
    let plain = format!("GET {JWKS} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answers = Wire::ask(&server, [plain.repeat(50), next].concat().as_bytes()).await;
    let ids: BTreeSet<&str> =
        answers.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    assert_eq!(ids.len(), 51, "{answers}");
    assert!(ids.iter().all(|id| uuid::Uuid::parse_str(id).unwrap().get_version_num() == 4));
}

#[tokio::test]
async fn they_are_counted_and_logged_where_somebody_wants_to_know() {
    for (filter, lines) in [("info", 0), ("debug", 1)] {
        let address = format!("127.0.0.1:{}", free_port());
        let settings = Settings::default()
            .with("GRANTOR_SERVER_METRICS_LISTEN", &address)
            .with("GRANTOR_LOG_FILTER", filter);
        let server = Server::start_with(settings).await;
        let got = ask(&server, &format!("GET {JWKS}")).await;
        let tag = &got.fields["etag"];
        ask(&server, &format!("GET {JWKS}\r\nIf-None-Match: {tag}\r\n")).await;
        ask(&server, &format!("HEAD {JWKS}")).await;
        ask(&server, &format!("POST {JWKS}\r\nContent-Length: 0\r\n")).await;
        let metrics = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
        for (method, status) in [("GET", "2xx"), ("GET", "3xx"), ("HEAD", "2xx"), ("POST", "4xx")] {
            let count = format!(
                "grantor_http_request_duration_seconds_count{{route=\"{JWKS}\",method=\"{method}\",status=\"{status}\"}} 1"
            );
            assert!(metrics.contains(&count), "{count} is not in\n{metrics}");
        }
        let log = server.log();
        let of_it: Vec<&str> =
            log.lines().filter(|line| line.contains(&got.fields["x-request-id"])).collect();
        assert_eq!(of_it.len(), lines, "{filter}: {log}");
        let is_whole = |line: &&str| line.contains("answered") && line.contains(JWKS) && line.contains("200");
        assert!(of_it.iter().all(is_whole), "{of_it:?}");
        assert!(log.contains("405"), "{log}");
    }
}

#[tokio::test]
async fn what_changes_is_seen_by_those_who_know_the_former_state() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    let (keys, metadata) = (browser.get(JWKS).await, browser.get(OPENID).await);
    server.cli(&["scope", "create", "reports", "--description", "See your reports"]);
    server.change_arrives().await;
    let tag = metadata.header("etag").unwrap();
    let changed = ask(&server, &format!("GET {OPENID}\r\nIf-None-Match: {tag}\r\n")).await;
    assert_eq!(changed.status, 200);
    assert_ne!(&changed.fields["etag"], tag);
    assert!(changed.body.contains("\"reports\""), "{}", changed.body);
    // Nothing about the keys has changed.
    let tag = keys.header("etag").unwrap();
    assert_eq!(ask(&server, &format!("GET {JWKS}\r\nIf-None-Match: {tag}\r\n")).await.status, 304);
    server.cli(&["key", "rotate"]);
    server.change_arrives().await;
    assert_eq!(ask(&server, &format!("GET {JWKS}\r\nIf-None-Match: {tag}\r\n")).await.status, 200);
}
