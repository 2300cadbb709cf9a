use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

/// How long a browser may remember what it may send.
const REMEMBERED: &str = "7200";

/// What a script may send beyond what every form can.
const REQUEST_HEADERS: &str = "authorization, content-type, dpop, if-none-match";

/// What a script may read beyond what every script can.
const RESPONSE_HEADERS: &str = "etag, retry-after, www-authenticate, x-request-id";

/// Lets the scripts of every site read the answers (RFC 10017): for what apps in a browser need, and what answers to
/// nothing that a browser adds by itself. No cookie is ever looked at there, so that a script learns no more than its
/// own machine's `curl` would, and `Access-Control-Allow-Credentials` is never sent.
pub async fn open_to_scripts<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let_scripts_read(response.headers_mut());
    Ok(response)
}

/// The answer with these headers is open to the scripts of every site.
pub fn let_scripts_read(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_HEADERS));
}

/// The answer to the question that a browser asks before (Fetch, "CORS-preflight fetch").
pub async fn preflight(methods: &'static str) -> HttpResponse {
    HttpResponse::build(StatusCode::NO_CONTENT)
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, methods))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, REMEMBERED))
        .finish()
}
