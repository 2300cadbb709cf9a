//! Token introspection (RFC 7662): who may ask, and what the answer tells.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Browser, RelyingParty, Server, claims_of};

const NOTES: &str = "https://notes.example/api";
const OTHER: &str = "https://other.example/api";

struct Actors {
    server: Server,
    app: RelyingParty,
    browser: Browser,
}

impl Actors {
    async fn new() -> Self {
        let server = Server::start().await;
        server.user("alice", &[]);
        let app = RelyingParty::register(&server, &["--audience", NOTES, "--audience", OTHER]);
        let browser = Browser::new(&server);
        Self { server, app, browser }
    }
}

#[tokio::test]
async fn the_answer_tells_what_the_token_tells() {
    let Actors { server, app, browser } = Actors::new().await;
    let tokens = app.sign_in(&browser, "alice", &[("resource", NOTES)]).await;
    let claims = tokens.claims();
    let answer = app.post("/introspect", &[("token", tokens.access_token())]).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = answer.json();
    assert_eq!((&answer["active"], &answer["token_type"]), (&json!(true), &json!("Bearer")));
    for claim in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "auth_time"] {
        assert_eq!(answer[claim], claims[claim], "{claim}");
    }
    assert_eq!(answer["iss"], server.issuer.as_str());

    let refresh = app.introspect(tokens.refresh_token()).await;
    assert_eq!((&refresh["active"], &refresh["sub"]), (&json!(true), &claims["sub"]));
    // RFC 7662 §2.2: `token_type` is that of an access token.
    assert!(refresh.get("token_type").is_none());
    let next = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert_eq!(app.introspect(tokens.refresh_token()).await, json!({"active": false}));
    assert_eq!(app.introspect(next.refresh_token()).await["active"], true);
}

#[tokio::test]
async fn only_the_client_and_the_api_of_the_audience_are_told() {
    let Actors { server, app, browser } = Actors::new().await;
    let notes = RelyingParty::register(&server, &["--resource-server", NOTES]);
    let both = RelyingParty::register(&server, &["--resource-server", NOTES, "--resource-server", OTHER]);
    let other = RelyingParty::register(&server, &["--resource-server", OTHER]);
    // May get tokens for the API, which does not make it the API.
    let neighbour = RelyingParty::register(&server, &["--audience", NOTES]);
    let near = RelyingParty::register(&server, &["--resource-server", "https://notes.example/api/"]);
    let stranger = RelyingParty::register(&server, &[]);

    let for_notes = app.sign_in(&browser, "alice", &[("resource", NOTES)]).await;
    for (who, told) in [(&app, true), (&notes, true), (&both, true)] {
        assert_eq!(who.introspect(for_notes.access_token()).await["active"], told);
    }
    for who in [&other, &neighbour, &near, &stranger] {
        // Case 45: and not a word more.
        assert_eq!(who.introspect(for_notes.access_token()).await, json!({"active": false}));
    }

    let for_all = app.sign_in(&browser, "alice", &[]).await;
    for who in [&app, &notes, &both, &other] {
        assert_eq!(who.introspect(for_all.access_token()).await["active"], true);
    }

    // A refresh token is its client's business alone.
    for who in [&notes, &both, &stranger] {
        assert_eq!(who.introspect(for_notes.refresh_token()).await, json!({"active": false}));
    }
}

#[tokio::test]
async fn no_answer_format_tells_a_stranger_more() {
    let Actors { server, app, browser } = Actors::new().await;
    let stranger = RelyingParty::register(&server, &[]);
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let ask = async |accept: &str, token: &str| {
        let request = browser
            .request(Method::POST, "/introspect")
            .basic_auth(&stranger.client_id, stranger.client_secret.as_deref())
            .header("accept", accept)
            .form(&[("token", token)]);
        Answer::read(request.send().await.unwrap()).await
    };
    // Cases 45 and 46.
    for token in [tokens.access_token(), tokens.refresh_token(), "x", ""] {
        for accept in ["application/json", "application/jwt", "text/html", "*/*"] {
            let answer = ask(accept, token).await;
            let said = (answer.status.as_u16(), answer.body.as_str());
            assert_eq!(said, (200, r#"{"active":false}"#), "{accept}");
        }
        // RFC 9701 §5: the same within a JWT.
        let signed = ask("application/token-introspection+jwt", token).await;
        assert_eq!(claims_of(&signed.body)["token_introspection"], json!({"active": false}));
    }
}

#[tokio::test]
async fn whoever_does_not_authenticate_is_told_nothing() {
    let Actors { server, app, browser } = Actors::new().await;
    let public = RelyingParty::register(&server, &["--public", "--audience", NOTES]);
    let of_public = public.sign_in(&browser, "alice", &[]).await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    // Case 44.
    for token in [tokens.access_token(), of_public.access_token(), "x"] {
        public.post("/introspect", &[("token", token)]).await.assert_refused(401, "invalid_client");
        browser.post("/introspect", &[("token", token)]).await.assert_refused(401, "invalid_client");
        // The token itself is no authentication, if it is to say whether it is one.
        let bearer =
            browser.request(Method::POST, "/introspect").bearer_auth(token).form(&[("token", token)]);
        Answer::read(bearer.send().await.unwrap()).await.assert_refused(401, "invalid_client");
    }
    let wrong = app.with_secret(Some("wrong"));
    wrong.post("/introspect", &[("token", "x")]).await.assert_refused(401, "invalid_client");
    app.post("/introspect", &[("token_type_hint", "access_token")])
        .await
        .assert_refused(400, "invalid_request");
}

#[tokio::test]
async fn a_token_in_the_address_is_refused() {
    let Actors { server: _server, app, browser } = Actors::new().await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    // Case 48.
    for path in ["/introspect", "/revoke"] {
        for name in ["token", "access_token"] {
            let path = format!("{path}?{name}={}", tokens.access_token());
            app.post(&path, &[]).await.assert_refused(400, "invalid_request");
        }
    }
    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
}

#[tokio::test]
async fn a_token_of_another_issuer_with_the_same_keys_is_inactive() {
    let Actors { server, app, browser } = Actors::new().await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let settings = crate::harness::Settings::default();
    let other = Server::start_on(server.database.clone(), settings).await;
    assert_ne!(other.issuer, server.issuer);
    assert_eq!(app.at(&other).introspect(tokens.access_token()).await, json!({"active": false}));
}

#[tokio::test]
async fn an_expired_token_is_inactive() {
    let settings = crate::harness::Settings::default().with("GRANTOR_TOKENS_ACCESS_TOKEN_LIFETIME", "1s");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    let app =
        RelyingParty::register(&server, &["--grant", "authorization_code", "--grant", "client_credentials"]);
    let tokens = app.sign_in(&Browser::new(&server), "alice", &[]).await;
    let own = app.token(&[("grant_type", "client_credentials")]).await.tokens();
    assert_eq!(tokens.0["expires_in"], 1);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    for tokens in [tokens, own] {
        assert_eq!(app.introspect(tokens.access_token()).await, json!({"active": false}));
    }
}
