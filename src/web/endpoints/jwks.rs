use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::web::respond::public_document;

/// The published keys (RFC 7517 §5), prepared when they change.
pub async fn jwks(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let keys = app.keys.current();
    let jwks = keys.jwks(app.registry.database_time());
    public_document(&request, "application/jwk-set+json", &jwks.etag, app.config.keys.jwks_max_age, || {
        jwks.body.clone()
    })
}
