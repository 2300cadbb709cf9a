//! Where an answer may go (RFC 6749 §3.1.2, RFC 9700 §4.1): exactly where it was registered, and nothing tells
//! a browser to go anywhere else.

use super::{assert_error_page, assert_refused};
use crate::harness::{Browser, RelyingParty, Server, pkce};

const REGISTERED: &str = "https://app.example/cb";

// Cases 1 to 8.
const EVIL: &[&str] = &[
    // Another host.
    "https://evil.example/cb",
    "https://app.example.evil.example/cb",
    // Something more, something less, another port, another scheme.
    "https://app.example/cb/evil",
    "https://app.example/cbevil",
    "https://app.example/cb/",
    "https://app.example/",
    "https://app.example:8443/cb",
    "https://app.example:443/cb",
    "http://app.example/cb",
    "HTTPS://APP.EXAMPLE/cb",
    // Nothing is normalised.
    "https://app.example/cb/../evil",
    "https://app.example/cb/%2e%2e/evil",
    "https://app.example/cb/..;/evil",
    "https://app.example/cb/%252e%252e/evil",
    "https://app.example/x/../cb",
    "https://app.example//cb",
    "https://app.example/%63b",
    // User information.
    "https://app.example@evil.example/cb",
    "https://evil.example@app.example/cb",
    "https://a@@app.example/cb",
    // Fragment and query.
    "https://app.example/cb#",
    "https://app.example/cb#x",
    "https://app.example/cb?",
    "https://app.example/cb?code=attacker",
    // Odd characters.
    "https:\\\\app.example\\cb",
    "https://app.example/cb\t",
    "https://app.example/cb\r\nSet-Cookie: a=b",
    "https://app.example/cb\0",
    " https://app.example/cb",
    "https://app.example/cb ",
    "https://app.example\u{ff0f}cb",
    "https://app\u{3002}example/cb",
    "https://\u{430}pp.example/cb",
    "http://[::ffff:127.0.0.1]/cb",
    "http://2130706433/cb",
    // A loopback name is a name.
    "http://localhost.evil.example/cb",
    "http://localhost/cb",
    // Not a place at all.
    "javascript:alert(1)",
    "data:text/html,x",
    "https://*.example/cb",
    "/cb",
    "//app.example/cb",
    "cb",
];

#[tokio::test]
async fn nothing_but_the_registered_uri_gets_an_answer() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &["--redirect-uri", REGISTERED]);
    let browser = Browser::new(&server);
    let (_, challenge) = pkce();
    for evil in EVIL {
        let path = app.authorize_path(&challenge, &[("redirect_uri", evil)]);
        assert_error_page(&browser.get(&path).await, evil);
        // Also where the request has another fault that a redirect would tell.
        let faulty = format!("{path}&response_type=token&prompt=none");
        assert_error_page(&browser.get(&faulty).await, evil);
    }
}

#[tokio::test]
async fn a_native_app_chooses_its_port_on_the_loopback_host_that_it_registered() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    let (_, challenge) = pkce();
    // RFC 8252 §7.3. Case 7.
    for (registered, presented, accepted) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true),
        ("http://127.0.0.1:8080/cb", "http://127.0.0.1:51004/cb", true),
        ("http://[::1]/cb", "http://[::1]:51004/cb", true),
        ("http://localhost/cb", "http://localhost:51004/cb", true),
        ("http://127.0.0.1/cb", "http://localhost:51004/cb", false),
        ("http://localhost/cb", "http://127.0.0.1:51004/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.2:51004/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb/evil", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004@evil.example/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example:51004/cb", false),
        ("http://127.0.0.1/cb", "https://127.0.0.1:51004/cb", false),
        ("com.example.app:/cb", "com.example.app:/cb", true),
        ("com.example.app:/cb", "com.example.app:/cb2", false),
    ] {
        let app = RelyingParty::register(&server, &["--public", "--redirect-uri", registered]);
        let path = app.authorize_path(&challenge, &[("redirect_uri", presented), ("prompt", "none")]);
        let answer = browser.get(&path).await;
        match accepted {
            true => assert_refused(&answer, presented, "login_required", presented),
            false => assert_error_page(&answer, presented),
        }
    }
}

#[tokio::test]
async fn a_web_apps_port_on_loopback_is_as_exact_as_everything_else() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &["--redirect-uri", "http://127.0.0.1:3000/cb"]);
    let path = app.authorize_path(&pkce().1, &[("redirect_uri", "http://127.0.0.1:3001/cb")]);
    assert_error_page(&Browser::new(&server).get(&path).await, "another port");
}

#[tokio::test]
async fn it_may_be_left_out_where_exactly_one_is_registered_and_openid_is_not_asked_for() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    let (_, challenge) = pkce();
    let one = RelyingParty::register(&server, &["--redirect-uri", REGISTERED]);
    let two = RelyingParty::register(
        &server,
        &["--redirect-uri", REGISTERED, "--redirect-uri", "https://app.example/other"],
    );
    // Case 9.
    for (app, scope, accepted) in [
        (&one, "profile", true),
        (&one, "", true),
        (&one, "openid profile", false),
        (&one, "profile openid", false),
        (&two, "profile", false),
        (&two, "", false),
    ] {
        let more = [("redirect_uri", ""), ("scope", scope), ("prompt", "none")];
        let answer = browser.get(&app.authorize_path(&challenge, &more)).await;
        match accepted {
            true => assert_refused(&answer, REGISTERED, "login_required", scope),
            false => assert_error_page(&answer, scope),
        }
    }
}

#[tokio::test]
async fn a_code_for_a_request_without_redirect_uri_goes_to_the_only_one() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &["--redirect-uri", REGISTERED]);
    let browser = Browser::new(&server);
    let (code, verifier) = app.code(&browser, "alice", &[("redirect_uri", ""), ("scope", "profile")]).await;
    let answer = app.redeem(&code, &verifier, &[("redirect_uri", "")]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn who_asks_and_where_to_answer_stand_once_and_exist() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &["--redirect-uri", REGISTERED]);
    let browser = Browser::new(&server);
    let (_, challenge) = pkce();
    let usual = app.authorize_path(&challenge, &[]);
    // Case 10: never to the one of them that is evil, in either order.
    for repeated in [
        format!("{usual}&redirect_uri=https%3A%2F%2Fevil.example%2Fcb"),
        usual.replace("?", "?redirect_uri=https%3A%2F%2Fevil.example%2Fcb&"),
        format!("{usual}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"),
        format!("{usual}&redirect_uri="),
        format!("{usual}&client_id={}", app.client_id),
        format!("{usual}&client_id=other"),
    ] {
        assert_error_page(&browser.get(&repeated).await, &repeated);
    }
    // Case 11.
    let long = "a".repeat(4096);
    for odd in ["", "unknown", "' OR '1'='1", "*", "../../etc/passwd", "\u{0}", "a\u{0}b", "%", &long] {
        let answer = browser.get(&app.authorize_path(&challenge, &[("client_id", odd)])).await;
        assert_error_page(&answer, odd);
    }
    for unreadable in ["%ff", "%zz", "%", "%ED%A0%80", "%00"] {
        let path = usual.replace(&app.client_id, unreadable);
        assert_error_page(&browser.get(&path).await, unreadable);
    }
}

#[tokio::test]
async fn a_client_that_is_switched_off_gets_no_answer_at_all() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let path = app.authorize_path(&pkce().1, &[("prompt", "none")]);
    assert_eq!(browser.get(&path).await.status, 303);
    server.cli(&["client", "update", &app.client_id, "--disable"]);
    server.change_arrives().await;
    assert_error_page(&browser.get(&path).await, "disabled");
}

#[tokio::test]
async fn a_request_under_way_ends_when_its_redirect_uri_is_taken_back() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &["--redirect-uri", REGISTERED]);
    let browser = Browser::new(&server);
    let sign_in = browser.follow(browser.get(&app.authorize_path(&pkce().1, &[])).await).await;
    server.cli(&["client", "update", &app.client_id, "--redirect-uri", "https://app.example/moved"]);
    server.change_arrives().await;
    let fields = [("username", "alice"), ("password", "correct horse alice")];
    assert_error_page(&browser.submit(&sign_in, &fields).await, "taken back");
}
