use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use crate::app::App;
use crate::web::respond::not_stored;

/// The process runs.
pub async fn live() -> HttpResponse {
    not_stored(StatusCode::OK).json(serde_json::json!({"status": "live"}))
}

/// The process can serve: the database answers, the clocks agree, and it is not shutting down.
pub async fn ready(app: Data<App>) -> HttpResponse {
    match app.not_ready() {
        None => not_stored(StatusCode::OK).json(serde_json::json!({"status": "ready"})),
        Some(reason) => not_stored(StatusCode::SERVICE_UNAVAILABLE)
            .json(serde_json::json!({"status": "not ready", "reason": reason})),
    }
}
