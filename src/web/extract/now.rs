use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::time::Timestamp;

/// The request's time, read once.
#[derive(Debug, Clone, Copy)]
pub struct Now(Timestamp);

impl Now {
    /// Reads the clock.
    pub(super) fn read() -> Self {
        Self(Timestamp::now())
    }

    /// The instant.
    pub fn get(self) -> Timestamp {
        self.0
    }
}

impl FromRequest for Now {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::read()))
    }
}
