//! The overview of the own account.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::web::extract::Visit;
use crate::web::failure::PageError;
use crate::web::pages::Account;
use crate::web::respond::html;
use crate::web::return_to::ReturnTo;
use crate::web::security_headers::OWN_PAGE;

/// `GET /account`.
pub async fn show(visit: Visit) -> Result<HttpResponse, PageError> {
    let person = visit.person_for(ReturnTo::Account).await?;
    let user = visit.app().store.user(person.user_id).await?;
    let user = user.ok_or(PageError::NotSignedIn(ReturnTo::Account))?;
    let page = Account { username: &user.username, email: &user.email };
    Ok(html(StatusCode::OK, &OWN_PAGE, &page))
}
