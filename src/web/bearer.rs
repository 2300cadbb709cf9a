//! Refusals of what an access token opens, on their way out (RFC 6750 §3).

use std::error::Error;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

use super::refused::{Asker, Refused};
use super::respond::{RETRY_AFTER, not_stored};
use crate::keys::KeyError;
use crate::protocol::scope::OPENID;
use crate::protocol::{BearerError, BearerErrorCode, ParametersError};
use crate::telemetry::events;

/// Why a request with an access token is not answered as it wishes.
#[derive(Debug)]
pub enum BearerFailure {
    /// There is none.
    NoToken,
    /// The endpoint's own refusal.
    Error(BearerError),
    /// A limit.
    Refused(Refused),
}

impl From<BearerError> for BearerFailure {
    fn from(error: BearerError) -> Self {
        Self::Error(error)
    }
}

impl From<KeyError> for BearerFailure {
    fn from(error: KeyError) -> Self {
        Self::Error(error.into())
    }
}

impl From<ParametersError> for BearerFailure {
    fn from(error: ParametersError) -> Self {
        Self::Error(error.into())
    }
}

impl From<Refused> for BearerFailure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl std::fmt::Display for BearerFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoToken => f.write_str("there is no access token"),
            Self::Error(error) => error.fmt(f),
            Self::Refused(refused) => refused.error().fmt(f),
        }
    }
}

impl ResponseError for BearerFailure {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::Error(error) => {
                StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Refused(refused) => refused.status_for_programs(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            // RFC 6750 §3.1: who sent no token is told no error.
            Self::NoToken => not_stored(self.status_code())
                .insert_header((header::WWW_AUTHENTICATE, r#"Bearer realm="grantor""#))
                .finish(),
            Self::Error(error) => self.refuse(error),
            Self::Refused(refused) => refused.answer(Asker::Program),
        }
    }
}

impl BearerFailure {
    fn refuse(&self, error: &BearerError) -> HttpResponse {
        events::request_refused(error.code().as_str(), error.description(), error.source());
        let mut response = not_stored(self.status_code());
        if error.code().is_a_challenge() {
            response.insert_header((header::WWW_AUTHENTICATE, challenge(error)));
        }
        if error.code() == BearerErrorCode::TemporarilyUnavailable {
            response.insert_header((header::RETRY_AFTER, RETRY_AFTER));
        }
        response.json(error)
    }
}

/// RFC 6750 §3. A description has neither quotes nor backslashes.
fn challenge(error: &BearerError) -> String {
    let (code, description) = (error.code().as_str(), error.description());
    let scope = match error.code() {
        BearerErrorCode::InsufficientScope => format!(r#", scope="{OPENID}""#),
        _ => String::new(),
    };
    format!(r#"Bearer realm="grantor", error="{code}", error_description="{description}"{scope}"#)
}
