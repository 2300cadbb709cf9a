//! Requests that are refused before or instead of being handled, told to programs and to people in their own way.

use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use metrics::counter;

use super::failure::PageError;
use super::respond::{RETRY_AFTER, not_stored};
use crate::protocol::TokenError;
use crate::telemetry::metrics::REQUESTS_REFUSED;

/// Who reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// A program, which reads JSON.
    Program,
    /// A person, who reads a page.
    Person,
}

/// Why a request is not handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The body has more than 64 KiB.
    BodyTooLong,
    /// The body took longer than `server.request_timeout`.
    BodyTooSlow,
    /// The body ended early.
    BodyBroken,
    /// The worker has more to do than it can do in time.
    Overloaded,
    /// More was asked for than the limits allow.
    TooMany {
        /// When to try again.
        wait: Duration,
    },
    /// The answer would have taken longer than `server.request_timeout`.
    TooLate,
}

impl Refused {
    /// The answer. A program is told in the form of RFC 6749 §5.2, and to come back by the code that RFC 6749
    /// §4.1.2.1 has for this.
    pub fn answer(self, asker: Asker) -> HttpResponse {
        counter!(REQUESTS_REFUSED, "reason" => self.reason()).increment(1);
        let mut response = match asker {
            Asker::Program => not_stored(self.status_for_programs()).json(self.error()),
            Asker::Person => self.page().error_response(),
        };
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        }
        response
    }

    /// For logs and metrics.
    fn reason(self) -> &'static str {
        match self {
            Self::BodyTooLong => "body_too_long",
            Self::BodyTooSlow => "body_too_slow",
            Self::BodyBroken => "body_broken",
            Self::Overloaded => "overloaded",
            Self::TooMany { .. } => "too_many",
            Self::TooLate => "too_late",
        }
    }

    /// RFC 6749 §5.2: `invalid_request` comes with 400.
    pub fn status_for_programs(self) -> StatusCode {
        match self {
            Self::BodyTooLong | Self::BodyTooSlow | Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::TooMany { .. } | Self::Overloaded | Self::TooLate => self.status(),
        }
    }

    /// RFC 9110 §15.5.9, §15.5.14 and §15.6.4, RFC 6585 §4.
    fn status(self) -> StatusCode {
        match self {
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Overloaded | Self::TooLate => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Seconds, where the same request may be welcome later.
    fn retry_after(self) -> Option<u64> {
        match self {
            Self::BodyTooLong | Self::BodyTooSlow | Self::BodyBroken => None,
            Self::TooMany { wait } => Some(wait.as_secs() + 1),
            Self::Overloaded | Self::TooLate => Some(RETRY_AFTER),
        }
    }

    /// As a program reads it.
    pub fn error(self) -> TokenError {
        match self {
            Self::BodyTooLong => TokenError::invalid_request("the form is too long"),
            Self::BodyTooSlow => TokenError::invalid_request("the form took too long to arrive"),
            Self::BodyBroken => TokenError::invalid_request("the form ended early"),
            Self::Overloaded => TokenError::temporarily_unavailable(
                "the server has more to do than it can: try again in a moment",
            ),
            Self::TooMany { .. } => {
                TokenError::temporarily_unavailable("there are too many requests: try again later")
            }
            Self::TooLate => TokenError::temporarily_unavailable(
                "the server could not answer in time: try again in a moment",
            ),
        }
    }

    fn page(self) -> PageError {
        match self {
            Self::BodyTooLong | Self::BodyTooSlow | Self::BodyBroken => {
                PageError::unreadable(self.status(), format!("{}.", self.error().description()))
            }
            Self::TooMany { .. } => PageError::too_many_requests(),
            Self::Overloaded | Self::TooLate => PageError::unavailable(),
        }
    }
}
