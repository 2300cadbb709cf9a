//! The start page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::web::DEMO;
use crate::web::extract::Visit;
use crate::web::failure::PageError;
use crate::web::pages::Start;
use crate::web::respond::html;
use crate::web::security_headers::OWN_PAGE;

/// `GET /`.
pub async fn show(visit: Visit) -> Result<HttpResponse, PageError> {
    let person = visit.person().await?;
    let page = Start {
        username: person.as_ref().map(|person| person.username.as_str()),
        demo_url: visit.app().demo.is_some().then_some(DEMO),
    };
    Ok(html(StatusCode::OK, &OWN_PAGE, &page))
}
