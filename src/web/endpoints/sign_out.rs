//! Signing out: asked first, since any site can link here.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::web::SIGN_OUT;
use crate::web::extract::{CsrfForm, SessionCookie, Visit};
use crate::web::failure::PageError;
use crate::web::pages::{SignOut, SignedOut};
use crate::web::respond::{html, with_cookie};
use crate::web::security_headers::OWN_PAGE;

/// `GET /sign-out`.
pub async fn show(visit: Visit) -> Result<HttpResponse, PageError> {
    let Some(person) = visit.person().await? else { return Ok(html(StatusCode::OK, &OWN_PAGE, &SignedOut)) };
    let page = SignOut {
        csrf: &visit.csrf_token(),
        username: &person.username,
        action: SIGN_OUT,
        app: None,
        is_unverified: false,
        destination: None,
        hidden: &[],
    };
    Ok(visit.form(StatusCode::OK, &OWN_PAGE, &page))
}

/// `POST /sign-out`: the session ends, and with it the grants that hang on it.
pub async fn submit(visit: Visit, form: CsrfForm) -> Result<HttpResponse, PageError> {
    if !form.is_genuine {
        return show(visit).await;
    }
    if let Some(session) = visit.session() {
        visit.app().store.sign_out(&session.hash(), None).await?;
    }
    let forget = SessionCookie::forget(&visit.app().config.issuer);
    Ok(with_cookie(html(StatusCode::OK, &OWN_PAGE, &SignedOut), Some(forget)))
}
