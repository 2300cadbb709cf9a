//! Refusals of the registration endpoints on their way out (RFC 7591 §3.2.2).

use std::error::Error;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

use super::refused::{Asker, Refused};
use super::respond::{RETRY_AFTER, not_stored};
use crate::clients::NotRegistered;
use crate::protocol::{ClientRegistrationError, ClientRegistrationErrorCode};
use crate::telemetry::events;

/// Why a client was not registered, read, changed or deleted.
#[derive(Debug)]
pub enum RegistrationFailure {
    /// Clients do not register themselves here.
    Off,
    /// The endpoint's own refusal.
    Error(ClientRegistrationError),
    /// A limit.
    Refused(Refused),
}

impl From<ClientRegistrationError> for RegistrationFailure {
    fn from(error: ClientRegistrationError) -> Self {
        Self::Error(error)
    }
}

impl From<NotRegistered> for RegistrationFailure {
    fn from(error: NotRegistered) -> Self {
        match error {
            NotRegistered::Refused(error) => Self::Error(error),
            NotRegistered::TooMany { retry_after } => Self::Refused(Refused::TooMany { wait: retry_after }),
        }
    }
}

impl std::fmt::Display for RegistrationFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => f.write_str("clients do not register themselves here"),
            Self::Error(error) => error.fmt(f),
            Self::Refused(refused) => refused.error().fmt(f),
        }
    }
}

impl ResponseError for RegistrationFailure {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Off => StatusCode::NOT_FOUND,
            Self::Error(error) => {
                StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Refused(refused) => refused.status_for_programs(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let off;
        let error = match self {
            Self::Off => {
                off = ClientRegistrationError::invalid_request("clients do not register themselves here");
                &off
            }
            Self::Error(error) => error,
            Self::Refused(refused) => return refused.answer(Asker::Program),
        };
        events::request_refused(error.code().as_str(), error.description(), error.source());
        let mut response = not_stored(self.status_code());
        match error.code() {
            // RFC 6750 §3.
            ClientRegistrationErrorCode::InvalidToken => {
                response.insert_header((
                    header::WWW_AUTHENTICATE,
                    r#"Bearer realm="grantor", error="invalid_token""#,
                ));
            }
            ClientRegistrationErrorCode::TemporarilyUnavailable => {
                response.insert_header((header::RETRY_AFTER, RETRY_AFTER));
            }
            _ => {}
        }
        response.json(error)
    }
}
