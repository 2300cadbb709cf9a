use std::convert::Infallible;
use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::client_address;
use crate::app::App;
use crate::model::Origin;

/// The app on behalf of this request: what it writes is recorded as coming from the request's address. Handlers that
/// may change something take it; nothing else knows the address.
pub struct RequestApp(App);

impl RequestApp {
    /// The app on behalf of this one.
    pub fn of(request: &HttpRequest) -> Self {
        let origin = Origin::request(client_address(request));
        Self(crate::web::app(request).on_behalf_of(origin))
    }
}

impl Deref for RequestApp {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

impl FromRequest for RequestApp {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}
