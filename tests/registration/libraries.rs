//! What libraries send, as they send it.

use serde_json::json;

use super::{open, registered, text};
use crate::harness::{Browser, RelyingParty, Server, query_of};

#[tokio::test]
async fn an_editor_that_waits_on_its_own_machine_registers_as_a_public_client_and_signs_in() {
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    // As clients of the Model Context Protocol do: grants and addresses for every case, a port found when they start.
    let told = registered(
        &server,
        &json!({
            "client_name": "Editor (tools)",
            "client_uri": "https://editor.example",
            "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
            "response_types": ["code"],
            "redirect_uris": ["https://editor.example/redirect", "http://localhost/", "http://127.0.0.1/callback"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
        }),
    )
    .await;
    assert_eq!(told["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(told.get("client_secret"), None);
    let mut app = RelyingParty::registered(&server, &told);
    app.redirect_uri = "http://127.0.0.1:53122/callback".to_owned();
    let tokens = app.sign_in(&Browser::new(&server), "alice", &[("scope", "openid offline_access")]).await;
    app.refresh(tokens.refresh_token(), &[]).await.tokens();
}

#[tokio::test]
async fn one_that_says_nothing_of_its_type_may_choose_its_port_too() {
    let server = Server::start_with(open()).await;
    for uris in [
        json!(["http://localhost:6274/oauth/callback"]),
        json!(["https://editor.example/redirect", "http://127.0.0.1:33418/"]),
        json!(["com.example.editor:/callback"]),
    ] {
        let told =
            registered(&server, &json!({ "redirect_uris": uris, "token_endpoint_auth_method": "none" }))
                .await;
        assert_eq!(told["application_type"], "native", "{told:#}");
    }
    let browser = Browser::new(&server);
    let told = registered(
        &server,
        &json!({ "redirect_uris": ["http://localhost:6274/callback"], "token_endpoint_auth_method": "none" }),
    )
    .await;
    let app = RelyingParty::registered(&server, &told);
    let elsewhere = app.authorize_path("x", &[("redirect_uri", "http://localhost:7000/callback")]);
    let answer = browser.get(&elsewhere).await;
    let location = answer.location().expect("the challenge is refused by redirect");
    assert!(location.starts_with("http://localhost:7000/callback?"), "{location}");
    assert_eq!(query_of(&location)["error"], "invalid_request");
}

#[tokio::test]
async fn an_app_without_a_name_is_called_by_its_address() {
    let server = Server::start_with(open()).await;
    for (uri, name) in [
        ("https://app.example:8443/callback", "app.example:8443"),
        ("http://127.0.0.1:33418/", "127.0.0.1:33418"),
    ] {
        let told = registered(&server, &json!({ "redirect_uris": [uri] })).await;
        assert_eq!(text(&told, "client_name"), name);
    }
}

#[tokio::test]
async fn keys_for_other_purposes_are_left_out_and_an_app_that_signs_with_its_key_gets_tokens() {
    let settings = open().with("GRANTOR_REGISTRATION_ALLOW_CLIENT_CREDENTIALS", "true");
    let server = Server::start_with(settings).await;
    let signing = json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "s",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let encryption = json!({ "kty": "OKP", "crv": "X25519", "use": "enc", "kid": "e", "x": "AAAA" });
    let told = registered(
        &server,
        &json!({
            "redirect_uris": ["https://app.example/callback"],
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "EdDSA",
            "jwks": { "keys": [encryption, signing] },
        }),
    )
    .await;
    assert_eq!(told["jwks"], json!({ "keys": [signing] }));
    assert_eq!(told.get("client_secret"), None);
    // A client with a secret that names its keys as well, as some libraries do, has no use for them here.
    let told = registered(
        &server,
        &json!({
            "redirect_uris": ["https://app.example/callback"], "jwks_uri": "https://app.example/jwks.json",
            "token_endpoint_auth_signing_alg": "RS256",
        }),
    )
    .await;
    assert_eq!([told.get("jwks_uri"), told.get("token_endpoint_auth_signing_alg")], [None, None]);
}
