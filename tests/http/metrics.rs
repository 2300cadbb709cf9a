//! `/metrics`: on a listener of its own, without secrets, and no request makes a series. Case 84.

use reqwest::Method;

use crate::harness::{Browser, RelyingParty, Server, Settings, free_port, password_of, pkce};

#[tokio::test]
async fn they_tell_how_much_and_never_what() {
    let address = format!("127.0.0.1:{}", free_port());
    let settings = Settings::default().with("GRANTOR_SERVER_METRICS_LISTEN", &address);
    let server = Server::start_with(settings).await;
    let id = server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let scrape =
        || async { reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap() };

    // The cleanup, which runs for the first time after a minute, says then what there is to clean up.
    let is_of_requests = |line: &&str| !line.starts_with('#') && !line.starts_with("grantor_rows_cleaned_up");
    let series = |text: &str| text.lines().filter(is_of_requests).count();
    // Everything that can be said once, is said once.
    let odd = |number: usize| {
        let browser = &browser;
        let app = &app;
        async move {
            browser.get(&format!("/nowhere/{number}")).await;
            browser.get(&format!("/assets/{number}.css")).await;
            browser.get(&app.authorize_path(&pkce().1, &[("client_id", &format!("client{number}"))])).await;
            browser.get(&app.authorize_path(&pkce().1, &[("scope", &format!("scope{number}"))])).await;
            let method = Method::from_bytes(format!("METHOD{number}").as_bytes()).unwrap();
            browser.request(method, "/").header("user-agent", format!("agent{number}")).send().await.unwrap();
            app.token(&[("grant_type", &format!("grant{number}"))]).await;
        }
    };
    odd(0).await;
    let before = series(&scrape().await);
    for number in 1..20 {
        odd(number).await;
    }
    let text = scrape().await;
    assert_eq!(series(&text), before, "{text}");
    assert!(text.contains("grantor_tokens_issued_total{grant_type=\"authorization_code\"} 1"), "{text}");
    for outcome in ["done", "failed"] {
        let runs = format!("grantor_job_runs_total{{job=\"cleanup\",outcome=\"{outcome}\"}}");
        assert!(text.contains(&runs), "{text}");
    }
    let secret = app.client_secret.clone().unwrap();
    for value in [
        "alice",
        &id,
        &app.client_id,
        &secret,
        &password_of("alice"),
        tokens.access_token(),
        tokens.refresh_token(),
        "nowhere",
        "client1",
        "agent1",
    ] {
        assert!(!text.contains(value), "{value}");
    }
    // The public listener has none.
    assert_eq!(browser.get("/metrics").await.status, 404);
}
