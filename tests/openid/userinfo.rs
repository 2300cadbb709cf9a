//! UserInfo (OpenID Connect Core §5.3), by the rules of bearer tokens (RFC 6750).

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Browser, RelyingParty, Server, Settings, jwt};

pub async fn server() -> (Server, String) {
    let server = Server::start().await;
    let ada = server.user("ada", &[]);
    let claims = [
        "name=Ada Lovelace",
        "given_name=Ada",
        "locale=en-GB",
        "phone_number=+44 20 7946 0000",
        r#"address={"country":"GB"}"#,
    ];
    let claims: Vec<&str> = claims.iter().flat_map(|claim| ["--claim", claim]).collect();
    server.cli(&[&["user", "update", "ada", "--email-verified", "true"], &claims[..]].concat());
    (server, ada)
}

/// A client that may ask for all standard claims.
pub fn app(server: &Server, more: &[&str]) -> RelyingParty {
    let scope = ["--scope", "openid profile email phone address offline_access"];
    RelyingParty::register(server, &[&scope, more].concat())
}

/// UserInfo by GET and the header `Authorization`.
pub async fn userinfo(server: &Server, token: &str) -> Answer {
    let request = Browser::new(server).request(Method::GET, "/userinfo").bearer_auth(token);
    Answer::read(request.send().await.unwrap()).await
}

/// The claims that UserInfo tells, without `updated_at`.
pub async fn told(server: &Server, token: &str) -> Value {
    let answer = userinfo(server, token).await;
    assert_eq!(answer.status, 200, "{} {:?}", answer.body, answer.headers);
    let mut told = answer.json();
    told.as_object_mut().unwrap().remove("updated_at");
    told
}

/// RFC 6750 §3: status, code in body and challenge, and nothing of the person.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.json()["error"], error);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with(&format!("Bearer realm=\"grantor\", error=\"{error}\"")), "{challenge}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(!answer.body.contains("sub"), "{}", answer.body);
}

#[tokio::test]
async fn each_scope_tells_its_claims() {
    let (server, ada) = server().await;
    let (app, browser) = (app(&server, &[]), Browser::new(&server));
    for (scope, more) in [
        ("openid", json!({})),
        (
            "openid profile",
            json!({
                "name": "Ada Lovelace", "given_name": "Ada", "locale": "en-GB", "preferred_username": "ada",
            }),
        ),
        ("openid email", json!({ "email": "ada@example.com", "email_verified": true })),
        ("openid phone", json!({ "phone_number": "+44 20 7946 0000", "phone_number_verified": false })),
        ("openid address", json!({ "address": { "country": "GB" } })),
    ] {
        let tokens = app.sign_in(&browser, "ada", &[("scope", scope)]).await;
        let mut expected = json!({ "sub": ada });
        expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(told(&server, tokens.access_token()).await, expected, "{scope}");
        // OpenID Connect Core §5.4: with the code flow they are not in the ID token.
        let claims = crate::harness::claims_of(tokens.0["id_token"].as_str().unwrap());
        assert!(["name", "email", "phone_number", "address"].iter().all(|name| claims.get(name).is_none()));
    }
    let tokens = app.sign_in(&browser, "ada", &[("scope", "openid profile")]).await;
    let answer = userinfo(&server, tokens.access_token()).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.json()["updated_at"].as_i64().unwrap() > 1_700_000_000);
    // What is changed is told by the next answer.
    server.cli(&["user", "update", "ada", "--claim", "name=Ada King", "--claim", "locale="]);
    let told = told(&server, tokens.access_token()).await;
    assert_eq!((&told["name"], told.get("locale")), (&json!("Ada King"), None));
}

#[tokio::test]
async fn the_token_comes_in_the_header_or_in_the_form_of_a_post() {
    let (server, ada) = server().await;
    let (app, browser) = (app(&server, &["--public"]), Browser::new(&server));
    let tokens = app.sign_in(&browser, "ada", &[]).await;
    let token = tokens.access_token();
    let http = Browser::new(&server);
    let send = async |request: reqwest::RequestBuilder| Answer::read(request.send().await.unwrap()).await;
    let post = || http.request(Method::POST, "/userinfo");
    let lower = format!("bearer {token}");
    for request in [
        http.request(Method::GET, "/userinfo").bearer_auth(token),
        http.request(Method::GET, "/userinfo").header("authorization", lower),
        post().bearer_auth(token),
        post().bearer_auth(token).form(&[("other", "1")]),
        post().form(&[("access_token", token)]),
    ] {
        assert_eq!(send(request).await.json()["sub"], ada.as_str());
    }
    assert_eq!(send(http.request(Method::HEAD, "/userinfo").bearer_auth(token)).await.status, 200);

    // RFC 6750 §2: one way at a time.
    let twice = [("access_token", token), ("access_token", token)];
    for request in [
        post().bearer_auth(token).form(&[("access_token", token)]),
        post().form(&twice),
        http.request(Method::GET, "/userinfo")
            .bearer_auth(token)
            .header("authorization", format!("Bearer {token}")),
    ] {
        assert_refused(&send(request).await, 400, "invalid_request");
    }
    // Case 48.
    let path = format!("/userinfo?access_token={token}");
    for request in [
        http.request(Method::GET, &path),
        http.request(Method::GET, &path).bearer_auth(token),
        http.request(Method::POST, &path),
    ] {
        assert_refused(&send(request).await, 400, "invalid_request");
    }
    // RFC 6750 §3.1: who sent none is told no error.
    for request in [
        http.request(Method::GET, "/userinfo"),
        http.request(Method::GET, "/userinfo").basic_auth("ada", Some("x")),
        http.request(Method::GET, "/userinfo").header("authorization", "Bearer"),
        http.request(Method::GET, "/userinfo").form(&[("access_token", token)]),
        post(),
        post().header("content-type", "text/plain").body(format!("access_token={token}")),
    ] {
        let answer = send(request).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, ""));
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"grantor\""));
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = send(http.request(method, "/userinfo").bearer_auth(token)).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET, HEAD, POST")));
    }
}

#[tokio::test]
async fn a_token_is_good_while_what_it_rests_on_lives() {
    let (server, _) = server().await;
    let app = app(&server, &[]);
    let fresh = async || {
        let browser = Browser::new(&server);
        let tokens = app.sign_in(&browser, "ada", &[]).await;
        assert_eq!(userinfo(&server, tokens.access_token()).await.status, 200);
        (browser, tokens)
    };
    // Case 47.
    let (_, tokens) = fresh().await;
    app.revoke(tokens.refresh_token()).await;
    assert_refused(&userinfo(&server, tokens.access_token()).await, 401, "invalid_token");
    let (_, tokens) = fresh().await;
    app.revoke(tokens.access_token()).await;
    assert_refused(&userinfo(&server, tokens.access_token()).await, 401, "invalid_token");
    let (browser, tokens) = fresh().await;
    browser.submit(&browser.get("/sign-out").await, &[]).await;
    assert_refused(&userinfo(&server, tokens.access_token()).await, 401, "invalid_token");
    let (_, tokens) = fresh().await;
    server.cli(&["user", "disable", "ada"]);
    assert_refused(&userinfo(&server, tokens.access_token()).await, 401, "invalid_token");
    server.cli(&["user", "enable", "ada"]);
    let (_, tokens) = fresh().await;
    server.cli(&["client", "update", &app.client_id, "--disable"]);
    assert_refused(&userinfo(&server, tokens.access_token()).await, 401, "invalid_token");
    server.cli(&["client", "update", &app.client_id, "--enable"]);
    assert_eq!(userinfo(&server, tokens.access_token()).await.status, 200);
    server.cli(&["user", "delete", "ada"]);
    assert_refused(&userinfo(&server, tokens.access_token()).await, 401, "invalid_token");
}

#[tokio::test]
async fn what_is_no_access_token_of_a_sign_in_is_refused() {
    let (server, _) = server().await;
    let grants =
        ["authorization_code", "refresh_token", "client_credentials"].map(|grant| ["--grant", grant]);
    server.cli(&["scope", "create", "notes", "--description", "Read notes"]);
    let more = [&grants.concat()[..], &["--scope", "openid profile notes"]].concat();
    let app = RelyingParty::register(&server, &more);
    let tokens = app.sign_in(&Browser::new(&server), "ada", &[]).await;
    let access_token = tokens.access_token();
    let tampered = format!("{}x", access_token);
    let parts: Vec<&str> = access_token.split('.').collect();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
    let id_token = tokens.0["id_token"].as_str().unwrap();
    for (what, token) in [
        ("an ID token", id_token),
        ("a refresh token", tokens.refresh_token()),
        ("a changed one", &tampered),
        ("an unsigned one", &unsigned),
        ("junk", "junk"),
        ("several words", "a b c"),
    ] {
        let answer = userinfo(&server, token).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.body);
        assert_refused(&answer, 401, "invalid_token");
    }
    let without = app.sign_in(&Browser::new(&server), "ada", &[("scope", "notes")]).await;
    let own = app.token(&[("grant_type", "client_credentials")]).await.tokens();
    for token in [without.access_token(), own.access_token()] {
        let answer = userinfo(&server, token).await;
        assert_refused(&answer, 403, "insufficient_scope");
        assert!(answer.header("www-authenticate").unwrap().ends_with(", scope=\"openid\""));
    }
}

#[tokio::test]
async fn an_apps_token_for_an_api_is_good_here_and_one_without_openid_is_not() {
    let (server, ada) = server().await;
    server.cli(&["scope", "create", "notes", "--description", "Read notes"]);
    server.cli(&["resource-server", "create", "urn:notes", "--scope", "notes"]);
    let more = ["--audience", "urn:notes", "--scope", "openid email notes offline_access"];
    let app = RelyingParty::register(&server, &more);
    let asked = [("scope", "openid email notes offline_access")];
    let tokens = app.sign_in(&Browser::new(&server), "ada", &asked).await;
    assert_eq!(tokens.claims()["aud"], "urn:notes");
    let expected = json!({ "sub": ada, "email": "ada@example.com", "email_verified": true });
    assert_eq!(told(&server, tokens.access_token()).await, expected);
    // What the app gives to an API that shall not learn who the person is.
    let tokens = app.refresh(tokens.refresh_token(), &[("scope", "notes")]).await.tokens();
    assert_refused(&userinfo(&server, tokens.access_token()).await, 403, "insufficient_scope");
    let tokens = app.refresh(tokens.refresh_token(), &[("scope", "openid notes")]).await.tokens();
    assert_eq!(told(&server, tokens.access_token()).await, json!({ "sub": ada }));
    // The client is registered for the API no more.
    server.cli(&["client", "update", &app.client_id, "--audience", "urn:other"]);
    assert_refused(&userinfo(&server, tokens.access_token()).await, 401, "invalid_token");
}

#[tokio::test]
async fn a_client_that_is_registered_for_it_gets_a_signed_answer() {
    let (server, ada) = server().await;
    let app = app(&server, &["--userinfo-signed-response-alg", "RS256"]);
    assert_eq!(server.cli(&["client", "show", &app.client_id])["userinfo_signed_response_alg"], "RS256");
    let tokens = app.sign_in(&Browser::new(&server), "ada", &[("scope", "openid email")]).await;
    let answer = userinfo(&server, tokens.access_token()).await;
    assert_eq!(answer.header("content-type"), Some("application/jwt"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let key = jwt::key_of(&server, &answer.body).await;
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_issuer(&[&server.issuer]);
    validation.set_audience(&[&app.client_id]);
    validation.set_required_spec_claims(&["iss", "aud", "sub"]);
    validation.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(&key).unwrap();
    let verified = jsonwebtoken::decode::<Value>(&answer.body, &key, &validation).unwrap();
    let expected = json!({
        "iss": server.issuer, "aud": app.client_id, "sub": ada, "email": "ada@example.com",
        "email_verified": true,
    });
    assert_eq!(verified.claims, expected);
    // It opens nothing itself, and nothing takes it for an ID token.
    let hint = format!("/logout?id_token_hint={}", answer.body);
    assert!(Browser::new(&server).get(&hint).await.is_error_page());
    assert_refused(&userinfo(&server, &answer.body).await, 401, "invalid_token");
    assert_eq!(app.introspect(&answer.body).await["active"], false);

    server.cli(&["client", "update", &app.client_id, "--userinfo-signed-response-alg", "ES256"]);
    server.change_arrives().await;
    let answer = userinfo(&server, tokens.access_token()).await;
    assert_eq!(jwt::key_of(&server, &answer.body).await.common.key_algorithm.unwrap().to_string(), "ES256");
    server.cli(&["client", "update", &app.client_id, "--userinfo-signed-response-alg", "none"]);
    server.change_arrives().await;
    assert_eq!(told(&server, tokens.access_token()).await["sub"], ada.as_str());
}

#[tokio::test]
async fn it_has_its_measure() {
    let settings = Settings::default().with("GRANTOR_LIMITS_USERINFO_PER_CLIENT", "3");
    let server = Server::start_with(settings).await;
    server.user("ada", &[]);
    let (app, other) = (app(&server, &[]), app(&server, &[]));
    let browser = Browser::new(&server);
    let tokens = app.sign_in(&browser, "ada", &[]).await;
    for _ in 0..3 {
        assert_eq!(userinfo(&server, tokens.access_token()).await.status, 200);
    }
    let refused = userinfo(&server, tokens.access_token()).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert!(refused.header("retry-after").is_some());
    let others = other.sign_in(&browser, "ada", &[]).await;
    assert_eq!(userinfo(&server, others.access_token()).await.status, 200);
}
