use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};

use super::form_parameters;
use crate::protocol::{ClientCredentials, Parameters, TokenError};
use crate::web::respond::TokenFailure;

/// What a client posts to the token, introspection and revocation endpoints (RFC 6749 §3.2).
pub struct ClientForm {
    /// The parameters of the form.
    pub parameters: Parameters,
    /// How the client presented itself.
    pub credentials: ClientCredentials,
}

impl FromRequest for ClientForm {
    type Error = TokenFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, TokenFailure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { read(&request, payload).await.map_err(TokenFailure::from) })
    }
}

async fn read(request: &HttpRequest, payload: Payload) -> Result<ClientForm, TokenError> {
    // RFC 6749 §2.3.1 and §3.2: parameters go into the body, credentials never into the URL.
    if !request.query_string().is_empty() {
        return Err(TokenError::invalid_request(
            "there are parameters in the URL: send all of them in the form of the POST",
        ));
    }
    let parameters = form_parameters(request, payload)
        .await
        .map_err(|error| TokenError::invalid_request(error.to_string()))?;
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let authorization = match (headers.next(), headers.next()) {
        (None, _) => None,
        (Some(one), None) => Some(one.to_str().map_err(|_| {
            TokenError::invalid_client("the Authorization header has characters that it may not have")
        })?),
        _ => return Err(TokenError::invalid_request("there is more than one Authorization header")),
    };
    let credentials = ClientCredentials::from_request(authorization, &parameters)?;
    Ok(ClientForm { parameters, credentials })
}
