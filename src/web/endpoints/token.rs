use actix_web::HttpResponse;

use crate::protocol::TokenRequest;
use crate::telemetry::events;
use crate::web::extract::{ClientForm, ClientLimits, Now, RequestApp};
use crate::web::limits::Endpoint;
use crate::web::respond::{TokenFailure, json_not_stored};

/// The token endpoint (RFC 6749 §3.2).
pub async fn token(
    app: RequestApp,
    form: ClientForm,
    limits: ClientLimits,
    now: Now,
) -> Result<HttpResponse, TokenFailure> {
    let client = app.authenticate(&form.credentials, now.get()).await?;
    limits.admit(Endpoint::Token, &client)?;
    let request = TokenRequest::parse(&form.parameters)?;
    let grant_type = request.grant_type();
    let keys = app.keys_for(&client).await?;
    let validated = app.grants().validate(&client, request, now.get()).await?;
    let response = app.mint(&keys).issue(validated, app.registry.earlier_time(now.get())).await?;
    events::tokens_issued(grant_type);
    Ok(json_not_stored(&response))
}
