use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::web::bearer::BearerFailure;
use crate::web::extract::{BearerToken, ClientLimits, Now, RequestApp};
use crate::web::limits::Endpoint;
use crate::web::respond::{json_not_stored, not_stored};

/// UserInfo (OpenID Connect Core §5.3), by GET and by POST, which answers by JSON or, where the client is registered for
/// it, by a signed JWT.
pub async fn userinfo(
    app: RequestApp,
    BearerToken(token): BearerToken,
    limits: ClientLimits,
    now: Now,
) -> Result<HttpResponse, BearerFailure> {
    let answer = app.userinfo(token.expose(), now.get()).await?;
    limits.admit(Endpoint::UserInfo, &answer.client)?;
    match answer.client.openid.userinfo_signed_response_alg {
        None => Ok(json_not_stored(&answer.claims)),
        Some(alg) => {
            let signed = app.sign_userinfo(&answer, alg).await?;
            Ok(not_stored(StatusCode::OK).content_type("application/jwt").body(signed))
        }
    }
}
