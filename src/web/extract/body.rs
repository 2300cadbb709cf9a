use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

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
pub async fn form_parameters(request: &HttpRequest, mut payload: Payload) -> Result<Parameters, FormError> {
    if !request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(FormError::NotAForm);
    }
    let body = web::Bytes::from_request(request, &mut payload).await.map_err(|_| FormError::Broken)?;
    Ok(Parameters::parse(&body)?)
}
