//! Changing the own password.

use reqwest::Method;
use reqwest::header::COOKIE;

use crate::harness::{Answer, Browser, RelyingParty, Server, password_of};

const NEW: &str = "a fresh battery staple";

fn fields<'a>(current: &'a str, new: &'a str, again: &'a str) -> [(&'static str, &'a str); 3] {
    [("current_password", current), ("new_password", new), ("new_password_again", again)]
}

#[tokio::test]
async fn it_ends_every_other_session_and_every_grant() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let (here, elsewhere) = (Browser::new(&server), Browser::new(&server));
    let offline = [("scope", "openid offline_access")];
    let sign_in = here.get("/sign-in").await;
    let signed_in =
        here.submit(&sign_in, &[("username", "alice"), ("password", &password_of("alice"))]).await;
    let old_cookie = signed_in.cookies().into_iter().find(|cookie| cookie.starts_with("grantor_session="));
    let old_cookie = old_cookie.unwrap().split(';').next().unwrap();
    let tokens = [
        app.sign_in(&here, "alice", &[]).await,
        app.sign_in(&elsewhere, "alice", &[]).await,
        app.sign_in(&elsewhere, "alice", &offline).await,
    ];
    let current = password_of("alice");
    let done = here.submit(&here.get("/password").await, &fields(&current, NEW, NEW)).await;
    assert_eq!((done.status.as_u16(), done.text_of("h1").as_str()), (200, "Your password is changed"));

    assert!(here.get("/").await.body.contains("alice"), "still signed in here");
    // Whoever has come by this browser's cookie before is signed out as well.
    let thief = here.request(Method::GET, "/").header(COOKIE, old_cookie);
    assert!(!Answer::read(thief.send().await.unwrap()).await.body.contains("alice"));
    assert!(!elsewhere.get("/").await.body.contains("alice"), "signed out elsewhere");
    // Case 43.
    for tokens in tokens {
        assert_eq!(app.introspect(tokens.access_token()).await["active"], false);
        let refused = app.refresh(tokens.refresh_token(), &[]).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &"invalid_grant".into()));
    }
    // The old one is nobody's any more.
    for (password, status) in [(current.as_str(), 422), (NEW, 303)] {
        let page = elsewhere.get("/sign-in").await;
        let answer = elsewhere.submit(&page, &[("username", "alice"), ("password", password)]).await;
        assert_eq!(answer.status.as_u16(), status, "{password}");
    }
}

#[tokio::test]
async fn what_cannot_be_the_new_one_changes_nothing() {
    let server = Server::start().await;
    server.user("alice.example", &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice.example").await;
    let current = password_of("alice.example");
    let long = "x".repeat(5_000);
    for (current, new, again) in [
        (current.as_str(), NEW, "something else"),
        (&current, "short", "short"),
        (&current, "", ""),
        (&current, "Alice.Example", "Alice.Example"),
        (&current, &long, &long),
        ("wrong", NEW, NEW),
        ("", NEW, NEW),
    ] {
        let answer = browser.submit(&browser.get("/password").await, &fields(current, new, again)).await;
        assert_eq!(answer.status, 422, "{current} {new}");
        assert!(answer.has_id("problem"), "{current} {new}");
        let values = answer.form().1;
        assert!(!values.values().any(|value| value == NEW || value == current && !value.is_empty()));
    }
    assert_eq!(Browser::new(&server).sign_in("alice.example").await.status, 200);
}

#[tokio::test]
async fn the_current_one_cannot_be_guessed_through_an_open_session() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    let page = browser.get("/password").await;
    let mut last = String::new();
    for guess in 0..8 {
        let answer = browser.submit(&page, &fields(&format!("guess {guess}"), NEW, NEW)).await;
        last = answer.text_of("#problem strong");
    }
    assert_eq!(last, "Changing the password is paused for a moment.");
}

#[tokio::test]
async fn it_takes_a_session_and_its_own_form() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    assert_eq!(browser.get("/password").await.location().as_deref(), Some("/sign-in?return_to=password"));
    let current = password_of("alice");
    let posted = browser.post("/password", &fields(&current, NEW, NEW)).await;
    assert_eq!(posted.location().as_deref(), Some("/sign-in?return_to=password"));
    browser.sign_in("alice").await;
    let forged = browser.post("/password", &fields(&current, NEW, NEW)).await;
    assert_eq!(forged.text_of("#problem strong"), "This page had been open for a while.");
    let csrf_of_another_page = browser.get("/sign-out").await.form().1["csrf"].clone();
    let mut all = fields(&current, NEW, NEW).to_vec();
    all.push(("csrf", &csrf_of_another_page));
    assert_eq!(browser.post("/password", &all).await.status, 422);
}
