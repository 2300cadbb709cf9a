//! The refresh token grant (RFC 6749 §6): what it gives, and that a refused request uses nothing up.

use crate::harness::{Browser, RelyingParty, Server, Settings, Tokens};

async fn actors(arguments: &[&str]) -> (Server, RelyingParty, Browser) {
    // Strict: whatever is used up is noticed at once.
    let strict = Settings::default().with("GRANTOR_TOKENS_REFRESH_REUSE_WINDOW", "0s");
    let server = Server::start_with(strict).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, arguments);
    let browser = Browser::new(&server);
    (server, app, browser)
}

#[tokio::test]
async fn each_use_gives_a_new_refresh_token_and_a_new_access_token() {
    for arguments in [&[][..], &["--public"]] {
        let (_server, app, browser) = actors(arguments).await;
        let first = app.sign_in(&browser, "alice", &[]).await;
        let second = app.refresh(first.refresh_token(), &[]).await.tokens();

        // Cases 37 and 42.
        assert_ne!(first.refresh_token(), second.refresh_token());
        assert_ne!(first.access_token(), second.access_token());
        assert!(second.refresh_token().starts_with("grr_"));
        assert_eq!(second.scope(), first.scope());
        let (first_claims, second_claims) = (first.claims(), second.claims());
        assert_ne!(first_claims["jti"], second_claims["jti"]);
        for claim in ["sub", "aud", "client_id", "scope", "auth_time", "iss"] {
            assert_eq!(first_claims[claim], second_claims[claim], "{claim}");
        }
        app.refresh(first.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_client_that_does_not_rotate_keeps_its_refresh_token() {
    let (server, app, browser) = actors(&["--rotate-refresh-tokens", "false"]).await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    for _ in 0..3 {
        let again = app.refresh(tokens.refresh_token(), &[]).await.tokens();
        assert_eq!(again.refresh_token(), tokens.refresh_token());
        assert_ne!(again.access_token(), tokens.access_token());
    }

    // From now on it rotates, and what it holds is the first of the new way.
    server.cli(&["client", "update", &app.client_id, "--rotate-refresh-tokens", "true"]);
    server.change_arrives().await;
    let next = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert_ne!(next.refresh_token(), tokens.refresh_token());
    app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    app.refresh(next.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");

    // A public client cannot be let off: nothing else binds its token to it.
    let public = ["client", "create", "--name", "X", "--public", "--redirect-uri", "https://x.example/cb"];
    let output = server.cli_output(&[&public[..], &["--rotate-refresh-tokens", "false"]].concat(), "");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn a_refused_request_uses_nothing_up() {
    let (server, app, browser) = actors(&["--scope", "openid profile email"]).await;
    let others = [RelyingParty::register(&server, &[]), RelyingParty::register(&server, &["--public"])];
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let token = tokens.refresh_token();

    // Case 36.
    let wrong = app.with_secret(Some("wrong"));
    wrong.refresh(token, &[]).await.assert_refused(401, "invalid_client");
    let silent = app.with_secret(None);
    silent.refresh(token, &[]).await.assert_refused(401, "invalid_client");
    for other in &others {
        other.refresh(token, &[]).await.assert_refused(400, "invalid_grant");
    }
    // Case 40: never asked for, though the client might have.
    for scope in ["openid email", "nonsense", "openid profile offline_access"] {
        app.refresh(token, &[("scope", scope)]).await.assert_refused(400, "invalid_scope");
    }
    app.refresh(token, &[("scope", "\"")]).await.assert_refused(400, "invalid_scope");
    app.refresh(token, &[("resource", "https://unknown.example")])
        .await
        .assert_refused(400, "invalid_target");
    app.refresh(token, &[("resource", "relative")]).await.assert_refused(400, "invalid_target");
    app.refresh(token, &[("refresh_token", token)]).await.assert_refused(400, "invalid_request");
    app.refresh("", &[]).await.assert_refused(400, "invalid_request");

    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
    app.refresh(token, &[]).await.tokens();
}

#[tokio::test]
async fn a_disabled_client_is_refused_and_its_token_lives_on() {
    let (server, app, browser) = actors(&[]).await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    server.cli(&["client", "update", &app.client_id, "--disable"]);
    // At once, though this process may still remember the client as it was; later by its own name.
    app.refresh(tokens.refresh_token(), &[]).await;
    server.change_arrives().await;
    app.refresh(tokens.refresh_token(), &[]).await.assert_refused(401, "invalid_client");
    server.cli(&["client", "update", &app.client_id, "--enable"]);
    server.change_arrives().await;
    app.refresh(tokens.refresh_token(), &[]).await.tokens();
}

#[tokio::test]
async fn a_narrower_scope_narrows_that_answer_alone() {
    let (_server, app, browser) = actors(&[]).await;
    let asked = "openid profile email";
    let tokens = app.sign_in(&browser, "alice", &[("scope", asked)]).await;

    let narrow = app.refresh(tokens.refresh_token(), &[("scope", "profile")]).await.tokens();
    assert_eq!((narrow.scope(), &narrow.claims()["scope"]), ("profile", &"profile".into()));
    assert_eq!(app.introspect(narrow.access_token()).await["scope"], "profile");
    assert_eq!(app.introspect(narrow.refresh_token()).await["scope"], asked);

    let wide = app.refresh(narrow.refresh_token(), &[]).await.tokens();
    assert_eq!(wide.scope(), asked);
}

#[tokio::test]
async fn the_original_scope_may_be_sent_again_also_where_less_was_granted() {
    let (server, _, browser) = actors(&[]).await;
    server.cli(&["scope", "create", "notes:all", "--description", "Read everybody's notes", "--restricted"]);
    let app = RelyingParty::register(&server, &["--scope", "openid offline_access notes:all"]);
    server.change_arrives().await;
    let asked = "openid offline_access notes:all";
    let tokens = app.sign_in(&browser, "alice", &[("scope", asked)]).await;
    assert_eq!(tokens.scope(), "openid offline_access");

    // Case 40: what was not granted is ignored, and `scope` says what was given.
    let again = app.refresh(tokens.refresh_token(), &[("scope", asked)]).await.tokens();
    assert_eq!(again.scope(), "openid offline_access");
    let empty = app.refresh(again.refresh_token(), &[("scope", "")]).await.tokens();
    assert_eq!(empty.scope(), "openid offline_access");
}

#[tokio::test]
async fn junk_and_forged_tokens_revoke_nothing() {
    let (_server, app, browser) = actors(&[]).await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let next = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    let genuine = next.refresh_token();

    for forged in forgeries(genuine).iter().chain(&forgeries(tokens.refresh_token())) {
        app.refresh(forged, &[]).await.assert_refused(400, "invalid_grant");
        assert_eq!(app.introspect(forged).await["active"], false, "{forged}");
        assert_eq!(app.revoke(forged).await.status, 200, "{forged}");
    }
    for junk in ["x", "grr_", "' OR 1=1", next.access_token(), &"a".repeat(5_000)] {
        app.refresh(junk, &[]).await.assert_refused(400, "invalid_grant");
    }
    app.refresh(genuine, &[]).await.tokens();
}

/// The token with each of its parts changed, and a checksum that fits again.
fn forgeries(token: &str) -> Vec<String> {
    use grantor::secret::{TokenKind, from_base64url};
    let bytes = from_base64url(token.strip_prefix("grr_").unwrap()).unwrap();
    let payload = &bytes[..bytes.len() - 4];
    // One byte of: the grant's id, the generation (its two ends), the secret, the tag.
    let mut forged: Vec<String> = [5, 16, 19, 20, 51, 52, payload.len() - 1]
        .into_iter()
        .map(|position| {
            let mut changed = payload.to_vec();
            changed[position] ^= 1;
            TokenKind::RefreshToken.encode(&changed).expose().clone()
        })
        .collect();
    forged.push(TokenKind::RefreshToken.encode(&payload[..payload.len() - 1]).expose().clone());
    forged.push(TokenKind::AuthorizationCode.encode(payload).expose().clone());
    forged.push(format!("{}A", token));
    forged.push(token[..token.len() - 1].to_owned());
    forged.push(token.replace("grr_", ""));
    forged
}

#[tokio::test]
async fn the_answer_says_how_long_the_refresh_token_can_be_used() {
    let settings = Settings::default()
        .with("GRANTOR_TOKENS_REFRESH_IDLE_LIFETIME", "1h")
        .with("GRANTOR_TOKENS_REFRESH_ABSOLUTE_LIFETIME", "2h");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    let browser = Browser::new(&server);
    let app = RelyingParty::register(&server, &[]);
    let shorter = RelyingParty::register(&server, &["--refresh-idle-lifetime", "30m"]);
    let expires_in = |tokens: &Tokens| tokens.0["refresh_token_expires_in"].as_u64().unwrap();
    for (client, seconds) in [(&app, 3_600), (&shorter, 1_800)] {
        let tokens = client.sign_in(&browser, "alice", &[]).await;
        assert!((seconds - 5..=seconds).contains(&expires_in(&tokens)), "{}", tokens.0);
        let refreshed = client.refresh(tokens.refresh_token(), &[]).await.tokens();
        assert!((seconds - 5..=seconds).contains(&expires_in(&refreshed)), "{}", refreshed.0);
    }

    // Near the grant's end it says what is left of that.
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    server.database.execute("UPDATE grants SET expires_at = clock_timestamp() + interval '100 s'").await;
    let last = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert!((90..=100).contains(&expires_in(&last)), "{}", last.0);
    assert!((90..=100).contains(&last.0["expires_in"].as_u64().unwrap()), "{}", last.0);

    // A repeated answer says what is left of the life that began with the first one.
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let first = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    let ending = "UPDATE grants SET idle_expires_at = clock_timestamp() + interval '100 s'";
    server.database.execute(ending).await;
    let again = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert_eq!(again.refresh_token(), first.refresh_token());
    assert!((90..=100).contains(&expires_in(&again)), "{}", again.0);
}
