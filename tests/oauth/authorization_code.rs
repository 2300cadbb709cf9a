//! The authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.6).

use std::time::Duration;

use crate::harness::{Browser, RelyingParty, Server, Settings, pkce};

async fn actors() -> (Server, RelyingParty, Browser) {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    (server, app, browser)
}

#[tokio::test]
async fn the_answer_to_the_client_carries_state_and_issuer() {
    let (server, app, browser) = actors().await;
    let (_, challenge) = pkce();
    let allowed = browser.authorize(&app.authorize_path(&challenge, &[]), "alice").await;
    let refused = browser.get(&app.authorize_path(&challenge, &[("response_type", "token")])).await;

    // Case 88: without `iss` in every answer a client could be led to send the code elsewhere (RFC 9207 §2).
    for answer in [&allowed, &refused] {
        assert_eq!(answer.parameter("iss").as_deref(), Some(server.issuer.as_str()));
        assert_eq!(answer.parameter("state").as_deref(), Some("st4te"));
    }
    assert!(allowed.parameter("code").is_some());
    assert_eq!(refused.parameter("error").as_deref(), Some("unsupported_response_type"));
}

#[tokio::test]
async fn a_code_of_another_client_is_no_grant_and_stays_good() {
    let (server, app, browser) = actors().await;
    let confidential = RelyingParty::register(&server, &[]);
    let public = RelyingParty::register(&server, &["--public"]);

    // Case 21, both ways; and case 26: the refused attempts use up and revoke nothing.
    for (owner, thieves) in [(&app, [&confidential, &public]), (&public, [&app, &confidential])] {
        let (code, verifier) = owner.code(&browser, "alice", &[]).await;
        for thief in thieves {
            thief.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
        }
        let tokens = owner.redeem(&code, &verifier, &[]).await.tokens();
        for thief in thieves {
            thief.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
        }
        assert_eq!(owner.refresh(tokens.refresh_token(), &[]).await.status, 200);
    }
}

#[tokio::test]
async fn the_redirect_uri_is_the_one_of_the_request_or_left_to_pkce() {
    let (_server, app, browser) = actors().await;
    let (code, verifier) = app.code(&browser, "alice", &[]).await;

    // Case 22.
    for other in ["https://app.example/callback/", "https://APP.example/callback", "https://evil.example/"] {
        let answer = app.redeem(&code, &verifier, &[("redirect_uri", other)]).await;
        answer.assert_refused(400, "invalid_grant");
    }
    // OAuth 2.1 §10.2: absent where PKCE binds the code.
    assert_eq!(app.redeem(&code, &verifier, &[("redirect_uri", "")]).await.status, 200);
}

#[tokio::test]
async fn the_verifier_must_fit_and_a_wrong_one_uses_nothing_up() {
    let (_server, app, browser) = actors().await;
    let (verifier, challenge) = pkce();
    let answer = browser.authorize(&app.authorize_path(&challenge, &[]), "alice").await;
    let code = answer.parameter("code").unwrap();
    let (other, _) = pkce();
    let (shorter, longer) = (&verifier[..verifier.len() - 1], format!("{verifier}A"));

    // Cases 18 and 23. The empty one is not sent at all.
    for wrong in
        ["", &other, shorter, &longer, &challenge, &verifier.to_lowercase(), "short", &"a".repeat(129)]
    {
        let answer = app.redeem(&code, &verifier, &[("code_verifier", wrong)]).await;
        answer.assert_refused(400, "invalid_grant");
    }
    assert_eq!(app.redeem(&code, &verifier, &[]).await.status, 200);
}

#[tokio::test]
async fn an_empty_verifier_is_none() {
    let (_server, app, browser) = actors().await;
    let (code, verifier) = app.code(&browser, "alice", &[]).await;
    let form = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", "")];
    app.token(&form).await.assert_refused(400, "invalid_grant");
    assert_eq!(app.redeem(&code, &verifier, &[]).await.status, 200);
}

#[tokio::test]
async fn without_pkce_the_redirect_uri_is_due_and_a_verifier_is_a_downgrade() {
    let (server, _, browser) = actors().await;
    let app = RelyingParty::register(&server, &["--require-pkce", "false"]);
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let (code, _) = app.code(&browser, "alice", &without).await;
    let (verifier, _) = pkce();

    let no_verifier = ("code_verifier", "");
    // Case 22, and RFC 9700 §4.8.2.
    app.redeem(&code, "", &[no_verifier, ("redirect_uri", "")]).await.assert_refused(400, "invalid_grant");
    app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
    assert_eq!(app.redeem(&code, "", &[no_verifier]).await.status, 200);
}

#[tokio::test]
async fn a_code_expires() {
    let server = Server::start_with(Settings::default().with("GRANTOR_TOKENS_CODE_LIFETIME", "1s")).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let (code, verifier) = app.code(&Browser::new(&server), "alice", &[]).await;

    tokio::time::sleep(Duration::from_millis(1_100)).await;
    // Case 24.
    app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_second_use_ends_what_the_first_gave() {
    let (_server, app, browser) = actors().await;
    let (code, verifier) = app.code(&browser, "alice", &[("scope", "openid offline_access")]).await;
    let first = app.redeem(&code, &verifier, &[]).await.tokens();
    let refreshed = app.refresh(first.refresh_token(), &[]).await.tokens();

    // Case 26: a second use that is refused for another reason revokes nothing …
    let (other, _) = pkce();
    app.redeem(&code, &other, &[]).await.assert_refused(400, "invalid_grant");
    app.redeem(&code, &verifier, &[("redirect_uri", "https://evil.example/")])
        .await
        .assert_refused(400, "invalid_grant");
    assert_eq!(app.introspect(first.access_token()).await["active"], true);

    // … and case 25: one that is otherwise valid ends all of it.
    app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
    for token in [first.access_token(), refreshed.access_token(), refreshed.refresh_token()] {
        assert_eq!(app.introspect(token).await, serde_json::json!({"active": false}));
    }
    app.refresh(refreshed.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn what_is_no_code_is_no_grant() {
    let (_server, app, browser) = actors().await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let (code, verifier) = app.code(&browser, "alice", &[]).await;
    let flipped = format!("{}{}", &code[..code.len() - 1], if code.ends_with('A') { "B" } else { "A" });
    let long = "a".repeat(5_000);
    let junk = ["x", "grc_", "grc_AAAA", "' OR 1=1 --", "%", "\u{fffd}", &long, &code[4..], &flipped];
    for junk in junk.into_iter().chain([tokens.refresh_token(), tokens.access_token()]) {
        app.redeem(junk, &verifier, &[]).await.assert_refused(400, "invalid_grant");
    }
    app.redeem("", &verifier, &[("code", "")]).await.assert_refused(400, "invalid_request");
    assert_eq!(app.redeem(&code, &verifier, &[]).await.status, 200);
}

#[tokio::test]
async fn a_client_without_the_refresh_grant_gets_no_refresh_token() {
    let (server, _, browser) = actors().await;
    let app = RelyingParty::register(&server, &["--grant", "authorization_code"]);
    let tokens = app.sign_in(&browser, "alice", &[("scope", "openid offline_access")]).await;
    assert!(tokens.0.get("refresh_token").is_none());
    assert!(tokens.0.get("refresh_token_expires_in").is_none());

    // A code that is used twice ends its tokens here too.
    let (code, verifier) = app.code(&browser, "alice", &[]).await;
    let tokens = app.redeem(&code, &verifier, &[]).await.tokens();
    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
    app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
    assert_eq!(app.introspect(tokens.access_token()).await["active"], false);
}

#[tokio::test]
async fn without_scope_the_default_is_granted() {
    let (server, _, browser) = actors().await;
    server.cli(&["scope", "create", "notes:read", "--description", "Read your notes"]);
    server.cli(&["scope", "create", "notes:all", "--description", "Read everybody's notes", "--restricted"]);
    let scopes = "openid profile offline_access notes:read notes:all";
    let app = RelyingParty::register(&server, &["--scope", scopes]);
    server.change_arrives().await;
    let tokens = app.sign_in(&browser, "alice", &[("scope", "")]).await;
    let mut given: Vec<_> = tokens.scope().split(' ').collect();
    given.sort_unstable();
    assert_eq!(given, ["notes:read", "openid", "profile"]);
}
