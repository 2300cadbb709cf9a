use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::{form_parameters, query_parameters};
use crate::protocol::BearerError;
use crate::secret::Secret;
use crate::web::bearer::BearerFailure;

const ACCESS_TOKEN: &str = "access_token";

/// The access token of a request (RFC 6750 §2): in the header `Authorization`, or in the form of a POST.
pub struct BearerToken(pub Secret<String>);

impl FromRequest for BearerToken {
    type Error = BearerFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, BearerFailure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { read(&request, payload).await })
    }
}

async fn read(request: &HttpRequest, payload: Payload) -> Result<BearerToken, BearerFailure> {
    // OAuth 2.1 §5.1.1: never there, where logs and other sites see it.
    if query_parameters(request)?.contains(ACCESS_TOKEN) {
        return Err(invalid("the access token is in the URL: send it in the Authorization header"));
    }
    match (in_header(request)?, in_form(request, payload).await?) {
        (Some(_), Some(_)) => Err(invalid("the access token is sent in two ways: send it in one")),
        (Some(token), None) | (None, Some(token)) => Ok(BearerToken(token)),
        (None, None) => Err(BearerFailure::NoToken),
    }
}

/// RFC 6750 §2.1. Another scheme than Bearer is none of ours.
fn in_header(request: &HttpRequest) -> Result<Option<Secret<String>>, BearerFailure> {
    let fields: Vec<_> = request.headers().get_all(header::AUTHORIZATION).collect();
    let field = match fields.as_slice() {
        [] => return Ok(None),
        [one] => *one,
        _ => return Err(invalid("there is more than one Authorization header")),
    };
    let text = field
        .to_str()
        .map_err(|_| invalid("the Authorization header has characters that it may not have"))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    let token = token.trim_matches(' ');
    let is_sent = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty();
    Ok(is_sent.then(|| Secret::new(token.to_owned())))
}

/// RFC 6750 §2.2.
async fn in_form(request: &HttpRequest, payload: Payload) -> Result<Option<Secret<String>>, BearerFailure> {
    let is_form = request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded");
    if request.method() != Method::POST || !is_form {
        return Ok(None);
    }
    let parameters = form_parameters(request, payload).await.map_err(|error| invalid(error.to_string()))?;
    Ok(parameters.get(ACCESS_TOKEN)?.map(|token| Secret::new(token.to_owned())))
}

fn invalid(description: impl Into<std::borrow::Cow<'static, str>>) -> BearerFailure {
    BearerError::invalid_request(description).into()
}
