//! The authorization endpoint by POST (OpenID Connect Core §3.1.2.1). Session cookies are `SameSite=Lax`: they
//! are absent from another site's form and come along with the GET that follows.

use reqwest::Method;

use super::assert_error_page;
use crate::harness::{Answer, Browser, RelyingParty, Server, pkce, query_of};

async fn post(browser: &Browser, body: &str) -> Answer {
    let request = browser.request(Method::POST, "/authorize").header("origin", "https://app.example");
    let request = request.header("sec-fetch-site", "cross-site");
    let form = request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned());
    Answer::read(form.send().await.unwrap()).await
}

#[tokio::test]
async fn a_form_of_another_site_goes_round_once_more_with_all_it_said() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let signed_in = Browser::new(&server);
    let (verifier, challenge) = pkce();
    let path = app.authorize_path(&challenge, &[("state", "a&b=c +ä"), ("nonce", "n"), ("unknown", "kept")]);
    let form = path.strip_prefix("/authorize?").unwrap();

    let answer = post(&Browser::new(&server), form).await;
    assert_eq!(answer.status, 303);
    let location = answer.location().unwrap();
    assert!(location.starts_with("/authorize?"), "{location}");
    assert_eq!(query_of(&location), query_of(&path));

    // The GET carries the session, and the flow goes on as if it had begun there.
    signed_in.sign_in("alice").await;
    let answer = signed_in.authorize(&location, "alice").await;
    let code = answer.parameter("code").expect("a code");
    assert_eq!(answer.parameter("state").as_deref(), Some("a&b=c +ä"));
    assert_eq!(app.redeem(&code, &verifier, &[]).await.status, 200);
}

#[tokio::test]
async fn a_form_with_the_session_is_answered_at_once() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    app.sign_in(&browser, "alice", &[]).await;
    let path = app.authorize_path(&pkce().1, &[]);
    let answer = post(&browser, path.strip_prefix("/authorize?").unwrap()).await;
    assert_eq!(answer.status, 303);
    assert!(answer.parameter("code").is_some(), "{:?}", answer.location());
}

#[tokio::test]
async fn parameters_stand_in_one_place_and_in_a_form() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let path = app.authorize_path(&pkce().1, &[]);
    let form = path.strip_prefix("/authorize?").unwrap();
    let both = browser.request(Method::POST, "/authorize?state=other");
    let both = both.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    assert_error_page(&Answer::read(both.send().await.unwrap()).await, "query and form");
    for content_type in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let request = browser.request(Method::POST, "/authorize").header("content-type", content_type);
        let answer = Answer::read(request.body(form.to_owned()).send().await.unwrap()).await;
        assert_error_page(&answer, content_type);
    }
}
