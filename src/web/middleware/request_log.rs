//! A request id, a log line and a measurement for each request. The path is logged as the route's pattern and
//! the query never, since both can hold what is nobody's business.

use std::cell::RefCell;
use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ResponseHead, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tracing::{Instrument, Span};
use uuid::{Builder, Uuid};

use crate::secret::random_bytes;
use crate::telemetry::metrics::{request_answered, status_class};
use crate::web::routes;

tokio::task_local! {
    static REQUEST_ID: Uuid;
}

const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request that this task answers.
pub fn request_id() -> Option<String> {
    REQUEST_ID.try_with(Uuid::to_string).ok()
}

/// Wraps a request. Documents and health are asked for by machines again and again: they are counted, and logged at
/// `debug` only where all is well.
pub async fn log_request<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let arrival = Arrival::of(request.method());
    let route = routes::known(request.path());
    let span = arrival.span(route.is_some_and(routes::is_document));
    REQUEST_ID.scope(arrival.id, measured(arrival, route, request, next).instrument(span)).await
}

async fn measured<B: MessageBody>(
    arrival: Arrival,
    route: Option<&'static str>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    // Most routes are paths as they are; for the others the library looks a second time.
    let route = route.or_else(|| routes::known(&response.request().match_pattern()?)).unwrap_or("other");
    arrival.answered(route, response.response_mut().head_mut());
    Ok(response)
}

/// What is noted of a request when it arrives.
#[derive(Clone, Copy)]
pub struct Arrival {
    id: Uuid,
    method: &'static str,
    /// When that was.
    pub at: Instant,
}

impl Arrival {
    /// A request with this method has arrived.
    pub fn of(method: &Method) -> Self {
        Self { id: new_id(), method: known_method(method), at: Instant::now() }
    }

    /// What is logged belongs to this request.
    pub fn span(&self, is_document: bool) -> Span {
        match is_document {
            true => tracing::debug_span!("request", id = %self.id),
            false => tracing::info_span!("request", id = %self.id),
        }
    }

    /// Measures and logs the answer, and gives it the request's id.
    pub fn answered(&self, route: &'static str, answer: &mut ResponseHead) {
        let (method, status, elapsed) = (self.method, answer.status.as_u16(), self.at.elapsed());
        request_answered(route, method, status_class(status), elapsed);
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        match routes::is_document(route) && status < 400 {
            true => tracing::debug!(method, route, status, micros, "answered"),
            false => tracing::info!(method, route, status, micros, "answered"),
        }
        let id = self.id.hyphenated();
        if let Ok(value) = HeaderValue::from_str(id.encode_lower(&mut Uuid::encode_buffer())) {
            answer.headers_mut().insert(REQUEST_ID_HEADER, value);
        }
    }
}

/// Ids that are drawn together: asking the generator takes longer than what it gives.
const DRAWN_TOGETHER: usize = 32;

thread_local! {
    static DRAWN: RefCell<Vec<[u8; 16]>> = const { RefCell::new(Vec::new()) };
}

fn new_id() -> Uuid {
    let drawn = DRAWN.with_borrow_mut(|drawn| {
        if drawn.is_empty() {
            drawn.extend(random_bytes::<{ 16 * DRAWN_TOGETHER }>().as_chunks().0);
        }
        drawn.pop().unwrap_or_else(random_bytes)
    });
    Builder::from_random_bytes(drawn).into_uuid()
}

fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
