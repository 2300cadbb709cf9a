//! Tokens of clients that registered themselves.

use std::time::Duration;

use serde_json::json;

use super::{Registration, start, unregister};
use crate::conformance::config::every_endpoint_is_https;
use crate::conformance::{Authentication, CALLBACK, Client, POST_LOGOUT};
use crate::harness::jwt;

#[tokio::test]
async fn oidcc_server() {
    let suite = start().await;
    let (client, registered) = Registration::new().succeeds(&suite).await;
    suite.sign_in(&client, &suite.request(&client)).await;
    assert!(suite.supported("token_endpoint_auth_methods_supported").contains(&"private_key_jwt"));
    unregister(&suite, &registered).await;
    // Beyond the module: nobody can come in its name any more.
    suite.server.change_arrives().await;
    let page = suite.open(&suite.request(&client)).await;
    assert!(page.is_error_page(), "{:?} {}", page.location(), page.body);
}

/// The basic and the logout plans run with such clients too: a secret, although a key comes along, and addresses for
/// the end of a session.
#[tokio::test]
async fn clients_of_the_other_plans_register_themselves_too() {
    let suite = start().await;
    for method in ["client_secret_basic", "client_secret_post"] {
        let registration = Registration::new()
            .with("token_endpoint_auth_method", json!(method))
            .with("post_logout_redirect_uris", json!([POST_LOGOUT]))
            .with("backchannel_logout_session_required", json!(true));
        let answer = registration.send(&suite).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let registered = answer.json();
        assert_eq!(registered["token_endpoint_auth_method"], method);
        assert_eq!(registered["client_secret_expires_at"], 0);
        assert_eq!(registered["post_logout_redirect_uris"], json!([POST_LOGOUT]));
        let client = Client {
            id: registered["client_id"].as_str().unwrap().to_owned(),
            redirect_uri: CALLBACK.to_owned(),
            authentication: Authentication::Basic(registered["client_secret"].as_str().unwrap().to_owned()),
        };
        let client = if method == "client_secret_post" { client.by_post() } else { client };
        let request = suite.request(&client).with("scope", "openid profile email address phone");
        suite.sign_in(&client, &request).await;
        unregister(&suite, &registered).await;
    }
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let suite = start().await;
    every_endpoint_is_https(&suite);
    assert_eq!(suite.endpoint("registration_endpoint"), format!("{}/register", suite.issuer()));
    // The module wants `id_token`, `token id_token` and `implicit` here too. Grantor has none of them and says so.
    assert_eq!(suite.supported("response_types_supported"), ["code"]);
    assert!(!suite.supported("grant_types_supported").contains(&"implicit"));
}

#[tokio::test]
async fn oidcc_idtoken_rs256() {
    let suite = start().await;
    let registration = Registration::new().with("id_token_signed_response_alg", json!("RS256"));
    let (client, registered) = registration.succeeds(&suite).await;
    assert_eq!(registered["id_token_signed_response_alg"], "RS256");
    let done = suite.sign_in(&client, &suite.request(&client)).await;
    assert_eq!(done.header.alg, jsonwebtoken::Algorithm::RS256);
    unregister(&suite, &registered).await;
}

/// The module is skipped where `none` is not offered, and it is not.
#[tokio::test]
async fn oidcc_idtoken_unsigned() {
    let suite = start().await;
    assert!(!suite.supported("id_token_signing_alg_values_supported").contains(&"none"));
    let unsigned = Registration::new().with("id_token_signed_response_alg", json!("none"));
    unsigned.is_refused_with(&suite, &["invalid_client_metadata"]).await;
}

#[tokio::test]
async fn oidcc_userinfo_rs256() {
    let suite = start().await;
    assert!(suite.supported("userinfo_signing_alg_values_supported").contains(&"RS256"));
    let registration = Registration::new().with("userinfo_signed_response_alg", json!("RS256"));
    let (client, registered) = registration.succeeds(&suite).await;
    assert_eq!(registered["userinfo_signed_response_alg"], "RS256");
    let callback = suite.authorize(&suite.request(&client)).await;
    let tokens = suite.redeem(&client, callback.code(suite.issuer())).await.tokens();
    // It asks for JSON as always, and what is registered decides.
    let answer = suite.userinfo(tokens.access_token()).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/jwt")));
    // OpenID Connect Core §5.3.2: signed, by the issuer and for this client. It is no ID token.
    let keys = suite.keys().await;
    let userinfo = verify_without_end(&keys, suite.issuer(), &answer.body, &client.id);
    let id_token = jwt::verify_by(&keys, suite.issuer(), tokens.0["id_token"].as_str().unwrap(), &client.id);
    assert_eq!(userinfo["sub"], id_token.claims["sub"]);
    assert!(userinfo.get("nonce").is_none());
}

/// A signed UserInfo answer need not say when it ends.
fn verify_without_end(
    keys: &jsonwebtoken::jwk::JwkSet,
    issuer: &str,
    token: &str,
    audience: &str,
) -> serde_json::Value {
    let header = jsonwebtoken::decode_header(token).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["iss", "aud", "sub"]);
    let key = keys.find(&header.kid.unwrap()).expect("the key is published");
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    jsonwebtoken::decode(token, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn oidcc_ensure_client_assertion_with_iss_aud_succeeds() {
    let suite = start().await;
    let (client, _) = Registration::new().succeeds(&suite).await;
    let callback = suite.authorize(&suite.request(&client)).await;
    suite.redeem(&client, callback.code(suite.issuer())).await.tokens();
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let suite = start().await;
    let registration =
        || Registration::new().with("grant_types", json!(["authorization_code", "refresh_token"]));
    let (first, _) = registration().succeeds(&suite).await;
    let (second, _) = registration().succeeds(&suite).await;
    let mut last = String::new();
    for client in [&first, &second] {
        let request = suite.request(client).with("scope", "openid offline_access").with("prompt", "consent");
        let done = suite.sign_in(client, &request).await;
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", done.tokens["refresh_token"].as_str().unwrap()),
        ];
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let refreshed = suite.token(client, &form).await.tokens();
        last = refreshed.refresh_token().to_owned();
    }
    let form = [("grant_type", "refresh_token"), ("refresh_token", last.as_str())];
    suite.token(&first, &form).await.assert_refused(400, "invalid_grant");
}
