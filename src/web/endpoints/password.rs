//! Changing the own password.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::model::{FoldedName, Session};
use crate::secret::Secret;
use crate::users::{AccountError, PasswordProblem as Problem, SessionToken, SignInError};
use crate::web::ACCOUNT;
use crate::web::extract::{CsrfForm, SessionCookie, Visit};
use crate::web::failure::PageError;
use crate::web::pages::{Done, Link, Password, PasswordProblem};
use crate::web::respond::{html, with_cookie};
use crate::web::return_to::ReturnTo;
use crate::web::security_headers::OWN_PAGE;

/// `GET /password`.
pub async fn show(visit: Visit) -> Result<HttpResponse, PageError> {
    let person = visit.person_for(ReturnTo::Password).await?;
    Ok(form(&visit, &person, None))
}

/// `POST /password`: all other sessions and all grants of the person end.
pub async fn submit(visit: Visit, posted: CsrfForm) -> Result<HttpResponse, PageError> {
    let person = visit.person_for(ReturnTo::Password).await?;
    match change(&visit, &posted, &person).await? {
        Err(problem) => Ok(form(&visit, &person, Some(problem))),
        Ok(fresh) => {
            let done = Done {
                title: "Your password is changed",
                message: "Everywhere else you have been signed out, and apps will ask you to sign in again.",
                link: Some(Link { href: ACCOUNT, text: "Back to your account" }),
            };
            let fresh = SessionCookie::set(&fresh, &visit.app().config.issuer);
            Ok(with_cookie(html(StatusCode::OK, &OWN_PAGE, &done), Some(fresh)))
        }
    }
}

async fn change(
    visit: &Visit,
    posted: &CsrfForm,
    person: &Session,
) -> Result<Result<SessionToken, PasswordProblem>, PageError> {
    if !posted.is_genuine {
        return Ok(Err(PasswordProblem::FormExpired));
    }
    let secret = |name| Ok::<_, PageError>(Secret::new(posted.field(name)?.to_owned()));
    let (current, new) = (secret("current_password")?, secret("new_password")?);
    if new != secret("new_password_again")? {
        return Ok(Err(PasswordProblem::NotTheSame));
    }
    let sign_in = visit.app().sign_in();
    let throttle = sign_in.throttle();
    let name = FoldedName::new(&person.username);
    let guess = match throttle.begin(&throttle.asker(&name, visit.address(), &visit.known_browser())).await {
        Ok(guess) => guess,
        Err(SignInError::Throttled(throttled)) => {
            return Ok(Err(PasswordProblem::TooManyAttempts { wait: throttled.retry_after }));
        }
        Err(SignInError::Store(error)) => return Err(error.into()),
        Err(_) => return Err(PageError::busy()),
    };
    let changed = visit.app().accounts().change_own_password(person.user_id, person.id, &current, &new).await;
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

fn form(visit: &Visit, person: &Session, problem: Option<PasswordProblem>) -> HttpResponse {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = Password {
        csrf: &visit.csrf_token(),
        username: &person.username,
        min_length: visit.app().config.passwords.min_length,
        problem,
    };
    visit.form(status, &OWN_PAGE, &page)
}
