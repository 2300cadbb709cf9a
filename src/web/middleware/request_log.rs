//! A request id, a log line and a measurement for each request. The path is logged as the route's pattern and
//! the query never, since both can hold what is nobody's business.

use std::cell::RefCell;
use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tracing::Instrument;
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
    let id = new_id();
    let route = routes::known(request.path());
    let span = match route.is_some_and(routes::is_document) {
        true => tracing::debug_span!("request", id = %id),
        false => tracing::info_span!("request", id = %id),
    };
    REQUEST_ID.scope(id, measured(id, route, request, next).instrument(span)).await
}

async fn measured<B: MessageBody>(
    id: Uuid,
    route: Option<&'static str>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let started = Instant::now();
    let method = known_method(request.method());
    let mut response = next.call(request).await?;
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    // Most routes are paths as they are; for the others the library looks a second time.
    let route = route.or_else(|| routes::known(&response.request().match_pattern()?)).unwrap_or("other");
    request_answered(route, method, status_class(status), elapsed);
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    match routes::is_document(route) && status < 400 {
        true => tracing::debug!(method, route, status, micros, "answered"),
        false => tracing::info!(method, route, status, micros, "answered"),
    }
    if let Ok(value) = HeaderValue::from_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer())) {
        response.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
    Ok(response)
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
