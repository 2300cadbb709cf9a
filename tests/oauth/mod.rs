//! OAuth 2.1 as clients see it, one file per endpoint, grant or rule.

mod access_token;
mod at_rest;
mod authorization_code;
mod authorize;
mod client_assertions;
mod client_authentication;
mod client_credentials;
mod client_keys_by_address;
mod client_secrets;
mod consent;
mod forged_tokens;
mod introspection;
mod parameters;
mod pkce;
mod posted;
mod prompt;
mod redirect_uri;
mod refresh_lifetime;
mod refresh_reuse;
mod refresh_token;
mod resource_scopes;
mod resources;
mod revocation;
mod roles;
mod scopes;
mod signed_introspection;
mod withdrawal;

use crate::harness::{Answer, query_of};

/// Asserts an error page that leads nowhere (RFC 6749 §4.1.2.1: the redirect URI cannot be trusted).
#[track_caller]
fn assert_error_page(answer: &Answer, what: &str) {
    assert!(answer.is_error_page(), "{what}: {} {:?}", answer.status, answer.location());
    assert!(!answer.exists("a[href^='http']"), "{what}: the page links elsewhere");
}

/// Asserts a refusal by redirect to the registered redirect URI, with `state` and `iss` (RFC 9207 §2).
#[track_caller]
fn assert_refused(answer: &Answer, redirect_uri: &str, error: &str, what: &str) {
    assert_eq!(answer.status, 303, "{what}: {}", answer.body);
    let location = answer.location().unwrap();
    assert!(location.starts_with(&format!("{redirect_uri}?")), "{what}: {location}");
    let parameters = query_of(&location);
    assert_eq!(parameters.get("error").map(String::as_str), Some(error), "{what}: {location}");
    assert!(parameters["error_description"].len() > 10, "{what}: {location}");
    assert_eq!(parameters.get("state").map(String::as_str), Some("st4te"), "{what}: {location}");
    let issuer = answer.url.split("/authorize").next().unwrap().split("/consent").next().unwrap();
    assert_eq!(parameters.get("iss").map(String::as_str), Some(issuer), "{what}: {location}");
    assert!(!parameters.contains_key("code"), "{what}: {location}");
}
