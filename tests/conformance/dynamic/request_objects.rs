//! Request objects: until they are supported, registration takes their metadata and the request is refused clearly.

use serde_json::json;

use super::{Registration, start};
use crate::conformance::{Client, Suite};

const OBJECT: &str = "https://localhost.emobix.co.uk:8443/test/a/grantor/requesturi/x";

/// Asserts that a request by reference is refused and nothing else.
async fn a_reference_is_refused(suite: &Suite, client: &Client) {
    // The module asks for `true` here.
    assert_eq!(suite.metadata["request_uri_parameter_supported"], false);
    let request = suite.request(client).without("state").without("nonce").with("request_uri", OBJECT);
    let callback = suite.answered_at_once(&request).await;
    callback.refuses_with(suite.issuer(), &["request_uri_not_supported"]);
    // The client is none the worse for it.
    suite.sign_in(client, &suite.request(client)).await;
}

#[tokio::test]
async fn oidcc_request_uri_unsigned() {
    let suite = start().await;
    let (client, _) = Registration::new().with("request_uris", json!([OBJECT])).succeeds(&suite).await;
    a_reference_is_refused(&suite, &client).await;
}

#[tokio::test]
async fn oidcc_request_uri_signed_rs256() {
    let suite = start().await;
    let registration = Registration::new()
        .with("request_uris", json!([OBJECT]))
        .with("request_object_signing_alg", json!("RS256"));
    let (client, _) = registration.succeeds(&suite).await;
    a_reference_is_refused(&suite, &client).await;
}

#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    let suite = start().await;
    let (client, _) = Registration::new().succeeds(&suite).await;
    let outside = format!("{}_invalid", client.redirect_uri);
    let request = suite.request(&client).with("redirect_uri", &outside).with("request", "e30.e30.");
    let page = suite.open(&request).await;
    assert!(page.is_error_page(), "{:?} {}", page.location(), page.body);
}
