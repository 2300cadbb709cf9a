//! Signing out: asked first, since any site can link here.

use crate::harness::{Browser, RelyingParty, Server};

#[tokio::test]
async fn a_link_asks_and_only_the_button_signs_out() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let tied = app.sign_in(&browser, "alice", &[]).await;
    let kept = app.sign_in(&browser, "alice", &[("scope", "openid offline_access")]).await;

    // Case 65: the end-session endpoint's parameters lead nowhere.
    for query in ["", "?post_logout_redirect_uri=https://evil.example&id_token_hint=x&client_id=y&state=z"] {
        let page = browser.get(&format!("/sign-out{query}")).await;
        assert!(page.has_id("logout-confirm") && page.location().is_none());
        assert!(!page.body.contains("evil.example"));
    }
    let forged = browser.post("/sign-out", &[]).await;
    assert!(forged.has_id("logout-confirm"), "asked, not done: {}", forged.body);
    assert_eq!(app.introspect(tied.access_token()).await["active"], true);

    let cookie_before = browser.get("/sign-out").await;
    let done = browser.submit(&cookie_before, &[]).await;
    assert!(done.has_id("logout-done"));
    assert!(
        done.cookies()
            .iter()
            .any(|cookie| cookie.starts_with("grantor_session=;") && cookie.contains("Max-Age=0")),
        "{:?}",
        done.cookies()
    );
    // What hangs on the session ends with it, and what was to outlive it does.
    assert_eq!(app.introspect(tied.access_token()).await["active"], false);
    assert_eq!(app.refresh(tied.refresh_token(), &[]).await.status, 400);
    assert_eq!(app.introspect(kept.access_token()).await["active"], true);
    assert_eq!(app.refresh(kept.refresh_token(), &[]).await.status, 200);
}

#[tokio::test]
async fn the_session_ends_at_the_server_and_not_only_in_the_browser() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    let page = browser.get("/sign-in").await;
    let answer = browser.submit(&page, &[("username", "alice"), ("password", "correct horse alice")]).await;
    let cookies = answer.cookies();
    let stolen = cookies.iter().find(|cookie| cookie.starts_with("grantor_session=")).unwrap();
    let stolen = stolen.split(';').next().unwrap().to_owned();
    let thief = Browser::new(&server);
    let look = || thief.request(reqwest::Method::GET, "/").header("cookie", &stolen).send();
    assert!(look().await.unwrap().text().await.unwrap().contains("alice"));
    browser.submit(&browser.get("/sign-out").await, &[]).await;
    assert!(!look().await.unwrap().text().await.unwrap().contains("alice"));
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_so() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    assert!(browser.get("/sign-out").await.has_id("logout-done"));
    assert!(browser.post("/sign-out", &[]).await.has_id("logout-done"));
}
