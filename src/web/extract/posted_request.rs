use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::form_parameters;
use crate::protocol::Parameters;
use crate::web::failure::PageError;

/// What an app has its own page post through a browser (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2). A
/// browser sends no session cookie along with another site's form, so that where none came the request goes round once
/// more as a GET.
pub struct PostedRequest(pub Parameters);

impl FromRequest for PostedRequest {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if !request.query_string().is_empty() {
                let message = "There are parameters both in the address and in the form.";
                return Err(PageError::bad_request(message));
            }
            Ok(Self(form_parameters(&request, payload).await?))
        })
    }
}
