//! Requests that must not succeed, or may be refused.

use grantor::secret::base64url;
use rstest::rstest;
use serde_json::{Map, json};

use crate::conformance::{Client, Request, ResponseMode, Suite};

#[rstest]
#[tokio::test]
async fn oidcc_response_type_missing(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client).without("response_type");
    let callback = suite.answered_at_once(&request).await;
    callback.refuses_with(suite.issuer(), &["invalid_request", "unsupported_response_type"]);
}

#[rstest]
#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let elsewhere = format!("{}/TmljZSB0cnk", client.redirect_uri);
    let page = suite.open(&suite.request(&client).with("redirect_uri", &elsewhere)).await;
    assert!(page.is_error_page(), "{:?} {}", page.location(), page.body);
    // The suite's browser is told to look for this text.
    assert!(page.text_of("#error-page").contains("invalid_request"), "{}", page.text_of("#error-page"));
}

/// The request as an unsigned request object (OpenID Connect Core §6.1).
fn request_object(request: &Request, issuer: &str) -> String {
    let mut claims: Map<String, _> =
        request.parameters().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    claims.extend([("aud".to_owned(), json!(issuer)), ("iss".to_owned(), claims["client_id"].clone())]);
    let header = base64url(json!({"alg": "none"}).to_string().as_bytes());
    format!("{header}.{}.", base64url(json!(claims).to_string().as_bytes()))
}

/// What stands outside a request object: what OAuth wants of every request.
fn around_an_object(request: Request) -> Request {
    request.without("state").without("nonce")
}

#[rstest]
#[tokio::test]
async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client);
    let object = request_object(&request, suite.issuer());
    let callback = suite.answered_at_once(&around_an_object(request).with("request", &object)).await;
    callback.refuses_with(suite.issuer(), &["request_not_supported"]);
}

#[rstest]
#[tokio::test]
async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let request = around_an_object(suite.request(&client));
    let address = "https://localhost.emobix.co.uk:8443/test/a/grantor/requesturi/x#y";
    let callback = suite.answered_at_once(&request.with("request_uri", address)).await;
    callback.refuses_with(suite.issuer(), &["request_uri_not_supported"]);
}

/// The address outside the object is not registered, so that the answer must not go to the one inside.
#[rstest]
#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri(
    #[values(ResponseMode::Query, ResponseMode::FormPost)] mode: ResponseMode,
) {
    let suite = Suite::start(mode).await;
    let client = Client::register(&suite.server, &[]);
    let request = suite.request(&client);
    let object = request_object(&request, suite.issuer());
    let outside = format!("{}_invalid", client.redirect_uri);
    let request = around_an_object(request).with("redirect_uri", &outside).with("request", &object);
    let page = suite.open(&request).await;
    assert!(page.is_error_page(), "{:?} {}", page.location(), page.body);
}
