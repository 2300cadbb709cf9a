//! Changing the own password.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::own_page::signed_in;
use super::sign_in::with_cookie;
use crate::app::App;
use crate::model::{FoldedName, Session};
use crate::secret::Secret;
use crate::users::{AccountError, PasswordProblem as Problem, SessionToken, SignInError};
use crate::web::ACCOUNT;
use crate::web::extract::{
    BrowserCookies, CsrfCookie, CsrfForm, Now, RequestApp, SessionCookie, client_address, csrf_token,
};
use crate::web::failure::PageError;
use crate::web::pages::{Done, Link, Password, PasswordProblem};
use crate::web::respond::{html, see_other};
use crate::web::return_to::ReturnTo;
use crate::web::security_headers::OWN_PAGE;

/// `GET /password`.
pub async fn show(
    app: RequestApp,
    request: HttpRequest,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let Some((token, person)) = signed_in(&app, session, now.get()).await? else {
        return Ok(see_other(&ReturnTo::Password.after_sign_in()));
    };
    Ok(form(&app, &request, &token, &person, &cookie, None))
}

/// `POST /password`: all other sessions and all grants of the person end.
pub async fn submit(
    app: RequestApp,
    request: HttpRequest,
    posted: CsrfForm,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    BrowserCookies(known_browser): BrowserCookies,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let Some((token, person)) = signed_in(&app, session, now.get()).await? else {
        return Ok(see_other(&ReturnTo::Password.after_sign_in()));
    };
    match change(&app, &request, &posted, &person, &known_browser).await? {
        Err(problem) => Ok(form(&app, &request, &token, &person, &cookie, Some(problem))),
        Ok(fresh) => {
            let done = Done {
                title: "Your password is changed",
                message: "Everywhere else you have been signed out, and apps will ask you to sign in again.",
                link: Some(Link { href: ACCOUNT, text: "Back to your account" }),
            };
            let fresh = SessionCookie::set(&fresh, &app.config.issuer);
            Ok(with_cookie(html(StatusCode::OK, &OWN_PAGE, &done), Some(fresh)))
        }
    }
}

async fn change(
    app: &App,
    request: &HttpRequest,
    posted: &CsrfForm,
    person: &Session,
    known_browser: &[String],
) -> Result<Result<SessionToken, PasswordProblem>, PageError> {
    if !posted.is_genuine {
        return Ok(Err(PasswordProblem::FormExpired));
    }
    let secret = |name| Ok::<_, PageError>(Secret::new(posted.field(name)?.to_owned()));
    let (current, new) = (secret("current_password")?, secret("new_password")?);
    if new != secret("new_password_again")? {
        return Ok(Err(PasswordProblem::NotTheSame));
    }
    let sign_in = app.sign_in();
    let throttle = sign_in.throttle();
    let name = FoldedName::new(&person.username);
    let guess = match throttle.begin(&throttle.asker(&name, client_address(request), known_browser)).await {
        Ok(guess) => guess,
        Err(SignInError::Throttled(throttled)) => {
            return Ok(Err(PasswordProblem::TooManyAttempts { wait: throttled.retry_after }));
        }
        Err(SignInError::Store(error)) => return Err(error.into()),
        Err(_) => return Err(PageError::busy()),
    };
    let changed = app.accounts().change_own_password(person.user_id, person.id, &current, &new).await;
    match &changed {
        Err(AccountError::WrongPassword) => {}
        // Only then has the current password been found right.
        Ok(_) | Err(AccountError::Password(_)) => throttle.settle(&guess).await?,
        Err(_) => throttle.take_back(&guess).await?,
    }
    match changed {
        Ok(fresh) => Ok(Ok(fresh)),
        Err(error) => problem(error).map(Err),
    }
}

fn problem(error: AccountError) -> Result<PasswordProblem, PageError> {
    match error {
        AccountError::WrongPassword => Ok(PasswordProblem::CurrentNotRecognized),
        AccountError::Password(Problem::TooShort { .. }) => Ok(PasswordProblem::TooShort),
        AccountError::Password(Problem::TooLong | Problem::Nul) => Ok(PasswordProblem::TooLong),
        AccountError::Password(Problem::Name) => Ok(PasswordProblem::IsTheName),
        error => Err(error.into()),
    }
}

fn form(
    app: &App,
    request: &HttpRequest,
    token: &SessionToken,
    person: &Session,
    cookie: &CsrfCookie,
    problem: Option<PasswordProblem>,
) -> HttpResponse {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = Password {
        csrf: &csrf_token(request, cookie, Some(token)),
        username: &person.username,
        min_length: app.config.passwords.min_length,
        problem,
    };
    with_cookie(html(status, &OWN_PAGE, &page), cookie.to_set(&app.config.issuer))
}
