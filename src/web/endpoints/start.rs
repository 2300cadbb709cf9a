//! The start page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

use crate::app::App;
use crate::web::DEMO;
use crate::web::extract::{Now, SessionCookie};
use crate::web::failure::PageError;
use crate::web::pages::Start;
use crate::web::respond::html;
use crate::web::security_headers::OWN_PAGE;

/// `GET /`.
pub async fn show(
    app: Data<App>,
    SessionCookie(session): SessionCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let person = match session {
        Some(session) => app.store.session(&session.hash(), now.get()).await?,
        None => None,
    };
    let page = Start {
        username: person.as_ref().map(|person| person.username.as_str()),
        demo_url: app.demo.is_some().then_some(DEMO),
    };
    Ok(html(StatusCode::OK, &OWN_PAGE, &page))
}
