//! Introspection answers as signed JWTs (RFC 9701).

use grantor::time::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Browser, RelyingParty, Server, jwt};

const SIGNED: &str = "application/token-introspection+jwt";
const NOTES: &str = "https://notes.example/api";

struct Actors {
    server: Server,
    app: RelyingParty,
    api: RelyingParty,
    browser: Browser,
}

impl Actors {
    async fn new() -> Self {
        let server = Server::start().await;
        server.user("alice", &[]);
        let app = RelyingParty::register(&server, &["--audience", NOTES]);
        let api = RelyingParty::register(&server, &["--resource-server", NOTES]);
        let browser = Browser::new(&server);
        Self { server, app, api, browser }
    }

    /// An answer to this client in the form that these `Accept` fields ask for.
    async fn ask(&self, who: &RelyingParty, accept: &[&str], token: &str) -> Answer {
        let mut request = self
            .browser
            .request(Method::POST, "/introspect")
            .basic_auth(&who.client_id, who.client_secret.as_deref())
            .form(&[("token", token)]);
        for field in accept {
            request = request.header("accept", *field);
        }
        Answer::read(request.send().await.unwrap()).await
    }

    /// The claims of a signed answer, verified as an API would.
    async fn verified(&self, who: &RelyingParty, answer: &Answer) -> Value {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some(SIGNED));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.server.issuer]);
        validation.set_audience(&[&who.client_id]);
        validation.set_required_spec_claims(&["iss", "aud"]);
        let key = DecodingKey::from_jwk(&jwt::key_of(&self.server, &answer.body).await).unwrap();
        let verified = decode::<Value>(&answer.body, &key, &validation).unwrap();
        assert_eq!(verified.header.typ.as_deref(), Some("token-introspection+jwt"));
        verified.claims
    }
}

#[tokio::test]
async fn a_signed_answer_holds_what_the_json_answer_says() {
    let actors = Actors::new().await;
    let tokens = actors.app.sign_in(&actors.browser, "alice", &[]).await;
    for (who, token) in [
        (&actors.app, tokens.access_token()),
        (&actors.api, tokens.access_token()),
        (&actors.app, tokens.refresh_token()),
        // RFC 9701 §5: nothing but `active` for whoever may not know more.
        (&actors.api, tokens.refresh_token()),
        (&actors.api, "x"),
        (&actors.api, ""),
    ] {
        let answer = actors.ask(who, &[SIGNED], token).await;
        let claims = actors.verified(who, &answer).await;
        let names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
        // No `sub` and no `exp` at the top, so that nobody takes it for a token.
        assert_eq!(names, ["aud", "iat", "iss", "token_introspection"]);
        assert_eq!(claims["aud"], who.client_id.as_str());
        assert_eq!(claims["token_introspection"], who.introspect(token).await);
        assert!(claims["iat"].as_i64().unwrap().abs_diff(Timestamp::now().unix_seconds()) <= 5);
    }
}

#[tokio::test]
async fn the_form_is_negotiated_and_a_registration_decides_where_the_request_does_not() {
    let actors = Actors::new().await;
    let registered = ["--resource-server", NOTES, "--introspection-signed-response-alg", "RS256"];
    let registered = RelyingParty::register(&actors.server, &registered);
    let tokens = actors.app.sign_in(&actors.browser, "alice", &[]).await;
    // Accept, and whether the answer is signed for a client that registered nothing, and for one that did.
    let table: [(&[&str], bool, bool); 9] = [
        (&[], false, true),
        (&["*/*"], false, true),
        (&["application/json"], false, false),
        (&["application/json, */*"], false, false),
        (&["text/html"], false, true),
        (&[SIGNED], true, true),
        (&["application/json", SIGNED], true, true),
        (&["application/json, application/token-introspection+jwt;q=0.5"], false, false),
        (&["application/token-introspection+jwt;q=0, */*"], false, false),
    ];
    for (accept, unregistered, signed) in table {
        for (who, is_signed) in [(&actors.api, unregistered), (&registered, signed)] {
            let answer = actors.ask(who, accept, tokens.access_token()).await;
            let told = if is_signed {
                actors.verified(who, &answer).await["token_introspection"].clone()
            } else {
                assert_eq!(answer.header("content-type"), Some("application/json"), "{accept:?}");
                answer.json()
            };
            assert_eq!(told["active"], true, "{accept:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_json_in_every_format() {
    let actors = Actors::new().await;
    let public = RelyingParty::register(&actors.server, &["--public"]);
    for accept in [SIGNED, "*/*", "application/jwt"] {
        // Case 44.
        let wrong = actors.app.with_secret(Some("wrong"));
        actors.ask(&wrong, &[accept], "x").await.assert_refused(401, "invalid_client");
        let request = actors.browser.request(Method::POST, "/introspect").header("accept", accept);
        let form = [("token", "x"), ("client_id", public.client_id.as_str())];
        Answer::read(request.form(&form).send().await.unwrap()).await.assert_refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn a_signed_answer_is_no_token() {
    let actors = Actors::new().await;
    let tokens = actors.app.sign_in(&actors.browser, "alice", &[]).await;
    let signed = actors.ask(&actors.api, &[SIGNED], tokens.access_token()).await.body;
    for who in [&actors.app, &actors.api] {
        assert_eq!(who.introspect(&signed).await, json!({"active": false}));
        assert_eq!(who.revoke(&signed).await.status, 200);
    }
    // Nor does it end the token that it speaks of.
    assert_eq!(actors.api.introspect(tokens.access_token()).await["active"], true);
}

#[tokio::test]
async fn the_metadata_names_the_algorithms() {
    let actors = Actors::new().await;
    let metadata = actors.browser.get("/.well-known/oauth-authorization-server").await.json();
    let algorithms = metadata["introspection_signing_alg_values_supported"].as_array().unwrap();
    assert!(algorithms.contains(&json!("RS256")), "{metadata}");
    assert!(!algorithms.contains(&json!("none")));
}
