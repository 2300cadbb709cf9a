use actix_web::HttpResponse;

use crate::protocol::{TokenError, TokenQuery};
use crate::web::extract::{ClientForm, Now, RequestApp};
use crate::web::respond::{TokenFailure, json_not_stored};

/// The introspection endpoint (RFC 7662).
pub async fn introspect(app: RequestApp, form: ClientForm, now: Now) -> Result<HttpResponse, TokenFailure> {
    let client = app.authenticate(&form.credentials, now.get()).await?;
    // RFC 7662 §2.1: only who can prove to be somebody, or anybody could scan for tokens.
    if !client.is_confidential() {
        return Err(TokenError::invalid_client("a public client cannot introspect tokens").into());
    }
    let query = TokenQuery::parse(&form.parameters)?;
    Ok(json_not_stored(&app.introspect(&client, query.token.expose(), now.get()).await?))
}
