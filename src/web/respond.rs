//! From the protocol's answers to HTTP.

use std::error::Error;

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use askama::Template;
use serde::Serialize;

use super::pages::{AboutApp, FormPost};
use super::refused::{Asker, Refused};
use super::security_headers;
use crate::authorization::{AuthorizationResponse, Delivery};
use crate::keys::KeyError;
use crate::protocol::{TokenError, TokenErrorCode};
use crate::telemetry::events;

/// Seconds after which a client may try again when the server is busy.
pub const RETRY_AFTER: u64 = 1;

// As values they are not copied for each answer.
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
/// What is sent is what it says it is.
pub const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// A refusal of the token, introspection or revocation endpoint on its way out.
#[derive(Debug)]
pub enum TokenFailure {
    /// The endpoint's own refusal.
    Error(TokenError),
    /// A limit.
    Refused(Refused),
}

impl From<TokenError> for TokenFailure {
    fn from(error: TokenError) -> Self {
        Self::Error(error)
    }
}

impl From<Refused> for TokenFailure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<KeyError> for TokenFailure {
    fn from(error: KeyError) -> Self {
        Self::Error(error.into())
    }
}

impl std::fmt::Display for TokenFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Refused(refused) => refused.error().fmt(f),
        }
    }
}

impl ResponseError for TokenFailure {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Error(error) => {
                StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Refused(refused) => refused.status_for_programs(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let error = match self {
            Self::Error(error) => error,
            Self::Refused(refused) => return refused.answer(Asker::Program),
        };
        events::request_refused(error.code().as_str(), error.description(), error.source());
        let mut response = not_stored(self.status_code());
        match error.code() {
            // RFC 6749 §5.2, RFC 9110 §11.6.1.
            TokenErrorCode::InvalidClient => {
                response
                    .insert_header((header::WWW_AUTHENTICATE, r#"Basic realm="grantor", charset="UTF-8""#));
            }
            TokenErrorCode::TemporarilyUnavailable => {
                response.insert_header((header::RETRY_AFTER, RETRY_AFTER));
            }
            _ => {}
        }
        response.json(error)
    }
}

/// A JSON answer that no cache may keep (RFC 6749 §5.1).
pub fn json_not_stored(body: &impl Serialize) -> HttpResponse {
    // Room for what is usual: a token, or two.
    let mut json = Vec::with_capacity(2_048);
    match serde_json::to_writer(&mut json, body) {
        Ok(()) => not_stored(StatusCode::OK).insert_header((header::CONTENT_TYPE, JSON)).body(json),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// An answer that no cache may keep.
pub fn not_stored(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, NO_STORE));
    response.insert_header((header::PRAGMA, NO_CACHE));
    response.insert_header((header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF));
    response
}

/// Sends the browser on with GET, whatever it did before (RFC 9700 §4.12: 303, never 307).
pub fn see_other(location: &str) -> HttpResponse {
    let Ok(location) = HeaderValue::from_str(location) else {
        return HttpResponse::InternalServerError().finish();
    };
    not_stored(StatusCode::SEE_OTHER)
        .insert_header((header::LOCATION, location))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .finish()
}

/// Sends an answer to the client, in the way that it asked for.
pub fn to_client(response: &AuthorizationResponse) -> HttpResponse {
    match response.delivery() {
        Delivery::Redirect(location) => see_other(location.expose()),
        Delivery::Form { uri, fields } => {
            let page = FormPost { uri, fields };
            html(StatusCode::OK, &security_headers::FORM_POST, &page)
        }
    }
}

/// An answer of these headers, fixed for a kind of page.
pub fn html(status: StatusCode, headers: &[security_headers::Header], page: &impl Template) -> HttpResponse {
    let Ok(body) = page.render() else {
        return HttpResponse::InternalServerError().finish();
    };
    let mut response = HttpResponse::build(status);
    for header in headers {
        response.insert_header(*header);
    }
    response.content_type("text/html; charset=utf-8").body(body)
}

/// A page on the way of this app, which may show the app's picture.
pub fn html_about(status: StatusCode, about: &AboutApp<'_>, page: &impl Template) -> HttpResponse {
    let mut response = html(status, &security_headers::CLIENT_FLOW, page);
    let policy = about.logo.as_ref().map(|logo| security_headers::policy_with_picture_from(&logo.origin));
    if let Some(policy) = policy.and_then(|policy| HeaderValue::from_str(&policy).ok()) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Adds a cookie that is well-formed by its making.
pub fn with_cookie(mut response: HttpResponse, cookie: Option<Cookie<'static>>) -> HttpResponse {
    if let Some(cookie) = cookie
        && response.add_cookie(&cookie).is_err()
    {
        return HttpResponse::InternalServerError().finish();
    }
    response
}

/// The endpoint knows other methods only (RFC 6749 §3.2, RFC 9110 §15.5.6).
pub async fn method_not_allowed(allow: &'static str) -> HttpResponse {
    let error = TokenError::invalid_request(format!("this endpoint answers to {allow} only"));
    not_stored(StatusCode::METHOD_NOT_ALLOWED).insert_header((header::ALLOW, allow)).json(error)
}
