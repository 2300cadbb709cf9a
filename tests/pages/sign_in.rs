//! Signing in: who gets a session, and who does not.

use std::time::Instant;

use reqwest::Method;

use crate::harness::{Answer, Browser, Server, Settings, password_of};

const NOT_RECOGNIZED: &str = "That username and password did not match.";

#[tokio::test]
async fn only_the_right_password_gives_a_session() {
    let settings = Settings::default().with("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    let right = password_of("alice");
    let (long, long_name) = ("x".repeat(5_000), "a".repeat(10_000));
    // Case 56. Each from an address of its own, since an address may not guess for long.
    for (number, (name, password)) in [
        ("alice", ""),
        ("alice", "wrong"),
        ("alice", &right[..right.len() - 1]),
        ("alice", &format!("{right}x")),
        ("alice", &right.to_uppercase()),
        ("alice", &long),
        ("", &right),
        ("bob", &right),
        ("alice' --", &right),
        ("' OR '1'='1", "' OR '1'='1"),
        ("alice%", &right),
        (&long_name, &right),
        (&format!("alice{}", " ".repeat(400)), "wrong"),
    ]
    .into_iter()
    .enumerate()
    {
        let browser = Browser::from_address(&server, &format!("192.0.2.{number}"));
        let page = browser.get("/sign-in").await;
        let answer = browser.submit(&page, &[("username", name), ("password", password)]).await;
        assert_eq!(answer.status, 422, "{name} {password}");
        assert_eq!(answer.text_of("#problem strong"), NOT_RECOGNIZED, "{name} {password}");
        assert!(answer.cookies().is_empty(), "{name} {password}");
        assert_eq!(answer.form().1["password"], "", "a password is never shown");
        assert!(!signed_in(&browser).await, "{name} {password}");
    }
    // Control characters are no text of a form.
    let browser = Browser::new(&server);
    let page = browser.get("/sign-in").await;
    let answer = browser.submit(&page, &[("username", "ali\0ce"), ("password", &right)]).await;
    assert!(answer.is_error_page());
    // And the name's case does not matter.
    let page = browser.get("/sign-in").await;
    let answer = browser.submit(&page, &[("username", "ALICE"), ("password", &right)]).await;
    assert_eq!(answer.status, 303);
    assert!(signed_in(&browser).await);
}

async fn signed_in(browser: &Browser) -> bool {
    browser.get("/sign-out").await.has_id("logout-confirm")
}

#[tokio::test]
async fn a_disabled_person_and_one_without_password_are_not_recognized_either() {
    let server = Server::start().await;
    server.user("alice", &[]);
    server.cli(&["user", "disable", "alice"]);
    server.cli(&["user", "create", "--username", "bob", "--email", "bob@example.com"]);
    let browser = Browser::new(&server);
    for (name, password) in [("alice", password_of("alice")), ("bob", String::new())] {
        let page = browser.get("/sign-in").await;
        let answer = browser.submit(&page, &[("username", name), ("password", &password)]).await;
        assert_eq!((answer.status.as_u16(), answer.cookies().len()), (422, 0), "{name}");
        assert_eq!(answer.text_of("#problem strong"), NOT_RECOGNIZED, "{name}");
    }
}

#[tokio::test]
async fn nobody_learns_which_names_exist() {
    let settings = Settings::default()
        .with("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1")
        .with("GRANTOR_PASSWORDS_MEMORY_KIB", "19456");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    // A hash of today's cost, as a sign-in leaves it.
    Browser::from_address(&server, "192.0.2.200").sign_in("alice").await;
    // Case 63.
    let mut times = [Vec::new(), Vec::new()];
    let mut texts = [String::new(), String::new()];
    for round in 0..15 {
        for (which, name) in ["alice", "nobody"].into_iter().enumerate() {
            let browser = Browser::from_address(&server, &format!("192.0.2.{round}"));
            let page = browser.get("/sign-in").await;
            let started = Instant::now();
            let answer = browser.submit(&page, &[("username", name), ("password", "wrong")]).await;
            times[which].push(started.elapsed());
            assert_eq!(answer.status, 422, "{name}");
            let csrf = &answer.form().1["csrf"];
            texts[which] = answer.body.replace(csrf.as_str(), "").replace(name, "");
        }
    }
    assert_eq!(texts[0], texts[1]);
    // The quickest of each: what a busy machine adds says nothing, and a hash is in every one of them.
    let [wrong, unknown] = times.map(|times| times.into_iter().min().unwrap());
    assert!(wrong < 2 * unknown && unknown < 2 * wrong, "wrong password {wrong:?}, unknown {unknown:?}");
}

#[tokio::test]
async fn another_site_cannot_sign_a_person_in_as_somebody_else() {
    let server = Server::start().await;
    for name in ["mallory", "victim"] {
        server.user(name, &[]);
    }
    let (mallory, victim) = (Browser::new(&server), Browser::new(&server));
    let (_, mut form) = mallory.get("/sign-in").await.form();
    form.insert("username".to_owned(), "mallory".to_owned());
    form.insert("password".to_owned(), password_of("mallory"));
    // Case 60: the complete form of the attacker, whether the victim has been here before or not.
    for visited in [false, true] {
        if visited {
            victim.get("/sign-in").await;
        }
        let request = victim.request(Method::POST, "/sign-in").form(&form);
        let answer = Answer::read(request.send().await.unwrap()).await;
        assert_eq!(answer.status, 403, "visited: {visited}");
        assert!(!answer.cookies().iter().any(|cookie| cookie.starts_with("grantor_session")));
        assert!(!signed_in(&victim).await);
        for (header, value) in
            [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
        {
            let request = victim.request(Method::POST, "/sign-in").header(header, value).form(&form);
            let answer = Answer::read(request.send().await.unwrap()).await;
            assert!(answer.is_error_page() && answer.status == 403, "{header}: {value}");
        }
    }
    // In the attacker's own browser it works: it was the binding that stopped it.
    assert_eq!(mallory.post("/sign-in", &[]).await.status, 403);
    let answer = mallory.request(Method::POST, "/sign-in").form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 303);
}

#[tokio::test]
async fn a_form_that_was_left_open_keeps_the_request_and_the_name() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = crate::harness::RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let path = app.authorize_path(&crate::harness::pkce().1, &[]);
    let page = browser.follow(browser.get(&path).await).await;
    let fields = [("csrf", "stale"), ("username", "alice"), ("password", "correct horse alice")];
    let again = browser.submit(&page, &fields).await;
    assert_eq!((again.status.as_u16(), again.form().1["username"].as_str()), (403, "alice"));
    assert!(browser.sign_in_on(&again, "alice").await.has_id("consent-allow"));
}
