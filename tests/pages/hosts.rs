//! Nothing is derived from what a request says about hosts. Case 79.

use reqwest::Method;

use crate::harness::{Answer, Browser, RelyingParty, Server, Settings, Wire, pkce};

const LIES: &[(&str, &str)] = &[
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-prefix", "/evil"),
    ("x-forwarded-port", "666"),
    ("x-forwarded-server", "evil.example"),
    ("x-original-host", "evil.example"),
    ("x-original-url", "/evil"),
    ("x-rewrite-url", "/evil"),
    ("forwarded", "for=203.0.113.1;host=evil.example;proto=https"),
    ("via", "1.1 evil.example"),
];

async fn get(browser: &Browser, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = browser.request(Method::GET, path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Answer::read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn no_header_changes_issuer_endpoints_links_or_iss() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let authorize = app.authorize_path(&pkce().1, &[("prompt", "none")]);
    let mut host_too = LIES.to_vec();
    host_too.push(("host", "evil.example"));
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let (plain, lied_to) = (browser.get(path).await, get(&browser, path, &host_too).await);
        assert_eq!(lied_to.body, plain.body, "{path}");
        assert_eq!(plain.json()["issuer"], server.issuer.as_str());
    }
    let answer = get(&browser, &authorize, LIES).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
    assert_eq!(answer.parameter("iss").as_deref(), Some(server.issuer.as_str()));
    for path in ["/", "/sign-in", "/nowhere", "/password/set?token=x"] {
        let page = get(&browser, path, LIES).await;
        assert!(!page.body.contains("evil"), "{path}: {}", page.body);
        assert!(!page.location().unwrap_or_default().contains("evil"), "{path}");
    }
}

#[tokio::test]
async fn a_page_under_another_name_says_the_right_address() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let authorize = app.authorize_path(&pkce().1, &[]);
    let port = server.address().port();
    for host in ["evil.example", "127.0.0.1", "localhost", &format!("localhost.:{port}"), "localhost:1", ""] {
        for path in ["/", "/sign-in", &authorize, "/nowhere"] {
            let page = get(&browser, path, &[("host", host)]).await;
            assert_eq!(page.status, 421, "{host} {path}");
            assert_eq!(page.attribute("main a", "href").as_deref(), Some(server.issuer.as_str()), "{host}");
            assert!(page.location().is_none() && page.cookies().is_empty(), "{host} {path}");
            assert!(!page.body.contains("evil"), "{host} {path}");
        }
    }
    let upper_case = format!("LOCALHOST:{port}");
    assert_eq!(get(&browser, "/", &[("host", &upper_case)]).await.status, 200);
}

#[tokio::test]
async fn the_line_of_the_request_counts_before_the_header() {
    let server = Server::start().await;
    let own = server.issuer.strip_prefix("http://").unwrap();
    // RFC 9112 §3.2.2.
    for (line, host, status) in [
        ("GET / HTTP/1.1", own, "200"),
        (&format!("GET http://{own}/ HTTP/1.1") as &str, own, "200"),
        ("GET http://evil.example/ HTTP/1.1", own, "421"),
        ("GET / HTTP/1.1", "evil.example", "421"),
    ] {
        let request = format!("{line}\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = Wire::ask(&server, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{line} {host}: {answer}");
    }
}

#[tokio::test]
async fn programs_are_served_under_any_name() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    for path in ["/health/live", "/health/ready", "/.well-known/jwks.json"] {
        assert_eq!(get(&browser, path, &[("host", "10.0.0.7:8080")]).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_trusted_proxy_says_which_name_was_asked_for_and_nothing_more() {
    let settings = Settings::default().with("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1");
    let server = Server::start_with(settings).await;
    let browser = Browser::new(&server);
    let own = server.issuer.strip_prefix("http://").unwrap();
    let table: [(&[(&str, &str)], u16); 3] = [
        (&[("host", "10.0.0.7:8080")], 200),
        (&[("host", "10.0.0.7:8080"), ("x-forwarded-host", own)], 200),
        (&[("host", own), ("x-forwarded-host", "evil.example")], 421),
    ];
    for (headers, status) in table {
        let page = get(&browser, "/sign-in", headers).await;
        assert_eq!(page.status.as_u16(), status, "{headers:?}");
        assert!(!page.body.contains("evil"));
    }
}
