use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;

use crate::web::app;
use crate::web::pages::WrongAddress;
use crate::web::respond::html;
use crate::web::security_headers::OWN_PAGE;

/// Guards pages. One asked for under another host name than the issuer's cannot work: cookies belong to a name. It says
/// the right address. Nothing else is ever taken from the `Host` header.
pub async fn guard_pages<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if asks_for_issuer(&request) {
        let mut response = next.call(request).await?.map_into_boxed_body();
        insist_on_https(&mut response);
        return Ok(response);
    }
    let address = app(request.request()).config.issuer.to_string();
    let page = WrongAddress { address: &address };
    let response = html(StatusCode::MISDIRECTED_REQUEST, &OWN_PAGE, &page);
    Ok(request.into_response(response))
}

/// RFC 6797: from the first page on, a browser comes back over TLS only.
fn insist_on_https(response: &mut ServiceResponse<BoxBody>) {
    if app(response.request()).config.issuer.is_https() {
        let year = header::HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
}

fn asks_for_issuer(request: &ServiceRequest) -> bool {
    let config = &app(request.request()).config;
    let text = |name: header::HeaderName| {
        request.headers().get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
    };
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    let behind_proxy =
        peer.is_some_and(|peer| config.server.trusted_proxies.iter().any(|network| network.contains(&peer)));
    let asked = if behind_proxy {
        // A proxy that does not say what it was asked for is trusted to have looked.
        match text(header::HeaderName::from_static("x-forwarded-host")) {
            Some(host) => host,
            None => return true,
        }
    } else {
        // HTTP/2 has the authority in the URI.
        let authority = request.uri().authority().map(ToString::to_string);
        authority.or_else(|| text(header::HOST)).unwrap_or_default()
    };
    config.issuer.is_at_host(&asked)
}
