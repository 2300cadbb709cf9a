//! Resource indicators (RFC 8707): whom an access token is for.

use serde_json::{Value, json};

use crate::harness::{Browser, RelyingParty, Server, pkce};

const NOTES: &str = "https://notes.example/api";
const MAIL: &str = "https://mail.example/mcp";
const OTHER: &str = "https://other.example";

async fn actors(arguments: &[&str]) -> (Server, RelyingParty, Browser) {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, arguments);
    let browser = Browser::new(&server);
    (server, app, browser)
}

fn resources<'a>(named: &[&'a str]) -> Vec<(&'static str, &'a str)> {
    named.iter().map(|resource| ("resource", *resource)).collect()
}

/// The `aud` of this answer's access token; an error's code otherwise.
fn audience(answer: &crate::harness::Answer) -> Value {
    if answer.status == 200 {
        answer.tokens().claims()["aud"].clone()
    } else {
        answer.json()["error"].clone()
    }
}

#[tokio::test]
async fn a_token_is_for_what_was_asked_else_for_what_was_granted() {
    let (_server, app, browser) = actors(&["--audience", NOTES, "--audience", MAIL]).await;
    let refused = json!("invalid_target");
    // At the authorization, at the code's redemption, at the refresh; the two audiences that follow.
    type Row<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str], Value, Value);
    let table: [Row<'_>; 8] = [
        (&[], &[], &[], json!([NOTES, MAIL]), json!([NOTES, MAIL])),
        (&[NOTES], &[], &[], json!(NOTES), json!(NOTES)),
        (&[NOTES, MAIL], &[], &[], json!([NOTES, MAIL]), json!([NOTES, MAIL])),
        // The code's answer narrows itself alone.
        (&[NOTES, MAIL], &[MAIL], &[], json!(MAIL), json!([NOTES, MAIL])),
        (&[NOTES, MAIL], &[MAIL], &[NOTES], json!(MAIL), json!(NOTES)),
        (&[], &[NOTES], &[MAIL], json!(NOTES), json!(MAIL)),
        // Never more than the person was asked for.
        (&[NOTES], &[NOTES], &[MAIL], json!(NOTES), refused.clone()),
        (&[NOTES], &[NOTES, NOTES], &[NOTES, OTHER], json!(NOTES), refused),
    ];
    for (authorized, redeemed, refreshed, first, second) in table {
        let row = format!("{authorized:?} {redeemed:?} {refreshed:?}");
        let (code, verifier) = app.code(&browser, "alice", &resources(authorized)).await;
        let answer = app.redeem(&code, &verifier, &resources(redeemed)).await;
        assert_eq!(audience(&answer), first, "{row}");
        let refresh = app.refresh(answer.tokens().refresh_token(), &resources(refreshed)).await;
        assert_eq!(audience(&refresh), second, "{row}");
    }
}

#[tokio::test]
async fn a_refused_resource_uses_the_code_not_up() {
    let (_server, app, browser) = actors(&["--audience", NOTES, "--audience", MAIL]).await;
    let (code, verifier) = app.code(&browser, "alice", &[("resource", NOTES)]).await;
    for wrong in [MAIL, OTHER, "relative", "https://notes.example/api#x", "https://notes.example/api/", ""] {
        let wrong = [("resource", wrong), ("resource", if wrong.is_empty() { OTHER } else { wrong })];
        app.redeem(&code, &verifier, &wrong).await.assert_refused(400, "invalid_target");
    }
    assert_eq!(audience(&app.redeem(&code, &verifier, &[]).await), json!(NOTES));
}

#[tokio::test]
async fn an_unregistered_resource_is_told_to_the_client_before_anybody_signs_in() {
    let (_server, app, browser) = actors(&["--audience", NOTES]).await;
    let (_, challenge) = pkce();
    for wrong in [OTHER, "relative", "https://notes.example/api#x", "https://notes.example/api?x"] {
        let answer = browser.get(&app.authorize_path(&challenge, &[("resource", wrong)])).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("invalid_target"), "{wrong}");
        assert!(answer.location().unwrap().starts_with(&app.redirect_uri));
    }
}

#[tokio::test]
async fn without_audiences_a_token_is_for_the_issuer() {
    let (server, app, browser) = actors(&[]).await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    assert_eq!(tokens.claims()["aud"], server.issuer.as_str());
    let issuer = [("resource", server.issuer.as_str())];
    app.refresh(tokens.refresh_token(), &issuer).await.assert_refused(400, "invalid_target");
}

#[tokio::test]
async fn a_client_acting_for_itself_names_resources_too() {
    let grant = ["--grant", "client_credentials", "--audience", NOTES, "--audience", MAIL];
    let (_server, app, _) = actors(&grant).await;
    let table = [
        (&[][..], json!([NOTES, MAIL])),
        (&[MAIL], json!(MAIL)),
        (&[MAIL, NOTES], json!([MAIL, NOTES])),
        (&[OTHER], json!("invalid_target")),
        (&[NOTES, OTHER], json!("invalid_target")),
    ];
    for (asked, expected) in table {
        let form = [vec![("grant_type", "client_credentials")], resources(asked)].concat();
        assert_eq!(audience(&app.token(&form).await), expected, "{asked:?}");
    }
}

#[tokio::test]
async fn an_audience_taken_from_the_client_is_gone_at_the_next_refresh() {
    let (server, app, browser) = actors(&["--audience", NOTES, "--audience", MAIL]).await;
    let both = app.sign_in(&browser, "alice", &resources(&[NOTES, MAIL])).await;
    let mail = app.sign_in(&browser, "alice", &resources(&[MAIL])).await;
    server.cli(&["client", "update", &app.client_id, "--audience", NOTES]);
    server.change_arrives().await;
    let refreshed = app.refresh(both.refresh_token(), &[]).await;
    assert_eq!(audience(&refreshed), json!(NOTES));
    // Never silently for somebody else instead.
    app.refresh(mail.refresh_token(), &[]).await.assert_refused(400, "invalid_target");
}
