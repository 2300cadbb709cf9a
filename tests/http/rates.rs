//! How often one may ask. What succeeds is not limited unless an operator wants it so.

use reqwest::Method;

use crate::harness::{Answer, Browser, RelyingParty, Server, Settings, Shot, volley};

const CLIENT_CREDENTIALS: [(&str, &str); 1] = [("grant_type", "client_credentials")];

fn assert_too_many(answer: &Answer) {
    assert_eq!(answer.status, 429, "{}", answer.body);
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

fn by_itself(server: &Server) -> RelyingParty {
    RelyingParty::register(server, &["--grant", "client_credentials"])
}

#[tokio::test]
async fn by_default_neither_success_nor_thousands_of_failures_meet_a_limit() {
    let server = Server::start().await;
    let app = by_itself(&server);
    for round in 0..20 {
        let form = [("grant_type", "authorization_code"), ("code", "junk"), ("redirect_uri", "http://x")];
        let shots = (0..100).map(|_| Shot::new(&app, "/token", &form));
        for hit in volley(shots).await {
            assert_eq!(hit.status, 400, "{round}: {}", hit.body);
        }
    }
    for _ in 0..50 {
        app.token(&CLIENT_CREDENTIALS).await.tokens();
    }
}

#[tokio::test]
async fn a_client_has_its_measure_at_each_endpoint() {
    let settings = Settings::default().with("GRANTOR_LIMITS_TOKEN_PER_CLIENT", "3");
    let server = Server::start_with(settings).await;
    let (app, other) = (by_itself(&server), by_itself(&server));
    // Who cannot prove to be the client uses up nothing of its measure.
    for _ in 0..5 {
        let wrong = [("client_id", app.client_id.as_str()), ("client_secret", "wrong")];
        let wrong = [wrong.as_slice(), &CLIENT_CREDENTIALS].concat();
        assert_eq!(Browser::new(&server).post("/token", &wrong).await.status, 401);
    }
    for _ in 0..3 {
        app.token(&CLIENT_CREDENTIALS).await.tokens();
    }
    let refused = app.token(&CLIENT_CREDENTIALS).await;
    assert_too_many(&refused);
    assert_eq!(refused.json()["error"], "temporarily_unavailable");
    other.token(&CLIENT_CREDENTIALS).await.tokens();
    assert_eq!(app.post("/introspect", &[("token", "x")]).await.status, 200);
}

#[tokio::test]
async fn an_address_has_its_measure_and_people_are_told_by_a_page() {
    let settings = Settings::default()
        .with("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1")
        .with("GRANTOR_LIMITS_PAGES_PER_ADDRESS", "2")
        .with("GRANTOR_LIMITS_REVOCATION_PER_ADDRESS", "2");
    let server = Server::start_with(settings).await;
    let visitor = Browser::from_address(&server, "2001:db8:1:2::1");
    for _ in 0..2 {
        assert_eq!(visitor.get("/sign-in").await.status, 200);
        assert_eq!(visitor.post("/revoke", &[("token", "x")]).await.status, 401);
    }
    let page = visitor.get("/sign-in").await;
    assert_too_many(&page);
    assert!(page.is_error_page() && page.header("content-security-policy").is_some());
    let neighbour = Browser::from_address(&server, "2001:db8:1:2::ffff");
    assert_too_many(&neighbour.get("/authorize").await);
    let program = neighbour.post("/revoke", &[("token", "x")]).await;
    assert_too_many(&program);
    assert_eq!(program.header("access-control-allow-origin"), Some("*"), "a script may read why");
    let elsewhere = Browser::from_address(&server, "2001:db8:1:3::1");
    assert_eq!(elsewhere.get("/sign-in").await.status, 200);
    // What everybody needs, and what watches, is not counted.
    for path in ["/health/live", "/.well-known/jwks.json", "/.well-known/openid-configuration"] {
        for _ in 0..5 {
            assert_eq!(visitor.request(Method::GET, path).send().await.unwrap().status(), 200);
        }
    }
}

#[tokio::test]
async fn failing_without_end_closes_the_way_for_a_while() {
    let settings = Settings::default()
        .with("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1")
        .with("GRANTOR_LIMITS_FAILURES_PER_ADDRESS", "5");
    let server = Server::start_with(settings).await;
    let prober = Browser::from_address(&server, "203.0.113.7");
    let mut refused = 0;
    for number in 0..12 {
        let client = format!("guess-{number}");
        let answer = prober.post("/token", &[("client_id", &client), ("grant_type", "x")]).await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 6, "five, and the one that found out");
    let other = Browser::from_address(&server, "203.0.113.8");
    assert_eq!(other.post("/token", &[("client_id", "x"), ("grant_type", "x")]).await.status, 401);
    assert_eq!(prober.get("/sign-in").await.status, 200, "a person there is none of it");
}
