//! Stylesheet and icon, under names that change with their content.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use super::assets;
use super::failure::PageError;

/// An asset, to be kept for good.
pub async fn asset(request: HttpRequest) -> HttpResponse {
    let Some(asset) = assets::find(request.path()) else {
        return PageError::not_found().error_response();
    };
    HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, assets::CACHE_CONTROL))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(asset.bytes)
}
