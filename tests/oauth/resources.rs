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

#[tokio::test]
async fn a_resource_is_a_string_at_every_endpoint_and_nothing_near_it() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let grants =
        ["authorization_code", "refresh_token", "client_credentials"].map(|grant| ["--grant", grant]);
    let app = RelyingParty::register(&server, &[&grants.concat()[..], &["--audience", MAIL]].concat());
    let browser = Browser::new(&server);
    // The audience is the address, letter by letter, as a client of the Model Context Protocol compares it.
    let tokens = app.sign_in(&browser, "alice", &[("resource", MAIL), ("resource", MAIL)]).await;
    assert_eq!(tokens.claims()["aud"], MAIL);
    let many: Vec<String> = (0..21).map(|number| format!("urn:{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let near: [&[&str]; 11] = [
        &["https://mail.example/mcp/"],
        &["https://mail.example/MCP"],
        &["https://MAIL.example/mcp"],
        &["HTTPS://mail.example/mcp"],
        &["https://mail.example:443/mcp"],
        &["https://mail.example/%6Dcp"],
        &["https://mail.example/./mcp"],
        &["https://mail.example/mcp?"],
        &["https://mail.example/mcp#"],
        &[MAIL, "mail"],
        &many,
    ];
    for near in near {
        let near = resources(near);
        let answer = browser.get(&app.authorize_path(&pkce().1, &near)).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("invalid_target"), "{near:?}");
        app.refresh(tokens.refresh_token(), &near).await.assert_refused(400, "invalid_target");
        let own = [vec![("grant_type", "client_credentials")], near].concat();
        app.token(&own).await.assert_refused(400, "invalid_target");
    }
    // None of it has used the refresh token up.
    assert_eq!(app.refresh(tokens.refresh_token(), &[]).await.tokens().claims()["aud"], MAIL);
}

#[tokio::test]
async fn what_clients_named_before_there_were_resource_servers_is_registered() {
    let (server, app, browser) = actors(&["--audience", NOTES, "--audience", MAIL]).await;
    let api = RelyingParty::register(&server, &["--resource-server", OTHER, "--resource-server", NOTES]);
    server.database.execute("DROP TABLE resource_servers").await;
    server.database.execute("DELETE FROM _sqlx_migrations WHERE version = 5").await;
    assert_eq!(server.cli(&["migrate"])["applied"], 1);
    let list = server.cli(&["resource-server", "list"]);
    let known: Vec<_> =
        list.as_array().unwrap().iter().map(|one| one["identifier"].as_str().unwrap()).collect();
    assert_eq!(known, [MAIL, NOTES, OTHER]);
    assert!(list.as_array().unwrap().iter().all(|one| one["scope"].is_null()), "{list}");
    assert_eq!(server.cli(&["resource-server", "show", NOTES])["introspected_by"], json!([api.client_id]));

    // A process of the release before goes on naming what it does not register.
    let name = format!("UPDATE clients SET audiences = '{{urn:new}}' WHERE client_id = '{}'", app.client_id);
    server.database.execute(&name).await;
    server.database.execute("UPDATE installation SET version = version + 1").await;
    server.change_arrives().await;
    let tokens = app.sign_in(&browser, "alice", &[("resource", "urn:new")]).await;
    assert_eq!((&tokens.claims()["aud"], tokens.scope()), (&json!("urn:new"), "openid profile"));
}
