//! The overview of the own account.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::own_page::signed_in;
use crate::web::extract::{Now, RequestApp, SessionCookie};
use crate::web::failure::PageError;
use crate::web::pages::Account;
use crate::web::respond::{html, see_other};
use crate::web::return_to::ReturnTo;
use crate::web::security_headers::OWN_PAGE;

/// `GET /account`.
pub async fn show(
    app: RequestApp,
    SessionCookie(session): SessionCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let user = match signed_in(&app, session, now.get()).await? {
        Some((_, person)) => app.store.user(person.user_id).await?,
        None => None,
    };
    let Some(user) = user else { return Ok(see_other(&ReturnTo::Account.after_sign_in())) };
    let page = Account { username: &user.username, email: &user.email };
    Ok(html(StatusCode::OK, &OWN_PAGE, &page))
}
