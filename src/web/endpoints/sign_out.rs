//! Signing out: asked first, since any site can link here.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::sign_in::with_cookie;
use crate::web::SIGN_OUT;
use crate::web::extract::{CsrfCookie, CsrfForm, Now, RequestApp, SessionCookie, csrf_token};
use crate::web::failure::PageError;
use crate::web::pages::{SignOut, SignedOut};
use crate::web::respond::html;
use crate::web::security_headers::OWN_PAGE;

/// `GET /sign-out`.
pub async fn show(
    app: RequestApp,
    request: HttpRequest,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let person = match &session {
        Some(session) => app.store.session(&session.hash(), now.get()).await?,
        None => None,
    };
    let Some(person) = person else { return Ok(html(StatusCode::OK, &OWN_PAGE, &SignedOut)) };
    let page = SignOut {
        csrf: &csrf_token(&request, &cookie, session.as_ref()),
        username: &person.username,
        action: SIGN_OUT,
        app: None,
        is_unverified: false,
        destination: None,
        hidden: &[],
    };
    Ok(with_cookie(html(StatusCode::OK, &OWN_PAGE, &page), cookie.to_set(&app.config.issuer)))
}

/// `POST /sign-out`: the session ends, and with it the grants that hang on it.
pub async fn submit(
    app: RequestApp,
    request: HttpRequest,
    form: CsrfForm,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    if !form.is_genuine {
        return show(app, request, SessionCookie(session), cookie, now).await;
    }
    if let Some(session) = session {
        app.store.sign_out(&session.hash(), None).await?;
    }
    let forget = SessionCookie::forget(&app.config.issuer);
    Ok(with_cookie(html(StatusCode::OK, &OWN_PAGE, &SignedOut), Some(forget)))
}
