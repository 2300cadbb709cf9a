use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::client_address;
use crate::model::{Client, Network};
use crate::web::limits::{Endpoint, Limits};
use crate::web::refused::Refused;

/// The limits of the client that asks.
pub struct ClientLimits(HttpRequest);

impl ClientLimits {
    /// Counts the request of a client that has authenticated, or whose access token was presented.
    pub fn admit(&self, endpoint: Endpoint, client: &Client) -> Result<(), Refused> {
        let Some(limits) = self.0.app_data::<actix_web::web::Data<Limits>>() else { return Ok(()) };
        let unproved = (!client.is_confidential()).then(|| Network::of(client_address(&self.0)));
        limits.client(endpoint, &client.id, unproved)
    }
}

impl FromRequest for ClientLimits {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.clone())))
    }
}
