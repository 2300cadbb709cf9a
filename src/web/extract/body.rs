use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest};
use futures_util::StreamExt;

use crate::protocol::{Parameters, ParametersError};

/// Why a form cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// Another content type.
    #[error("the body is not a form: send Content-Type application/x-www-form-urlencoded")]
    NotAForm,
    /// The connection broke.
    #[error("the form ended early")]
    Broken,
    /// The form itself.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
}

/// The parameters of the URL's query, read as strictly as a form.
pub fn query_parameters(request: &HttpRequest) -> Result<Parameters, ParametersError> {
    Parameters::parse(request.query_string().as_bytes())
}

/// The parameters of a form. Its size, and the time that it took to arrive, were bounded before.
pub async fn form_parameters(request: &HttpRequest, payload: Payload) -> Result<Parameters, FormError> {
    if !request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(FormError::NotAForm);
    }
    Ok(Parameters::parse(&whole(payload).await?)?)
}

/// The body, which `bounded` has put together: there is one chunk of it.
async fn whole(mut payload: Payload) -> Result<Bytes, FormError> {
    let body = payload.next().await.unwrap_or(Ok(Bytes::new())).map_err(|_| FormError::Broken)?;
    if payload.next().await.is_some() { Err(FormError::Broken) } else { Ok(body) }
}
