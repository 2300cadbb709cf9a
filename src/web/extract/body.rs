use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use crate::protocol::{Parameters, ParametersError};
use crate::web::app;

/// Most bytes of a form.
const LONGEST_FORM: usize = 64 * 1024;

/// Why a form cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// Another content type.
    #[error("the body is not a form: send Content-Type application/x-www-form-urlencoded")]
    NotAForm,
    /// Longer than 64 KiB.
    #[error("the form is too long")]
    TooLong,
    /// The body took longer than `server.request_timeout`.
    #[error("the form took too long to arrive")]
    TooSlow,
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

/// The parameters of a form, bounded in size and in the time that it may take to arrive.
pub async fn form_parameters(request: &HttpRequest, mut payload: Payload) -> Result<Parameters, FormError> {
    if !request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(FormError::NotAForm);
    }
    let body = web::Payload::from_request(request, &mut payload).await.map_err(|_| FormError::Broken)?;
    let timeout = app(request).config.server.request_timeout;
    match tokio::time::timeout(timeout, body.to_bytes_limited(LONGEST_FORM)).await {
        Ok(Ok(Ok(bytes))) => Ok(Parameters::parse(&bytes)?),
        Ok(Ok(Err(_))) => Err(FormError::Broken),
        Ok(Err(_)) => Err(FormError::TooLong),
        Err(_) => Err(FormError::TooSlow),
    }
}
