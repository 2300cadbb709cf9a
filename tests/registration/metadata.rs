//! What may be registered, and what is told of it. Cases 75, 76 and 78.

use serde_json::{Value, json};

use super::{assert_error, open, register, registered, text, web_app, web_app_with};
use crate::harness::{RelyingParty, Server, Settings};

#[tokio::test]
async fn an_app_is_told_all_that_is_registered_defaults_included() {
    let server = Server::start_with(open()).await;
    let answer = registered(&server, &web_app()).await;
    let id = text(&answer, "client_id");
    assert!(text(&answer, "client_secret").starts_with("grs_"));
    assert!(text(&answer, "registration_access_token").starts_with("grg_"));
    assert!(answer["client_id_issued_at"].as_i64().unwrap() > 1_700_000_000);
    let mut told = answer.clone();
    for name in ["client_id", "client_secret", "registration_access_token", "client_id_issued_at"] {
        told.as_object_mut().unwrap().remove(name);
    }
    let expected = json!({
        "client_secret_expires_at": 0,
        "registration_client_uri": format!("{}/register/{id}", server.issuer),
        "redirect_uris": ["https://app.example/callback"],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "application_type": "web",
        "client_name": "App",
        "scope": "openid profile email phone address offline_access",
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "RS256",
        "subject_type": "public",
        "require_auth_time": false,
        "backchannel_logout_session_required": false,
    });
    assert_eq!(told, expected);
    let shown = server.cli(&["client", "show", id]);
    for (name, value) in [
        ("self_registered", json!(true)),
        ("require_pkce", json!(true)),
        ("audiences", json!([])),
        ("resource_servers", json!([])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    let listed = String::from_utf8(server.plain(&["client", "list"]).stdout).unwrap();
    assert!(listed.contains("registered itself"), "{listed}");
}

#[tokio::test]
async fn everything_that_there_is_can_be_registered() {
    let server = Server::start_with(open()).await;
    let metadata = json!({
        "redirect_uris": ["https://app.example/callback", "https://app.example/callback?two"],
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"],
        "application_type": "web",
        "client_name": "Ünïted Böats",
        "client_uri": "https://app.example/",
        "logo_uri": "https://app.example/logo.png",
        "policy_uri": "https://app.example/privacy#short",
        "tos_uri": "https://app.example/terms",
        "contacts": ["ops@app.example"],
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.1",
        "scope": "openid email",
        "token_endpoint_auth_method": "client_secret_jwt",
        "token_endpoint_auth_signing_alg": "HS256",
        "id_token_signed_response_alg": "RS256",
        "userinfo_signed_response_alg": "RS256",
        "introspection_signed_response_alg": "RS256",
        "subject_type": "pairwise",
        "default_max_age": 3600,
        "require_auth_time": true,
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "backchannel_logout_uri": "https://app.example/logout",
        "backchannel_logout_session_required": true,
    });
    let answer = registered(&server, &metadata).await;
    for (name, value) in metadata.as_object().unwrap() {
        assert_eq!(&answer[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_registered_app_signs_people_in() {
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    let grants = json!({ "grant_types": ["authorization_code", "refresh_token"] });
    let app = RelyingParty::registered(&server, &registered(&server, &web_app_with(&grants)).await);
    let tokens = app.sign_in(&crate::harness::Browser::new(&server), "alice", &[]).await;
    app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
}

#[tokio::test]
async fn redirect_uris_that_lead_astray_are_refused() {
    // Case 75.
    let server = Server::start_with(open()).await;
    for uri in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "file:///etc/passwd",
        "https://app.example/callback#fragment",
        "https://app.example/callback#",
        "/callback",
        "//app.example/callback",
        "",
        "http://app.example/callback",
        "https://user@app.example/callback",
        "https://*.app.example/callback",
        "https://app.example/*",
        "https://app.example/\u{0}",
        "com.example.app:/callback",
    ] {
        for member in ["redirect_uris", "post_logout_redirect_uris"] {
            let answer = register(&server, &web_app_with(&json!({ member: [uri] }))).await;
            assert_error(&answer, 400, "invalid_redirect_uri");
        }
    }
    for uris in [json!([]), json!(null)] {
        let answer = register(&server, &web_app_with(&json!({ "redirect_uris": uris }))).await;
        assert_error(&answer, 400, "invalid_redirect_uri");
    }
    assert!(server.cli(&["client", "list"]).as_array().unwrap().is_empty());
}

#[tokio::test]
async fn no_address_leads_into_the_network_behind_the_server() {
    // Case 76.
    let server = Server::start_with(open()).await;
    for host in ["127.0.0.1", "169.254.169.254", "[::1]", "10.0.0.1", "2130706433", "0x7f.1"] {
        for member in [
            "jwks_uri",
            "sector_identifier_uri",
            "logo_uri",
            "client_uri",
            "policy_uri",
            "tos_uri",
            "backchannel_logout_uri",
        ] {
            let more = json!({ member: format!("https://{host}/x"), "subject_type": "pairwise" });
            let method = if member == "jwks_uri" { "private_key_jwt" } else { "client_secret_basic" };
            let mut metadata = web_app_with(&more);
            metadata["token_endpoint_auth_method"] = json!(method);
            let answer = register(&server, &metadata).await;
            assert_error(&answer, 400, "invalid_client_metadata");
            assert!(answer.body.contains(member), "{}", answer.body);
        }
        // What is not supported is not fetched either.
        let ignored = json!({ "request_uris": [format!("https://{host}/x")], "initiate_login_uri": format!("https://{host}/x") });
        registered(&server, &web_app_with(&ignored)).await;
    }
}

#[tokio::test]
async fn nobody_learns_which_names_the_network_behind_the_server_knows() {
    // Case 76.
    let server = Server::start_with(open()).await;
    let mut answers = Vec::new();
    for host in ["localhost", "no-such-name.invalid"] {
        let more = json!({
            "subject_type": "pairwise", "sector_identifier_uri": format!("https://{host}/sector.json"),
        });
        let answer = register(&server, &web_app_with(&more)).await;
        assert_error(&answer, 400, "invalid_client_metadata");
        answers.push(answer.body);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(server.log().contains("not a public address"), "an operator learns why");
}

#[tokio::test]
async fn what_nobody_may_have_is_refused_or_left_out() {
    // Case 78.
    let server = Server::start_with(open()).await;
    server.cli(&["scope", "create", "admin", "--description", "Do everything", "--restricted"]);
    server.change_arrives().await;
    for (more, name) in [
        (json!({ "scope": "admin" }), "'scope'"),
        (json!({ "grant_types": ["password"] }), "'grant_types'"),
        (json!({ "grant_types": ["implicit"], "response_types": ["token"] }), "'grant_types'"),
        (json!({ "grant_types": ["client_credentials"] }), "'grant_types'"),
        (json!({ "response_types": ["id_token"] }), "'response_types'"),
        (json!({ "response_types": ["code token"] }), "'response_types'"),
        (json!({ "application_type": "toaster" }), "'application_type'"),
        (json!({ "subject_type": "secret" }), "'subject_type'"),
        (json!({ "token_endpoint_auth_method": "tls_client_auth" }), "'token_endpoint_auth_method'"),
        (json!({ "id_token_signed_response_alg": "none" }), "'id_token_signed_response_alg'"),
        (json!({ "id_token_signed_response_alg": "HS256" }), "'id_token_signed_response_alg'"),
        // There is no key for it, and a stranger brings about none.
        (json!({ "id_token_signed_response_alg": "ES256" }), "'id_token_signed_response_alg'"),
        (json!({ "userinfo_signed_response_alg": "none" }), "'userinfo_signed_response_alg'"),
        (json!({ "token_endpoint_auth_signing_alg": "none" }), "'token_endpoint_auth_signing_alg'"),
        (json!({ "jwks": { "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] } }), "'jwks'"),
        (json!({ "jwks": { "keys": [{ "kty": "oct" }] } }), "'jwks'"),
        (json!({ "jwks": { "keys": [{ "kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB" }] } }), "'jwks'"),
        (json!({ "jwks": { "keys": [] }, "jwks_uri": "https://app.example/jwks" }), "'jwks'"),
        (json!({ "token_endpoint_auth_method": "private_key_jwt" }), "private_key_jwt"),
        (json!({ "client_name": "bank\u{202e}knab" }), "name"),
        (json!({ "client_name": "n".repeat(201) }), "name"),
        (json!({ "client_name": "nul\u{0}" }), "name"),
        (json!({ "contacts": ["nul\u{0}"] }), "contacts"),
        (json!({ "software_id": "nul\u{0}" }), "software_id"),
        (json!({ "scope": "nul\u{0}" }), "'scope'"),
        (json!({ "logo_uri": "javascript:alert(1)" }), "logo_uri"),
        (json!({ "tos_uri": "http://app.example/terms" }), "tos_uri"),
        (json!({ "id_token_encrypted_response_alg": "RSA-OAEP" }), "'id_token_encrypted_response_alg'"),
        (json!({ "require_signed_request_object": true }), "'require_signed_request_object'"),
    ] {
        let answer = register(&server, &web_app_with(&more)).await;
        assert_error(&answer, 400, "invalid_client_metadata");
        assert!(answer.json()["error_description"].as_str().unwrap().contains(name), "{}", answer.body);
    }
    let statement = register(&server, &web_app_with(&json!({ "software_statement": "e30.e30." }))).await;
    assert_error(&statement, 400, "unapproved_software_statement");

    let wanted = json!({
        "client_id": "chosen", "client_secret": "chosen", "scope": "openid admin roles profile",
        "grant_types": ["authorization_code", "password", "urn:ietf:params:oauth:grant-type:device_code"],
        "response_types": ["code", "token"], "resource_servers": ["https://api.example"],
        "skip_consent": true, "self_registered": false, "require_pkce": false,
    });
    let answer = registered(&server, &web_app_with(&wanted)).await;
    assert_ne!(answer["client_id"], "chosen");
    assert_ne!(answer["client_secret"], "chosen");
    assert_eq!(answer["scope"], "openid profile");
    assert_eq!(answer["grant_types"], json!(["authorization_code"]));
    let shown = server.cli(&["client", "show", text(&answer, "client_id")]);
    assert_eq!(
        [&shown["resource_servers"], &shown["self_registered"], &shown["require_pkce"]],
        [&json!([]), &json!(true), &json!(true)]
    );
}

#[tokio::test]
async fn large_requests_are_refused() {
    // Case 78.
    let server = Server::start_with(open()).await;
    let many: Vec<_> = (0..5_000).map(|number| format!("https://app.example/{number}")).collect();
    let twenty_one = &many[..21];
    assert_error(&register(&server, &json!({ "redirect_uris": many })).await, 400, "invalid_request");
    assert_error(
        &register(&server, &json!({ "redirect_uris": twenty_one })).await,
        400,
        "invalid_redirect_uri",
    );
    let name = json!({ "client_name": "n".repeat(100_000) });
    assert_error(&register(&server, &web_app_with(&name)).await, 400, "invalid_request");
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let request = crate::harness::Browser::new(&server)
        .request(reqwest::Method::POST, "/register")
        .header("content-type", "application/json")
        .body(format!("{{\"jwks\": {deep}}}"));
    let answer = crate::harness::Answer::read(request.send().await.unwrap()).await;
    assert_error(&answer, 400, "invalid_client_metadata");
}

#[tokio::test]
async fn what_an_operator_allows_can_be_had() {
    let settings = open()
        .with("GRANTOR_REGISTRATION_ALLOW_CLIENT_CREDENTIALS", "true")
        .with("GRANTOR_REGISTRATION_REQUIRE_PKCE", "false")
        .with("GRANTOR_REGISTRATION_ALLOWED_SCOPES", "openid tools unknown")
        .with("GRANTOR_REGISTRATION_AUDIENCES", "https://mcp.example/mcp");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    server.cli(&["scope", "create", "tools", "--description", "Use your tools"]);
    server.change_arrives().await;
    let itself =
        registered(&server, &json!({ "grant_types": ["client_credentials"], "scope": "tools" })).await;
    assert_eq!([&itself["response_types"], &itself["scope"]], [&json!([]), &json!("tools")]);
    let form = [("grant_type", "client_credentials")];
    RelyingParty::registered(&server, &itself).token(&form).await.tokens();

    let app = registered(&server, &web_app()).await;
    assert_eq!(app["scope"], "openid tools");
    let app = RelyingParty::registered(&server, &app);
    let without = [("scope", "openid tools"), ("code_challenge", ""), ("code_challenge_method", "")];
    let browser = crate::harness::Browser::new(&server);
    let answer = browser.authorize(&app.authorize_path("", &without), "alice").await;
    let code = answer.parameter("code").expect("PKCE may be left out");
    let tokens = app.redeem(&code, "", &[("code_verifier", "")]).await.tokens();
    assert_eq!(tokens.claims()["aud"], "https://mcp.example/mcp");

    let public = registered(&server, &web_app_with(&json!({ "token_endpoint_auth_method": "none" }))).await;
    assert_eq!(public.get("client_secret"), None);
    assert_eq!(public.get("client_secret_expires_at"), None);
    assert_eq!(server.cli(&["client", "show", text(&public, "client_id")])["require_pkce"], true);
    let plain = registered(&server, &web_app_with(&json!({ "scope": "tools" }))).await;
    assert_eq!(server.cli(&["client", "show", text(&plain, "client_id")])["require_pkce"], true);
}

#[tokio::test]
async fn it_is_off_unless_an_operator_says_otherwise() {
    let server = Server::start_with(Settings::default()).await;
    let answer = register(&server, &web_app()).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (404, Some("no-store")));
    let browser = crate::harness::Browser::new(&server);
    assert_eq!(browser.get("/register/x").await.status, 404);
    let metadata = browser.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata.get("registration_endpoint"), None);
    let on = Server::start_with(open()).await;
    let metadata = crate::harness::Browser::new(&on).get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["registration_endpoint"], Value::from(format!("{}/register", on.issuer)));
}

#[tokio::test]
async fn only_json_without_anything_in_the_address_is_read() {
    let server = Server::start_with(open()).await;
    let browser = crate::harness::Browser::new(&server);
    let form = browser.post("/register", &[("client_name", "App")]).await;
    assert_error(&form, 400, "invalid_request");
    let query = super::send(&browser, reqwest::Method::POST, "/register?a=b", None, Some(&web_app())).await;
    assert_error(&query, 400, "invalid_request");
    for body in ["", "null", "[]", "{", "{\"client_name\": \"A\", \"client_name\": \"B\"}"] {
        let request = browser.request(reqwest::Method::POST, "/register");
        let request = request.header("content-type", "application/json").body(body);
        let answer = crate::harness::Answer::read(request.send().await.unwrap()).await;
        assert_error(&answer, 400, "invalid_client_metadata");
    }
    assert_eq!(browser.get("/register").await.status, 405);
}
