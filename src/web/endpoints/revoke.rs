use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::protocol::TokenQuery;
use crate::web::extract::{ClientForm, ClientLimits, Now, RequestApp};
use crate::web::limits::Endpoint;
use crate::web::respond::{TokenFailure, not_stored};

/// The revocation endpoint (RFC 7009).
pub async fn revoke(
    app: RequestApp,
    form: ClientForm,
    limits: ClientLimits,
    now: Now,
) -> Result<HttpResponse, TokenFailure> {
    let client = app.authenticate(&form.credentials, now.get()).await?;
    limits.admit(Endpoint::Revocation, &client)?;
    let query = TokenQuery::parse(&form.parameters)?;
    app.revoke(&client, query.token.expose(), now.get()).await?;
    Ok(not_stored(StatusCode::OK).finish())
}
