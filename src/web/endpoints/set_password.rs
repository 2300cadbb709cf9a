//! Setting a password through a one-time link.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::sign_in::with_cookie;
use crate::app::App;
use crate::secret::Secret;
use crate::users::{AccountError, PasswordProblem as Problem, SessionToken};
use crate::web::extract::{
    CsrfCookie, CsrfForm, Now, RequestApp, SessionCookie, csrf_token, query_parameters,
};
use crate::web::failure::PageError;
use crate::web::pages::{Done, Link, SetPassword, SetPasswordProblem};
use crate::web::respond::html;
use crate::web::security_headers::OWN_PAGE;

/// `GET /password/set`. Looking uses nothing up: mail programs open links too.
pub async fn show(
    app: RequestApp,
    request: HttpRequest,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let query = query_parameters(&request)?;
    let token = query.get("token")?.unwrap_or_default();
    let user = app.accounts().set_password_link_user(token, now.get()).await?;
    Ok(form(&app, &request, (token, &user.username), session.as_ref(), &cookie, None))
}

/// `POST /password/set`.
pub async fn submit(
    app: RequestApp,
    request: HttpRequest,
    posted: CsrfForm,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let token = posted.field("token")?;
    let accounts = app.accounts();
    let user = accounts.set_password_link_user(token, now.get()).await?;
    let again =
        |problem| Ok(form(&app, &request, (token, &user.username), session.as_ref(), &cookie, Some(problem)));
    if !posted.is_genuine {
        return again(SetPasswordProblem::FormExpired);
    }
    let new = Secret::new(posted.field("new_password")?.to_owned());
    if new.expose() != posted.field("new_password_again")? {
        return again(SetPasswordProblem::NotTheSame);
    }
    match accounts.use_set_password_link(token, &new, now.get()).await {
        Ok(_) => Ok(html(
            StatusCode::OK,
            &OWN_PAGE,
            &Done {
                title: "Your password is set",
                message: "The link has done its work. You can sign in with the new password now.",
                link: Some(Link { href: "/sign-in", text: "Sign in" }),
            },
        )),
        Err(AccountError::Password(Problem::TooShort { .. })) => again(SetPasswordProblem::TooShort),
        Err(AccountError::Password(Problem::TooLong | Problem::Nul)) => again(SetPasswordProblem::TooLong),
        Err(AccountError::Password(Problem::Name)) => again(SetPasswordProblem::IsTheName),
        Err(error) => Err(error.into()),
    }
}

fn form(
    app: &App,
    request: &HttpRequest,
    (token, username): (&str, &str),
    session: Option<&SessionToken>,
    cookie: &CsrfCookie,
    problem: Option<SetPasswordProblem>,
) -> HttpResponse {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = SetPassword {
        csrf: &csrf_token(request, cookie, session),
        token,
        username,
        min_length: app.config.passwords.min_length,
        problem,
    };
    with_cookie(html(status, &OWN_PAGE, &page), cookie.to_set(&app.config.issuer))
}
