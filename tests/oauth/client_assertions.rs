//! Clients that sign instead of sending a secret (RFC 7523 §2.2 and §3, RFC 10070).

use aws_lc_rs::rsa::KeySize;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, AssertingClient, Assertion, Browser, ClientKey, JWT_BEARER, Server, unix_now};

const ENDPOINTS: [&str; 3] = ["/token", "/introspect", "/revoke"];
const FORM: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("token", "x")];

#[tokio::test]
async fn a_signed_assertion_authenticates_at_every_endpoint() {
    let server = Server::start().await;
    for key in [ClientKey::p256(), ClientKey::ed25519(), ClientKey::rsa(KeySize::Rsa2048)] {
        let app = AssertingClient::register(&server, key, &[]);
        for path in ENDPOINTS {
            let answer = app.post_with(path, &app.signed(), &FORM).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        }
        // RFC 7521 §4.2: the assertion names the client by itself.
        let form = [FORM[0], ("client_assertion_type", JWT_BEARER), ("client_assertion", &app.signed())];
        let request = Browser::new(&server).request(Method::POST, "/token").form(&form);
        assert_eq!(Answer::read(request.send().await.unwrap()).await.status, 200);
    }
    let app = AssertingClient::register_with_secret(&server);
    for path in ENDPOINTS {
        let answer = app.post_with(path, &app.signed(), &FORM).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn algorithms_are_those_of_the_key_or_the_registered_one() {
    let server = Server::start().await;
    let rsa = AssertingClient::register(&server, ClientKey::rsa(KeySize::Rsa2048), &[]);
    let pinned = AssertingClient::register(
        &server,
        ClientKey::rsa(KeySize::Rsa2048),
        &["--auth-signing-alg", "PS256"],
    );
    let okp = AssertingClient::register(&server, ClientKey::ed25519(), &[]);
    let pinned_okp =
        AssertingClient::register(&server, ClientKey::ed25519(), &["--auth-signing-alg", "Ed25519"]);
    for (app, alg, status) in [
        (&rsa, "RS256", 200),
        (&rsa, "PS256", 200),
        (&rsa, "RS512", 401),
        (&rsa, "ES256", 401),
        (&pinned, "PS256", 200),
        (&pinned, "RS256", 401),
        (&okp, "Ed25519", 200),
        // The name that RFC 9864 deprecates.
        (&okp, "EdDSA", 200),
        (&pinned_okp, "EdDSA", 401),
        (&pinned_okp, "Ed25519", 200),
    ] {
        let assertion = app.assertion().header("alg", alg.into()).signed_by(&app.key);
        let answer = app.token_with(&assertion).await;
        assert_eq!(answer.status, status, "{alg}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_assertion_counts_once_over_all_processes_and_endpoints() {
    let server = Server::start().await;
    let replica = server.replica(crate::harness::Settings::default()).await;
    let app = AssertingClient::register(&server, ClientKey::p256(), &[]);
    let there = app.party.at(&replica);
    // Case 50.
    let used = app.signed();
    assert_eq!(app.token_with(&used).await.status, 200);
    for path in ENDPOINTS {
        app.post_with(path, &used, &FORM).await.assert_refused(401, "invalid_client");
        let form = [FORM[0], FORM[1], ("client_assertion_type", JWT_BEARER), ("client_assertion", &used)];
        there.post(path, &form).await.assert_refused(401, "invalid_client");
    }
    // Another assertion with the same identifier is the same to a server that must remember it.
    let claims = app.assertion().claim("jti", json!("again"));
    assert_eq!(app.token_with(&claims.signed_by(&app.key)).await.status, 200);
    let again = claims.claim("exp", json!(unix_now() + 30)).signed_by(&app.key);
    app.token_with(&again).await.assert_refused(401, "invalid_client");
    let log = server.log();
    assert!(log.contains("client_assertion_replayed") && !log.contains(&used));
    // Another client may have it too.
    let other = AssertingClient::register(&server, ClientKey::p256(), &[]);
    let same = other.assertion().claim("jti", json!("again")).signed_by(&other.key);
    assert_eq!(other.token_with(&same).await.status, 200);
}

#[tokio::test]
async fn who_cannot_sign_uses_up_no_identifier() {
    let server = Server::start().await;
    let app = AssertingClient::register(&server, ClientKey::p256(), &[]);
    let claims = app.assertion();
    let forged = claims.signed_by(&ClientKey::p256());
    app.token_with(&forged).await.assert_refused(401, "invalid_client");
    let for_another = claims.clone().claim("aud", json!("https://evil.example")).signed_by(&app.key);
    app.token_with(&for_another).await.assert_refused(401, "invalid_client");
    assert_eq!(app.token_with(&claims.signed_by(&app.key)).await.status, 200);
}

#[tokio::test]
async fn an_assertion_is_for_this_issuer_alone() {
    let server = Server::start().await;
    let app = AssertingClient::register(&server, ClientKey::p256(), &[]);
    let issuer = &server.issuer;
    // Case 51.
    for (aud, status) in [
        (json!(issuer), 200),
        (json!([issuer]), 200),
        (Value::Null, 401),
        (json!([]), 401),
        (json!("https://evil.example"), 401),
        (json!([issuer, "https://evil.example"]), 401),
        (json!(["https://evil.example", issuer]), 401),
        (json!([issuer, issuer]), 401),
        (json!(format!("{issuer}/")), 401),
        (json!(format!("{issuer}/token")), 401),
        (json!(format!("{issuer}/introspect")), 401),
        (json!(issuer.to_uppercase()), 401),
    ] {
        let answer = app.token_with(&app.assertion().claim("aud", aud.clone()).signed_by(&app.key)).await;
        assert_eq!(answer.status, status, "{aud}: {}", answer.body);
        if status == 401 {
            answer.assert_refused(401, "invalid_client");
        }
    }
}

#[tokio::test]
async fn a_forged_or_ill_made_assertion_is_refused() {
    let server = Server::start().await;
    let app = AssertingClient::register(&server, ClientKey::p256(), &[]);
    let now = unix_now();
    // Case 52.
    type Change = Box<dyn Fn(Assertion) -> Assertion>;
    let claim = |name: &'static str, value: Value| -> Change {
        Box::new(move |assertion: Assertion| assertion.claim(name, value.clone()))
    };
    let header = |name: &'static str, value: Value| -> Change {
        Box::new(move |assertion: Assertion| assertion.header(name, value.clone()))
    };
    let jwk = app.key.jwk("one");
    for (what, change) in [
        ("expired", claim("exp", json!(now - 61))),
        ("no exp", claim("exp", Value::Null)),
        ("exp far ahead", claim("exp", json!(now + 3_700))),
        ("nbf in the future", claim("nbf", json!(now + 90))),
        ("iat in the future", claim("iat", json!(now + 90))),
        ("iat long ago", claim("iat", json!(now - 3_700))),
        ("exp as text", claim("exp", json!("soon"))),
        ("wrong iss", claim("iss", json!("somebody"))),
        ("wrong sub", claim("sub", json!("somebody"))),
        ("no iss", claim("iss", Value::Null)),
        ("no sub", claim("sub", Value::Null)),
        ("no jti", claim("jti", Value::Null)),
        ("embedded key", header("jwk", jwk)),
        ("key by address", header("jku", json!("http://127.0.0.1:1/"))),
        ("certificate by address", header("x5u", json!("http://127.0.0.1:1/"))),
        ("certificate", header("x5c", json!(["AA"]))),
        ("critical extension", header("crit", json!(["b64"]))),
        ("another type", header("typ", json!("at+jwt"))),
        ("none", header("alg", json!("none"))),
        ("None", header("alg", json!("None"))),
        ("no alg", header("alg", Value::Null)),
        ("another kid", header("kid", json!("two"))),
        ("kid with SQL", header("kid", json!("' OR 1=1 --"))),
        ("kid with NUL", header("kid", json!("one\0"))),
    ] {
        let assertion = change(app.assertion()).signed_by(&app.key);
        let answer = app.token_with(&assertion).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.body);
        answer.assert_refused(401, "invalid_client");
    }
    for (name, value) in [("exp", json!("soon")), ("jti", json!(7)), ("aud", json!({}))] {
        let answer = app.token_with(&app.assertion().claim(name, value).signed_by(&app.key)).await;
        let told = answer.json()["error_description"].as_str().unwrap().to_owned();
        assert!(told.contains("each has its type"), "{name}: {told}");
    }
    let good = app.signed();
    let (input, _) = good.rsplit_once('.').unwrap();
    let public = app.key.jwk("one").to_string();
    let x = app.key.jwk("one")["x"].as_str().unwrap().to_owned();
    let hs256 = app.assertion().header("alg", json!("HS256"));
    for forged in [
        format!("{input}."),
        input.to_owned(),
        format!("{input}.AAAA"),
        app.assertion().signed_by(&ClientKey::p256()),
        app.assertion().header("alg", json!("EdDSA")).signed_by(&ClientKey::ed25519()),
        hs256.signed_by(&ClientKey::Secret(public)),
        hs256.signed_by(&ClientKey::Secret(x)),
        hs256.signed_by(&ClientKey::Secret(String::new())),
        "junk".to_owned(),
        "a".repeat(20_000),
    ] {
        app.token_with(&forged).await.assert_refused(401, "invalid_client");
    }
    assert_eq!(app.token_with(&good).await.status, 200);
}

#[tokio::test]
async fn a_client_with_keys_comes_by_nothing_else() {
    let server = Server::start().await;
    let app = AssertingClient::register(&server, ClientKey::p256(), &[]);
    let by_secret = AssertingClient::register_with_secret(&server);
    let ClientKey::Secret(secret) = &by_secret.key else { panic!("it signs with its secret") };
    for path in ENDPOINTS {
        // Case 52: a client with keys without its assertion.
        app.party.post(path, &FORM).await.assert_refused(401, "invalid_client");
        for party in [&app.party, &by_secret.party] {
            for presented in [secret.as_str(), "", "x"] {
                let party = party.with_secret(Some(presented));
                party.post(path, &FORM).await.assert_refused(401, "invalid_client");
                let form = [FORM[0], FORM[1], ("client_secret", presented)];
                let answer = party.with_secret(None).post(path, &form).await;
                answer.assert_refused(401, "invalid_client");
            }
        }
    }
    // And who has a secret or nothing comes by no assertion.
    let public = crate::harness::RelyingParty::register(&server, &["--public"]);
    let basic = crate::harness::RelyingParty::register(&server, &[]);
    for party in [public, basic.with_secret(None)] {
        let id = json!(party.client_id);
        let key = ClientKey::Secret(basic.client_secret.clone().unwrap());
        let claims = by_secret.assertion().claim("iss", id.clone()).claim("sub", id);
        let assertion = claims.signed_by(&key);
        let form = [FORM[0], ("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)];
        party.post("/token", &form).await.assert_refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn two_ways_at_once_and_two_clients_at_once_are_refused() {
    let server = Server::start().await;
    let (app, other) = (
        AssertingClient::register(&server, ClientKey::p256(), &[]),
        AssertingClient::register(&server, ClientKey::p256(), &[]),
    );
    // Case 30.
    let assertion = app.signed();
    let proof = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion.as_str())];
    let with_secret = [FORM[0], proof[0], proof[1], ("client_secret", "x")];
    app.party.post("/token", &with_secret).await.assert_refused(400, "invalid_request");
    let with_basic = app.party.with_secret(Some("x"));
    with_basic.post("/token", &[FORM[0], proof[0], proof[1]]).await.assert_refused(400, "invalid_request");
    let twice = [FORM[0], proof[0], proof[1], proof[1]];
    app.party.post("/token", &twice).await.assert_refused(400, "invalid_request");
    // RFC 7521 §4.2: a `client_id` that is sent is that of the assertion.
    other.token_with(&assertion).await.assert_refused(401, "invalid_client");
    // Case 52: another type, or a half of the two.
    for form in [
        vec![
            FORM[0],
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
            proof[1],
        ],
        vec![FORM[0], ("client_assertion_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), proof[1]],
        vec![FORM[0], proof[1]],
        vec![FORM[0], proof[0]],
    ] {
        app.party.post("/token", &form).await.assert_refused(401, "invalid_client");
    }
    assert_eq!(app.token_with(&assertion).await.status, 200);
}

#[tokio::test]
async fn a_key_is_replaced_and_a_secret_given_up() {
    let server = Server::start().await;
    let (old, new) = (ClientKey::p256(), ClientKey::ed25519());
    let jwks = server.state.path().join("new.json");
    std::fs::write(&jwks, json!({"keys": [new.jwk("one")]}).to_string()).unwrap();
    let jwks = jwks.to_str().unwrap();
    let mut app = AssertingClient::register(&server, old, &[]);
    let shown = server.cli(&["client", "update", &app.party.client_id, "--jwks", jwks]);
    assert_eq!(shown["jwks"]["keys"][0]["kty"], "OKP");
    server.change_arrives().await;
    app.token().await.assert_refused(401, "invalid_client");
    app.key = new;
    assert_eq!(app.token().await.status, 200);

    let with_secret = crate::harness::RelyingParty::register(&server, &["--grant", "client_credentials"]);
    let change =
        ["client", "update", &with_secret.client_id, "--auth-method", "private_key_jwt", "--jwks", jwks];
    server.cli(&change);
    server.change_arrives().await;
    with_secret.token(&FORM[..1]).await.assert_refused(401, "invalid_client");
    let back = ["client", "update", &with_secret.client_id, "--auth-method", "client_secret_basic"];
    let refused = server.cli_output(&back, "");
    assert!(!refused.status.success());
}

#[tokio::test]
async fn a_person_signs_in_to_a_client_with_a_key() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = AssertingClient::register(&server, ClientKey::ed25519(), &["--grant", "refresh_token"]);
    let browser = Browser::new(&server);
    let (code, verifier) = app.party.code(&browser, "alice", &[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", &verifier),
        ("redirect_uri", &app.party.redirect_uri),
    ];
    // Without the assertion nothing is used up.
    app.party.post("/token", &form).await.assert_refused(401, "invalid_client");
    let tokens = app.post_with("/token", &app.signed(), &form).await.tokens();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token())];
    // Case 36.
    app.party.post("/token", &refresh).await.assert_refused(401, "invalid_client");
    let refreshed = app.post_with("/token", &app.signed(), &refresh).await.tokens();
    let answer = app.post_with("/introspect", &app.signed(), &[("token", refreshed.access_token())]).await;
    assert_eq!(answer.json()["active"], true);
}
