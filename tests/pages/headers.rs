//! What every page carries besides its text (RFC 9700 §4.2 and §4.16). Cases 57, 58 and 80.

use reqwest::Method;

use crate::harness::{Answer, Browser, RelyingParty, Server, pkce};

fn assert_guarded(page: &Answer) {
    let what = format!("{} {}", page.status, page.url);
    let policy = page.header("content-security-policy").unwrap_or_else(|| panic!("no policy: {what}"));
    let directives: Vec<&str> = policy.split("; ").collect();
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'self'"] {
        assert!(directives.contains(&directive), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("script") && !policy.contains('*'), "{what}");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(page.header(name), Some(value), "{what}");
    }
    assert!(page.header("x-request-id").is_some(), "{what}");
    for name in ["server", "x-powered-by", "access-control-allow-origin"] {
        assert_eq!(page.header(name), None, "{what}");
    }
    // Nothing that the policy would have to allow.
    for selector in
        ["script", "[style]", "style", "iframe", "[onclick]", "img", "[src^='http']", "link[href^='http']"]
    {
        assert!(!page.exists(selector), "{what}: {selector}");
    }
}

#[tokio::test]
async fn no_page_can_be_framed_cached_sniffed_or_scripted() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let sign_in = browser.follow(browser.get(&app.authorize_path(&pkce().1, &[])).await).await;
    let wrong = browser.submit(&sign_in, &[("username", "alice"), ("password", "wrong")]).await;
    let consent = browser.sign_in_on(&sign_in, "alice").await;
    assert!(sign_in.has_id("login-submit") && consent.has_id("consent-allow") && wrong.status == 422);
    let link = server.cli(&["user", "set-password", "alice", "--link"]);
    let choose = browser.get(&app.authorize_path(&pkce().1, &[("prompt", "select_account")])).await;
    let choose = browser.follow(choose).await;
    assert!(choose.has_id("account-continue"));
    let allowed = browser.submit(&consent, &[("decision", "allow")]).await;
    assert!(allowed.parameter("code").is_some());
    let withdraw = browser.get(&format!("/account/apps/withdraw?client_id={}", app.client_id)).await;
    assert!(withdraw.has_id("withdraw-confirm"));
    let mut pages = vec![sign_in, wrong, consent, choose, withdraw];
    for path in [
        "/",
        "/password",
        "/account",
        "/account/sessions",
        "/account/apps",
        "/sign-out",
        "/logout/confirm",
        "/logout?client_id=nobody",
        "/nowhere",
        "/authorize",
        "/consent",
        "/consent?request=x",
        "/password/set?token=x",
        link["link"].as_str().unwrap(),
    ] {
        pages.push(browser.get(path).await);
    }
    let elsewhere = browser.request(Method::GET, "/").header("host", "evil.example").send().await.unwrap();
    pages.push(Answer::read(elsewhere).await);
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = browser.request(method, "/sign-in").send().await.unwrap();
        assert_eq!(answer.status(), 405);
        pages.push(Answer::read(answer).await);
    }
    let signed_out = browser.submit(&browser.get("/sign-out").await, &[]).await;
    assert!(signed_out.has_id("logout-done"));
    pages.push(signed_out);
    pages.iter().for_each(assert_guarded);
}

#[tokio::test]
async fn the_way_of_a_client_can_end_at_the_client_and_our_own_pages_end_here() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    let policy = |page: &Answer| page.header("content-security-policy").unwrap().to_owned();
    // Browsers hold form-action against the redirects that follow a form.
    assert!(!policy(&browser.get("/sign-in").await).contains("form-action"));
    assert!(policy(&browser.get("/").await).contains("form-action 'self'"));
}

#[tokio::test]
async fn other_sites_scripts_read_public_documents_only() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let authorize = app.authorize_path(&pkce().1, &[]);
    for (path, readable) in [
        ("/.well-known/jwks.json", true),
        ("/.well-known/oauth-authorization-server", true),
        ("/.well-known/openid-configuration", true),
        (authorize.as_str(), false),
        ("/sign-in", false),
        ("/", false),
    ] {
        for method in [Method::GET, Method::OPTIONS] {
            let request = browser.request(method.clone(), path).header("origin", "https://evil.example");
            let request = request.header("access-control-request-method", "GET");
            let answer = Answer::read(request.send().await.unwrap()).await;
            let allowed = answer.header("access-control-allow-origin");
            let expected = (readable && method == Method::GET).then_some("*");
            if method == Method::GET || !readable {
                assert_eq!(allowed, expected, "{method} {path}");
            }
            assert_eq!(answer.header("access-control-allow-credentials"), None, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn assets_may_be_kept_for_ever() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    let page = browser.get("/").await;
    for selector in ["link[rel=stylesheet]", "link[rel=icon]"] {
        let asset = browser.get(&page.attribute(selector, "href").unwrap()).await;
        assert_eq!(asset.status, 200);
        assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(asset.header("x-content-type-options"), Some("nosniff"));
    }
}
