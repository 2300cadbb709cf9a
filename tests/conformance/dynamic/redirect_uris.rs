//! Redirect URIs with a query, with another one, with a fragment, and none.

use serde_json::json;

use super::{Registration, start};
use crate::conformance::CALLBACK;

/// A redirect URI with the suite's own query.
fn with_query() -> String {
    format!("{CALLBACK}?dummy1=lorem&dummy2=ipsum")
}

#[tokio::test]
async fn oidcc_redirect_uri_query_ok() {
    let suite = start().await;
    let registration = Registration::new().with("redirect_uris", json!([with_query()]));
    let (client, _) = registration.succeeds(&suite).await;
    let request = suite.request(&client);
    let callback = suite.authorize(&request).await;
    // RFC 6749 §3.1.2: the query is kept.
    assert_eq!(callback.parameters["dummy1"], "lorem");
    assert_eq!(callback.parameters["dummy2"], "ipsum");
    suite.finish(&client, &request, callback).await;
}

#[tokio::test]
async fn oidcc_redirect_uri_query_mismatch() {
    let suite = start().await;
    let registration = Registration::new().with("redirect_uris", json!([with_query()]));
    let (client, _) = registration.succeeds(&suite).await;
    let other = format!("{CALLBACK}?dummy1=lorem&dummy3=ipsum");
    let page = suite.open(&suite.request(&client).with("redirect_uri", &other)).await;
    assert!(page.is_error_page(), "{:?} {}", page.location(), page.body);
}

#[tokio::test]
async fn oidcc_redirect_uri_query_added() {
    let suite = start().await;
    let (client, _) = Registration::new().succeeds(&suite).await;
    let page = suite.open(&suite.request(&client).with("redirect_uri", &with_query())).await;
    assert!(page.is_error_page(), "{:?} {}", page.location(), page.body);
}

#[tokio::test]
async fn oidcc_redirect_uri_regfrag() {
    let suite = start().await;
    let registration = Registration::new().with("redirect_uris", json!([format!("{CALLBACK}#foobar")]));
    let errors = ["invalid_redirect_uri", "invalid_client_metadata"];
    registration.is_refused_with(&suite, &errors).await;
}

#[tokio::test]
async fn oidcc_ensure_redirect_uri_in_authorization_request() {
    let suite = start().await;
    let (client, _) = Registration::new().succeeds(&suite).await;
    let page = suite.open(&suite.request(&client).without("redirect_uri")).await;
    assert!(page.is_error_page(), "{:?} {}", page.location(), page.body);
}
