use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse};

use crate::protocol::introspection_format::{IntrospectionFormat, SIGNED_MEDIA_TYPE};
use crate::protocol::{TokenError, TokenQuery};
use crate::web::extract::{ClientForm, ClientLimits, Now, RequestApp};
use crate::web::limits::Endpoint;
use crate::web::respond::{TokenFailure, json_not_stored, not_stored};

/// The introspection endpoint (RFC 7662), which answers by JSON or by a signed JWT (RFC 9701).
pub async fn introspect(
    app: RequestApp,
    request: HttpRequest,
    form: ClientForm,
    limits: ClientLimits,
    now: Now,
) -> Result<HttpResponse, TokenFailure> {
    let client = app.authenticate(&form.credentials, now.get()).await?;
    limits.admit(Endpoint::Introspection, &client)?;
    // RFC 7662 §2.1: only who can prove to be somebody, or anybody could scan for tokens.
    if !client.is_confidential() {
        return Err(TokenError::invalid_client("a public client cannot introspect tokens").into());
    }
    let query = TokenQuery::parse(&form.parameters)?;
    let answer = app.introspect(&client, query.token.expose(), now.get()).await?;
    let prefers_signed = client.introspection_signed_response_alg.is_some();
    match IntrospectionFormat::choose(accepted(request.headers()), prefers_signed) {
        IntrospectionFormat::Json => Ok(json_not_stored(&answer)),
        IntrospectionFormat::SignedJwt => {
            let signed = app.sign_introspection(&client, &answer, now.get()).await?;
            Ok(not_stored(StatusCode::OK).content_type(SIGNED_MEDIA_TYPE).body(signed))
        }
    }
}

fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(header::ACCEPT).filter_map(|field| field.to_str().ok())
}
