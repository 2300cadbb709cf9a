//! What scripts of other sites may do (RFC 10017). Case 80.

use reqwest::Method;

use crate::harness::{Answer, Browser, RelyingParty, Server, pkce};

const ORIGIN: &str = "https://app.example";

async fn from_a_script(browser: &Browser, method: Method, path: &str) -> Answer {
    let request = browser.request(method, path).header("origin", ORIGIN);
    Answer::read(request.header("sec-fetch-site", "cross-site").send().await.unwrap()).await
}

/// What a browser asks before a request that no form could make.
async fn preflight(browser: &Browser, path: &str, method: &str) -> Answer {
    let request = browser
        .request(Method::OPTIONS, path)
        .header("origin", ORIGIN)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization,content-type,dpop");
    Answer::read(request.send().await.unwrap()).await
}

fn assert_no_credentials(what: &str, answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-credentials"), None, "{what}");
}

#[tokio::test]
async fn an_app_in_a_browser_can_use_what_it_needs_also_where_it_is_refused() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    for (path, method) in [
        ("/token", "POST"),
        ("/revoke", "POST"),
        ("/userinfo", "GET"),
        ("/userinfo", "POST"),
        ("/.well-known/jwks.json", "GET"),
        ("/.well-known/oauth-authorization-server", "GET"),
        ("/.well-known/openid-configuration", "GET"),
    ] {
        let asked = preflight(&browser, path, method).await;
        assert_eq!(asked.status, 204, "{path}");
        assert_eq!(asked.header("access-control-allow-origin"), Some("*"), "{path}");
        assert!(asked.header("access-control-allow-methods").unwrap().contains(method), "{path}");
        let headers = asked.header("access-control-allow-headers").unwrap();
        for header in ["authorization", "content-type", "dpop"] {
            assert!(headers.split(", ").any(|allowed| allowed == header), "{path}: {headers}");
        }
        assert!(asked.header("access-control-max-age").is_some());
        // Refusals too (400 and 405): else a script could not tell what is wrong.
        for method in [Method::GET, Method::POST] {
            let answer = from_a_script(&browser, method.clone(), path).await;
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{method} {path}");
            let readable = answer.header("access-control-expose-headers").unwrap();
            assert!(readable.contains("www-authenticate") && readable.contains("retry-after"));
            assert_no_credentials(path, &answer);
        }
        assert_no_credentials(path, &asked);
    }
}

#[tokio::test]
async fn a_public_client_in_a_browser_gets_its_tokens() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &["--public"]);
    let (code, verifier) = app.code(&Browser::new(&server), "alice", &[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", app.client_id.as_str()),
        ("code", &code),
        ("code_verifier", &verifier),
        ("redirect_uri", app.redirect_uri.as_str()),
    ];
    let script = Browser::new(&server);
    let request = script.request(Method::POST, "/token").header("origin", ORIGIN).form(&form);
    let answer = Answer::read(request.send().await.unwrap()).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.json()["access_token"].is_string(), "{}", answer.body);
}

#[tokio::test]
async fn nothing_that_people_see_or_apis_ask_can_be_read_by_a_script() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let authorize = app.authorize_path(&pkce().1, &[]);
    let own = ["/", "/account", "/account/sessions", "/account/apps", "/account/apps/withdraw", "/password"];
    let others = [&*authorize, "/sign-in", "/consent", "/sign-out", "/introspect", "/health/ready"];
    let logout = ["/logout", "/logout/confirm"];
    for path in own.into_iter().chain(others).chain(logout) {
        for answer in [
            from_a_script(&browser, Method::GET, path).await,
            from_a_script(&browser, Method::POST, path).await,
            preflight(&browser, path, "POST").await,
        ] {
            assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{path}");
        }
    }
}
