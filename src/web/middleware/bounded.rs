//! The bounds of every request that does work: how often one may ask, how long its body may take to arrive and how
//! large it may be, how many may be in work, and how long an answer may take.

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{Error, HttpMessage};
use futures_util::StreamExt;

use crate::model::Network;
use crate::store::with_patience;
use crate::web::app;
use crate::web::arriving::Arriving;
use crate::web::extract::client_address;
use crate::web::limits::{Endpoint, Limits};
use crate::web::load::Load;
use crate::web::refused::Refused;

/// Most bytes of a body.
const LONGEST_BODY: usize = 64 * 1024;

/// Answers within bounds. The body is there before the work begins, so that a slow client holds nothing but its own
/// connection.
///
/// Work that is not done in time is dropped where it stands. Nothing is half done by that: what must happen together
/// is one statement, or a transaction that is rolled back. What was written without having been acknowledged is as
/// if the answer had been lost on its way.
pub async fn bounded(
    endpoint: Endpoint,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (asker, from) = (endpoint.asker(), Network::of(client_address(request.request())));
    let limits = request.app_data::<Data<Limits>>().cloned();
    if let Some(Err(refused)) = limits.as_ref().map(|limits| limits.request(endpoint, from)) {
        return Ok(request.into_response(refused.answer(asker)));
    }
    let config = &app(request.request()).config;
    let (patience, for_connections) = (config.server.request_timeout, config.database.acquire_timeout / 2);
    let refuse = |request: ServiceRequest, refused: Refused| Ok(request.into_response(refused.answer(asker)));
    // What nobody will read needs not to be waited for.
    if matches!(*request.method(), Method::POST | Method::PUT) {
        match tokio::time::timeout(patience, body(&mut request)).await {
            Ok(Ok(bytes)) => request.set_payload(Payload::from(bytes)),
            Ok(Err(refused)) => return refuse(request, refused),
            Err(_) => return refuse(request, Refused::BodyTooSlow),
        }
    }
    let load = request.app_data::<Rc<Load>>().cloned();
    let Some(_in_work) = load.and_then(|load| load.take_on()) else {
        return refuse(request, Refused::Overloaded);
    };
    let asked = request.request().clone();
    let work = with_patience(for_connections, next.call(request));
    match tokio::time::timeout(patience, work).await {
        Ok(answered) => {
            let answered = answered?;
            if let Some(limits) = limits.filter(|_| answered.status().is_client_error()) {
                limits.failed(endpoint, from);
            }
            Ok(answered)
        }
        Err(_) => Ok(ServiceResponse::new(asked, Refused::TooLate.answer(asker))),
    }
}

async fn body(request: &mut ServiceRequest) -> Result<Bytes, Refused> {
    let mut room = request.app_data::<Rc<Arriving>>().map(Arriving::room);
    let mut payload = request.take_payload();
    // Most bodies are one chunk, which needs not to be copied.
    let (mut first, mut body) = (Bytes::new(), BytesMut::new());
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Refused::BodyBroken)?;
        let length = first.len() + body.len() + chunk.len();
        if length > LONGEST_BODY {
            return Err(Refused::BodyTooLong);
        }
        if room.as_mut().is_some_and(|room| !room.grow_to(length)) {
            return Err(Refused::Overloaded);
        }
        if first.is_empty() && body.is_empty() {
            first = chunk;
        } else {
            body.extend_from_slice(&std::mem::take(&mut first));
            body.extend_from_slice(&chunk);
        }
    }
    Ok(if body.is_empty() { first } else { body.freeze() })
}
