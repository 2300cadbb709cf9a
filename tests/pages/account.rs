//! The overview of the own account, and the way there over the sign-in page.

use crate::harness::{Answer, Browser, RelyingParty, Server, password_of, pkce};

#[tokio::test]
async fn it_says_who_is_signed_in_and_leads_to_everything() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    let start = browser.sign_in("alice").await;
    let page = browser.get(&start.attribute("#account", "href").unwrap()).await;
    let shown = page.text_of(".person");
    assert!(shown.contains("alice") && shown.contains("alice@example.com"), "{shown}");
    for (id, heading) in [
        ("sessions", "Where you are signed in"),
        ("apps", "Apps with access"),
        ("password", "Change your password"),
        ("sign-out", "Sign out?"),
    ] {
        let linked = browser.get(&page.attribute(&format!("#{id}"), "href").unwrap()).await;
        assert_eq!((linked.status.as_u16(), linked.text_of("h1").as_str()), (200, heading));
    }
    for path in ["/account/sessions", "/account/apps"] {
        assert_eq!(browser.get(path).await.attribute("#back", "href").as_deref(), Some("/account"));
    }
}

const PAGES: [(&str, &str); 5] = [
    ("/account", "/account"),
    ("/account/sessions", "/account/sessions"),
    ("/account/apps", "/account/apps"),
    ("/account/apps/withdraw?client_id=x", "/account/apps"),
    ("/password", "/password"),
];

#[tokio::test]
async fn whoever_is_not_signed_in_signs_in_first_and_goes_on() {
    let server = Server::start().await;
    server.user("alice", &[]);
    for (path, leads_to) in PAGES {
        let browser = Browser::new(&server);
        let sign_in = browser.follow(browser.get(path).await).await;
        assert!(!sign_in.body.contains("alice"));
        // Also after a mistake.
        let wrong = browser.submit(&sign_in, &[("username", "alice"), ("password", "wrong")]).await;
        let fields = [("username", "alice"), ("password", &*password_of("alice"))];
        let answer = browser.submit(&wrong, &fields).await;
        assert_eq!((answer.status.as_u16(), answer.location().as_deref()), (303, Some(leads_to)), "{path}");
        assert_eq!(browser.get(leads_to).await.status, 200);
        // And who comes by the link of the sign-in page later is there at once.
        assert_eq!(browser.get(&sign_in.url).await.location().as_deref(), Some(leads_to), "{path}");
    }
}

#[tokio::test]
async fn no_link_to_the_sign_in_page_leads_off() {
    let server = Server::start().await;
    server.user("alice", &[]);
    // Case 81.
    for evil in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/account",
        "javascript:alert(1)",
        "account/../../evil",
        "sessions%0d%0aSet-Cookie:a=b",
    ] {
        let browser = Browser::new(&server);
        let encoded: String = form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        let page = browser.get(&format!("/sign-in?return_to={encoded}")).await;
        assert!(!page.body.contains("evil") && !page.body.contains("return_to"), "{evil}: {}", page.body);
        // Nor does a form that somebody has filled in.
        let fields = [("username", "alice"), ("password", &*password_of("alice")), ("return_to", evil)];
        assert_eq!(browser.submit(&page, &fields).await.location().as_deref(), Some("/"), "{evil}");
        let link = browser.get(&format!("/sign-in?return_to={encoded}")).await;
        assert_eq!(link.location().as_deref(), Some("/"), "{evil}");
    }
}

#[tokio::test]
async fn an_app_that_waits_goes_first() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let page = browser.follow(browser.get(&app.authorize_path(&pkce().1, &[])).await).await;
    let fields = [("username", "alice"), ("password", &*password_of("alice")), ("return_to", "sessions")];
    let answer: Answer = browser.submit(&page, &fields).await;
    assert!(answer.location().unwrap().starts_with("/consent?request="), "{:?}", answer.location());
}

#[tokio::test]
async fn an_ill_made_form_changes_nothing_and_fails_nothing() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    for path in ["/account/sessions", "/account/apps/withdraw"] {
        for body in [
            "session=%00",
            "client_id=%00",
            "session=%zz",
            "client_id=%ff",
            "csrf=a&csrf=b",
            "session=a&session=b",
        ] {
            let request = browser.request(reqwest::Method::POST, path);
            let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
            let answer = Answer::read(request.send().await.unwrap()).await;
            assert!(answer.status.as_u16() < 500, "{path} {body}: {}", answer.status);
        }
    }
    assert!(browser.get("/account/apps/withdraw?client_id=%00").await.is_error_page());
    assert!(browser.get("/sign-in?return_to=apps&return_to=apps").await.is_error_page());
    assert_eq!(browser.get("/account").await.status, 200);
}
