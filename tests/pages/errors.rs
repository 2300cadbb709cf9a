//! Addresses that do not exist, and pages used in another way than they are meant. Case 81.

use reqwest::Method;

use crate::harness::{Answer, Browser, Server, Wire};

#[tokio::test]
async fn there_are_no_files_and_no_way_off_the_site() {
    let server = Server::start().await;
    let host = server.issuer.strip_prefix("http://").unwrap();
    // Sent as they are: a decent client would tidy them up.
    for path in [
        "/.git/config",
        "/.env",
        "/actuator/env",
        "/admin",
        "/metrics",
        "/server-status",
        "/assets/../Cargo.toml",
        "/assets/..%2f..%2fetc/passwd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/....//etc/passwd",
        "/assets/",
        "/assets/.env",
        "/..%c0%af..%c0%afetc/passwd",
        "//evil.example",
        "//evil.example/..",
        "/\\evil.example",
        "/%5cevil.example",
        "/%2f%2fevil.example",
        "/sign-in/",
        "/sign-in//",
        "//sign-in",
        "/./sign-in",
        "/SIGN-IN",
        "/authorize/",
        "/authorize;a=b",
        "/%00",
        "/%ff",
        "/%zz",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = Wire::ask(&server, request.as_bytes()).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(["400", "404"].contains(&status), "{path}: {answer}");
        assert!(!answer.to_lowercase().contains("\r\nlocation:"), "{path}");
        assert!(!answer.contains("evil.example") && !answer.contains("root:"), "{path}");
    }
}

#[tokio::test]
async fn an_error_page_tells_people_what_to_do_and_nobody_what_is_inside() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    for path in ["/nowhere", "/authorize", "/authorize?client_id=%00", "/consent?request=x"] {
        let page = browser.get(path).await;
        assert!(page.is_error_page(), "{path}: {}", page.status);
        assert!(!page.text_of("h1").is_empty());
        let id = page.header("x-request-id").unwrap();
        assert!(page.text_of(".details").contains(id), "{path}: the id that finds it in the log");
        assert!(server.log().contains(id), "{path}");
        for inside in ["actix", "sqlx", "postgres", "panicked", ".rs", "src/", env!("CARGO_PKG_VERSION")] {
            assert!(!page.body.to_lowercase().contains(inside), "{path} says {inside}");
        }
    }
}

#[tokio::test]
async fn pages_know_get_head_and_post_only() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    for (path, allow) in [
        ("/", "GET, HEAD"),
        ("/authorize", "GET, HEAD, POST"),
        ("/sign-in", "GET, HEAD, POST"),
        ("/consent", "GET, HEAD, POST"),
        ("/password", "GET, HEAD, POST"),
        ("/password/set", "GET, HEAD, POST"),
        ("/sign-out", "GET, HEAD, POST"),
        ("/account", "GET, HEAD"),
        ("/account/sessions", "GET, HEAD, POST"),
        ("/account/apps", "GET, HEAD"),
        ("/account/apps/withdraw", "GET, HEAD, POST"),
        ("/logout", "GET, HEAD, POST"),
        ("/logout/confirm", "GET, HEAD, POST"),
    ] {
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE, Method::OPTIONS] {
            let answer = Answer::read(browser.request(method.clone(), path).send().await.unwrap()).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        }
    }
    assert_eq!(browser.post("/", &[]).await.status, 405);
}

#[tokio::test]
async fn a_form_is_a_form() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    for path in ["/sign-in", "/consent", "/sign-out", "/password/set", "/logout", "/logout/confirm"] {
        for content_type in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
            let request = browser.request(Method::POST, path).header("content-type", content_type);
            let answer = Answer::read(request.body("a=b").send().await.unwrap()).await;
            assert!(answer.is_error_page(), "{path} {content_type}: {}", answer.status);
        }
        for body in ["username=%00", "username=%zz", "username=%ff", "csrf=a&csrf=b", "request=a&request=b"] {
            let request = browser.request(Method::POST, path);
            let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
            let answer = Answer::read(request.send().await.unwrap()).await;
            assert!(answer.status.as_u16() < 500 && answer.location().is_none(), "{path} {body}");
            assert!(answer.cookies().iter().all(|cookie| !cookie.contains("session")), "{path} {body}");
        }
    }
}
