//! Setting a password through a one-time link.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::secret::Secret;
use crate::users::{AccountError, PasswordProblem as Problem};
use crate::web::SIGN_IN;
use crate::web::extract::{CsrfForm, Visit};
use crate::web::failure::PageError;
use crate::web::pages::{Done, Link, SetPassword, SetPasswordProblem};
use crate::web::respond::html;
use crate::web::security_headers::OWN_PAGE;

/// `GET /password/set`. Looking uses nothing up: mail programs open links too.
pub async fn show(visit: Visit) -> Result<HttpResponse, PageError> {
    let query = visit.query()?;
    let token = query.get("token")?.unwrap_or_default();
    let user = visit.app().accounts().set_password_link_user(token, visit.now()).await?;
    Ok(form(&visit, token, &user.username, None))
}

/// `POST /password/set`.
pub async fn submit(visit: Visit, posted: CsrfForm) -> Result<HttpResponse, PageError> {
    let token = posted.field("token")?;
    let accounts = visit.app().accounts();
    let user = accounts.set_password_link_user(token, visit.now()).await?;
    let again = |problem| Ok(form(&visit, token, &user.username, Some(problem)));
    if !posted.is_genuine {
        return again(SetPasswordProblem::FormExpired);
    }
    let new = Secret::new(posted.field("new_password")?.to_owned());
    if new.expose() != posted.field("new_password_again")? {
        return again(SetPasswordProblem::NotTheSame);
    }
    match accounts.use_set_password_link(token, &new, visit.now()).await {
        Ok(_) => Ok(html(
            StatusCode::OK,
            &OWN_PAGE,
            &Done {
                title: "Your password is set",
                message: "The link has done its work. You can sign in with the new password now.",
                link: Some(Link { href: SIGN_IN, text: "Sign in" }),
            },
        )),
        Err(AccountError::Password(Problem::TooShort { .. })) => again(SetPasswordProblem::TooShort),
        Err(AccountError::Password(Problem::TooLong | Problem::Nul)) => again(SetPasswordProblem::TooLong),
        Err(AccountError::Password(Problem::Name)) => again(SetPasswordProblem::IsTheName),
        Err(error) => Err(error.into()),
    }
}

fn form(visit: &Visit, token: &str, username: &str, problem: Option<SetPasswordProblem>) -> HttpResponse {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = SetPassword {
        csrf: &visit.csrf_token(),
        token,
        username,
        min_length: visit.app().config.passwords.min_length,
        problem,
    };
    visit.form(status, &OWN_PAGE, &page)
}
