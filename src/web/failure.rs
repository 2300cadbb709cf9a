//! What interrupts a page: an error page, an answer that carries a refusal to the client, or that nobody is signed in.

use std::error::Error;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

use super::SIGN_OUT;
use super::extract::FormError;
use super::middleware::request_log::request_id;
use super::pages::{ErrorPage, Link};
use super::respond::{RETRY_AFTER, html, see_other, to_client};
use super::return_to::ReturnTo;
use super::security_headers::CLIENT_FLOW;
use crate::authorization::{AuthorizationResponse, Refusal};
use crate::logout::LogoutRefused;
use crate::protocol::{ParametersError, UntrustedRequest};
use crate::store::StoreError;
use crate::telemetry::events;
use crate::users::AccountError;

/// Why a handler of a page did not come to its end.
#[derive(Debug)]
pub enum PageError {
    /// An error page.
    Page(Box<Problem>),
    /// The client is told (RFC 6749 §4.1.2.1). Only a registered redirect URI gets here.
    Client(AuthorizationResponse),
    /// The page is for somebody who is signed in: the browser goes there first.
    NotSignedIn(ReturnTo),
}

/// What an error page says.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    title: &'static str,
    message: String,
    next_step: &'static str,
    /// Where a page of ours helps on.
    link: Option<Link<'static>>,
    code: &'static str,
    /// For the log alone.
    source: Option<Box<dyn Error + Send + Sync>>,
}

const LOAD_AGAIN: &str = "Please wait a moment and load this page again.";

const GO_BACK: &str = "Go back to the app and start again. If it happens again, tell whoever runs the app.";

impl PageError {
    fn page(status: StatusCode, title: &'static str, message: impl Into<String>, code: &'static str) -> Self {
        Self::Page(Box::new(Problem {
            status,
            title,
            message: message.into(),
            next_step: GO_BACK,
            link: None,
            code,
            source: None,
        }))
    }

    fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        if let Self::Page(problem) = &mut self {
            problem.source = Some(source.into());
        }
        self
    }

    fn then(mut self, next_step: &'static str) -> Self {
        if let Self::Page(problem) = &mut self {
            problem.next_step = next_step;
        }
        self
    }

    fn leading_to(mut self, href: &'static str, text: &'static str) -> Self {
        if let Self::Page(problem) = &mut self {
            problem.link = Some(Link { href, text });
        }
        self
    }

    /// Something in the request cannot be read.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::unreadable(StatusCode::BAD_REQUEST, message)
    }

    /// A form that another site sent.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::page(StatusCode::FORBIDDEN, "This form was not sent from here", message, "invalid_request")
    }

    /// The sealed request in the address is too old, incomplete, or none of ours.
    pub fn request_expired() -> Self {
        Self::page(
            StatusCode::BAD_REQUEST,
            "This sign-in has been open for too long",
            "The address of this page is only good for an hour, or it is incomplete.",
            "invalid_request",
        )
    }

    /// The body of the request did not arrive as it should.
    pub fn unreadable(status: StatusCode, message: impl Into<String>) -> Self {
        Self::page(status, "This request cannot be read", message, "invalid_request")
    }

    /// The service cannot answer at this moment.
    pub fn unavailable() -> Self {
        Self::page(
            StatusCode::SERVICE_UNAVAILABLE,
            "We cannot answer just now",
            "The service is busy or being restarted. Nothing is lost.",
            "temporarily_unavailable",
        )
        .then(LOAD_AGAIN)
    }

    /// More pages were asked for from one address than the limits allow.
    pub fn too_many_requests() -> Self {
        Self::page(
            StatusCode::TOO_MANY_REQUESTS,
            "There are too many requests from your network",
            "Nothing is lost, and nothing is locked.",
            "temporarily_unavailable",
        )
        .then("Please wait a minute and load this page again.")
    }

    /// The hashing pool is full.
    pub fn busy() -> Self {
        Self::page(
            StatusCode::SERVICE_UNAVAILABLE,
            "Many people are signing in just now",
            "Nothing is lost.",
            "temporarily_unavailable",
        )
        .then(LOAD_AGAIN)
    }

    /// There is no such page.
    pub fn not_found() -> Self {
        Self::page(
            StatusCode::NOT_FOUND,
            "There is no such page",
            "The address may be mistyped.",
            "not_found",
        )
        .then("Check the address, or go to the start page.")
        .leading_to("/", "Go to the start page")
    }

    /// The page knows another method.
    pub fn method_not_allowed() -> Self {
        Self::page(
            StatusCode::METHOD_NOT_ALLOWED,
            "This page cannot be used this way",
            "It was asked for with a method that it does not know.",
            "invalid_request",
        )
    }
}

impl std::fmt::Display for PageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Page(problem) => write!(f, "{}: {}", problem.code, problem.message),
            Self::Client(_) => f.write_str("sent to the client with an error"),
            Self::NotSignedIn(_) => f.write_str("sent to the sign-in page"),
        }
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Page(problem) => problem.status,
            Self::Client(response) => to_client(response).status(),
            Self::NotSignedIn(_) => StatusCode::SEE_OTHER,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Page(problem) => problem.respond(),
            Self::Client(response) => to_client(response),
            Self::NotSignedIn(page) => see_other(&page.after_sign_in()),
        }
    }
}

impl Problem {
    fn respond(&self) -> HttpResponse {
        let source = self.source.as_deref().map(|source| source as &(dyn Error + 'static));
        events::request_refused(self.code, &self.message, source);
        let request_id = request_id();
        let page = ErrorPage {
            title: self.title,
            message: &self.message,
            next_step: self.next_step,
            code: Some(self.code),
            request_id: request_id.as_deref(),
            link: self.link,
        };
        let mut response = html(self.status, &CLIENT_FLOW, &page);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(RETRY_AFTER));
        }
        response
    }
}

impl From<ParametersError> for PageError {
    fn from(error: ParametersError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<FormError> for PageError {
    fn from(error: FormError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<UntrustedRequest> for PageError {
    fn from(error: UntrustedRequest) -> Self {
        Self::page(
            StatusCode::BAD_REQUEST,
            "This app cannot sign you in",
            format!("The app sent a request that does not fit its registration: {error}."),
            error.code(),
        )
    }
}

impl From<LogoutRefused> for PageError {
    fn from(refused: LogoutRefused) -> Self {
        match refused {
            LogoutRefused::Store(error) => error.into(),
            refused => Self::page(
                StatusCode::BAD_REQUEST,
                "This app cannot sign you out here",
                format!(
                    "You have not been signed out, since the app sent a request that cannot be followed: {refused}."
                ),
                "invalid_request",
            )
            .then("You can sign out here without the app. If this happens again, tell whoever runs it.")
            .leading_to(SIGN_OUT, "Sign out"),
        }
    }
}

impl From<Refusal> for PageError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Page(error) => error.into(),
            Refusal::Store(error) => error.into(),
            Refusal::Answer(target, error) => {
                events::request_refused(error.code().as_str(), error.description(), error.source());
                Self::Client(target.refuse(&error))
            }
        }
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        let page = match error {
            StoreError::Unavailable(_) => Self::unavailable(),
            _ => Self::page(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side",
                "The people who run this service can see what happened.",
                "server_error",
            ),
        };
        page.then(LOAD_AGAIN).with_source(error)
    }
}

impl From<serde_json::Error> for PageError {
    fn from(error: serde_json::Error) -> Self {
        Self::page(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on our side",
            "The people who run this service can see what happened.",
            "server_error",
        )
        .with_source(error)
    }
}

impl From<AccountError> for PageError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::LinkInvalid => Self::page(
                StatusCode::BAD_REQUEST,
                "This link is no longer good",
                "A link to set a password works once and for a short time.",
                "invalid_request",
            )
            .then("Ask whoever sent it to you for a new one."),
            AccountError::Busy(_) => Self::busy(),
            AccountError::Store(error) => error.into(),
            error => Self::bad_request(error.to_string()),
        }
    }
}
