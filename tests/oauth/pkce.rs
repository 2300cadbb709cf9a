//! PKCE (RFC 7636, RFC 9700 §2.1.1) at the authorization endpoint.

use super::assert_refused;
use crate::harness::{Browser, RelyingParty, Server, pkce};

#[tokio::test]
async fn only_a_confidential_client_may_be_let_off() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    // Case 12.
    let none = [("code_challenge", ""), ("code_challenge_method", ""), ("prompt", "none")];
    for (arguments, expected) in [
        (&["--public"][..], "invalid_request"),
        (&[], "invalid_request"),
        (&["--require-pkce", "false"], "login_required"),
    ] {
        let app = RelyingParty::register(&server, arguments);
        let answer = browser.get(&app.authorize_path("", &none)).await;
        assert_refused(&answer, &app.redirect_uri, expected, &format!("{arguments:?}"));
    }
    let refused = server.cli_output(
        &[
            "client",
            "create",
            "--name",
            "x",
            "--public",
            "--redirect-uri",
            "https://a.example/",
            "--require-pkce",
            "false",
        ],
        "",
    );
    assert_eq!(refused.status.code(), Some(1));
}

#[tokio::test]
async fn only_a_sha256_challenge_counts() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &["--require-pkce", "false"]);
    let browser = Browser::new(&server);
    let (verifier, challenge) = pkce();
    let padded = format!("{challenge}=");
    let standard_alphabet = format!("{}+", &challenge[..42]);
    // Case 13. A method that is left out means plain (RFC 7636 §4.3).
    for (challenge, method) in [
        (challenge.as_str(), "plain"),
        (&challenge, ""),
        (&challenge, "s256"),
        (&challenge, "S512"),
        (&challenge, "S256 plain"),
        (&challenge, "none"),
        (&challenge[..42], "S256"),
        (&padded, "S256"),
        (&standard_alphabet, "S256"),
        (&verifier.repeat(2), "S256"),
        ("", "S256"),
    ] {
        let more = [("code_challenge", challenge), ("code_challenge_method", method), ("prompt", "none")];
        let answer = browser.get(&app.authorize_path("", &more)).await;
        assert_refused(&answer, &app.redirect_uri, "invalid_request", &format!("{challenge} {method}"));
    }
}

#[tokio::test]
async fn a_code_with_a_challenge_needs_its_verifier() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &["--require-pkce", "false"]);
    let browser = Browser::new(&server);
    // Case 18: being let off PKCE does not let off who used it.
    let (code, verifier) = app.code(&browser, "alice", &[]).await;
    let downgraded = app.redeem(&code, "", &[("code_verifier", "")]).await;
    assert_eq!((downgraded.status.as_u16(), &downgraded.json()["error"]), (400, &"invalid_grant".into()));
    assert_eq!(app.redeem(&code, &verifier, &[]).await.status, 200);
}
