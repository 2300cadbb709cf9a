//! A request id, a log line and a measurement for each request. The path is logged as the route's pattern and
//! the query never, since both can hold what is nobody's business.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use metrics::histogram;
use tracing::Instrument;
use uuid::Uuid;

use crate::telemetry::metrics::{HTTP_REQUEST_DURATION, status_class};

tokio::task_local! {
    static REQUEST_ID: Uuid;
}

const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request that this task answers.
pub fn request_id() -> Option<String> {
    REQUEST_ID.try_with(Uuid::to_string).ok()
}

/// Wraps a request.
pub async fn log_request<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let id = Uuid::new_v4();
    let span = tracing::info_span!("request", id = %id);
    REQUEST_ID.scope(id, measured(id, request, next).instrument(span)).await
}

async fn measured<B: MessageBody>(
    id: Uuid,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let started = Instant::now();
    let method = known_method(request.method());
    let mut response = next.call(request).await?;
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    let route = response.request().match_pattern();
    let route = route.as_deref().and_then(crate::web::routes::known).unwrap_or("other");
    histogram!(HTTP_REQUEST_DURATION, "route" => route, "method" => method, "status" => status_class(status))
        .record(elapsed);
    tracing::info!(
        method,
        route,
        status,
        micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    if let Ok(value) = HeaderValue::from_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer())) {
        response.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
    Ok(response)
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
