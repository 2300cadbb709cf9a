//! The one-time link with which a person sets a password. Case 66.

use std::time::Duration;

use crate::harness::{Browser, RelyingParty, Server};

const NEW: [(&str, &str); 2] =
    [("new_password", "a fresh battery staple"), ("new_password_again", "a fresh battery staple")];

/// The link that an operator makes.
fn link(server: &Server, name: &str, more: &[&str]) -> String {
    let made = server.cli(&[&["user", "set-password", name, "--link"], more].concat());
    made["link"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_works_once_and_ends_sessions_and_grants() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let (signed_in, mail) = (Browser::new(&server), Browser::new(&server));
    let tokens = app.sign_in(&signed_in, "alice", &[("scope", "openid offline_access")]).await;
    let link = link(&server, "alice", &[]);
    assert!(link.starts_with(&format!("{}/password/set?token=", server.issuer)), "{link}");
    // Mail programs look at links: that uses nothing up.
    for _ in 0..2 {
        assert_eq!(mail.get(&link).await.form().1["username"], "alice");
    }
    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);

    let page = mail.get(&link).await;
    // A password that cannot be one does not use it up either.
    for refused in ["short", "alice@example.com"] {
        let fields = [("new_password", refused), ("new_password_again", refused)];
        assert_eq!(mail.submit(&page, &fields).await.status, 422, "{refused}");
    }
    assert_eq!(mail.submit(&page, &NEW).await.text_of("h1"), "Your password is set");
    assert!(!signed_in.get("/").await.body.contains("alice"), "signed out");
    assert!(!mail.get("/").await.body.contains("alice"), "nobody is signed in by a link");
    assert_eq!(app.introspect(tokens.access_token()).await["active"], false);
    assert_eq!(app.refresh(tokens.refresh_token(), &[]).await.status, 400);
    let sign_in = mail.get("/sign-in").await;
    let fields = [("username", "alice"), ("password", NEW[0].1)];
    assert_eq!(mail.submit(&sign_in, &fields).await.status, 303);

    assert!(mail.get(&link).await.is_error_page(), "used");
    assert!(mail.submit(&page, &NEW).await.is_error_page(), "used");
}

#[tokio::test]
async fn of_twenty_at_once_one_sets_the_password() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    let page = browser.get(&link(&server, "alice", &[])).await;
    let uses = (0..20).map(|number| {
        let (browser, page) = (browser.clone(), page.clone());
        tokio::spawn(async move {
            let new = format!("battery staple number {number}");
            let fields = [("new_password", new.as_str()), ("new_password_again", &new)];
            browser.submit(&page, &fields).await
        })
    });
    let uses: Vec<_> = uses.collect();
    let mut set = 0;
    for answer in uses {
        let answer = answer.await.unwrap();
        assert!(answer.status.as_u16() < 500 || answer.status == 503, "{}", answer.body);
        set += usize::from(answer.status == 200);
    }
    assert_eq!(set, 1);
}

#[tokio::test]
async fn it_ends_by_time_by_a_newer_one_and_with_the_account() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    let short = link(&server, "alice", &["--expires-in", "1s"]);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(browser.get(&short).await.is_error_page(), "expired");
    let older = link(&server, "alice", &[]);
    let newer = link(&server, "alice", &[]);
    assert!(browser.get(&older).await.is_error_page(), "a newer one exists");
    let page = browser.get(&newer).await;
    server.cli(&["user", "disable", "alice"]);
    assert!(browser.submit(&page, &NEW).await.is_error_page(), "disabled");
}

#[tokio::test]
async fn it_is_bound_to_its_account_and_to_the_form_of_this_browser() {
    let server = Server::start().await;
    for name in ["alice", "mallory"] {
        server.user(name, &[]);
    }
    let (mallory, other) = (Browser::new(&server), Browser::new(&server));
    let link = link(&server, "mallory", &[]);
    let page = mallory.get(&link).await;
    // The name in the form is for password managers only.
    let fields = [NEW[0], NEW[1], ("username", "alice")];
    // Another browser's form is shown again.
    let again = other.submit(&page, &fields).await;
    assert_eq!((again.status.as_u16(), again.form().1["username"].as_str()), (422, "mallory"));
    assert_eq!(mallory.submit(&page, &fields).await.status, 200);
    assert_eq!(Browser::new(&server).sign_in("alice").await.status, 200, "Alice's password is as it was");
    for token in ["", "x", "grst_", &"A".repeat(60), "' OR 1=1 --"] {
        let query: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
        assert!(mallory.get(&format!("/password/set?token={query}")).await.is_error_page(), "{token}");
    }
}
