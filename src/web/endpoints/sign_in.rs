//! The sign-in page.

use actix_web::cookie::Cookie;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};

use super::authorize::{Begun, Look};
use crate::app::App;
use crate::authorization::NextStep;
use crate::config::Issuer;
use crate::secret::Secret;
use crate::telemetry::events;
use crate::time::Timestamp;
use crate::users::{Attempt, SessionToken, SignInError, SignedIn};
use crate::web::extract::{
    BrowserCookies, CsrfCookie, CsrfForm, Now, RequestApp, SessionCookie, client_address, csrf_token,
    query_parameters,
};
use crate::web::failure::PageError;
use crate::web::pages::{AboutApp, SignIn, SignInProblem, SignInReason};
use crate::web::respond::{html_about, see_other};
use crate::web::return_to::{self, ReturnTo};

/// `GET /sign-in`.
pub async fn show(
    app: RequestApp,
    request: HttpRequest,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let query = query_parameters(&request)?;
    let Some(sealed) = query.get("request")? else {
        let return_to = query.get(return_to::PARAMETER)?.and_then(ReturnTo::named);
        if is_signed_in(&app, session.as_ref(), now.get()).await? {
            return Ok(see_other(return_to.map_or("/", ReturnTo::path)));
        }
        let form = Form {
            sealed: None,
            app: None,
            about: AboutApp::default(),
            return_to,
            username: "",
            reason: None,
            problem: None,
        };
        return Ok(form.show(&app, &request, session.as_ref(), &cookie, StatusCode::OK));
    };
    let begun = Begun::resume(&app, sealed).await?;
    let look = begun.look(&app, session.as_ref().map(SessionToken::hash), now.get()).await?;
    let asked = begun.pending();
    let hint = asked.request.login_hint.as_deref();
    let (reason, expected) = reason(&look);
    let (reason, expected) = match (expected, hint) {
        (Some(expected), Some(hint)) if hint != expected => (None, None),
        _ => (reason, expected),
    };
    let form = Form {
        sealed: Some(sealed),
        app: Some(&asked.client.name),
        about: AboutApp::of(&asked.client, app.config.registration.show_logos),
        return_to: None,
        username: expected.or(hint).unwrap_or_default(),
        reason,
        problem: None,
    };
    Ok(form.show(&app, &request, session.as_ref(), &cookie, StatusCode::OK))
}

/// `POST /sign-in`.
pub async fn submit(
    app: RequestApp,
    request: HttpRequest,
    form: CsrfForm,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    BrowserCookies(known_browser): BrowserCookies,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let sealed = Some(form.field("request")?).filter(|sealed| !sealed.is_empty());
    let begun = match sealed {
        Some(sealed) => Some(Begun::resume(&app, sealed).await?),
        None => None,
    };
    let return_to = ReturnTo::named(form.field(return_to::PARAMETER)?);
    let username = form.field("username")?;
    let show = |problem: SignInProblem, status: StatusCode| {
        let client = begun.as_ref().map(|begun| &*begun.pending().client);
        let show_logos = app.config.registration.show_logos;
        let about = client.map(|client| AboutApp::of(client, show_logos)).unwrap_or_default();
        let name = client.map(|client| client.name.as_str());
        let form =
            Form { sealed, app: name, about, return_to, username, reason: None, problem: Some(problem) };
        form.show(&app, &request, session.as_ref(), &cookie, status)
    };
    if !form.is_genuine {
        events::signed_in("form_expired");
        return Ok(show(SignInProblem::FormExpired, StatusCode::FORBIDDEN));
    }
    let attempt = Attempt {
        username,
        password: Secret::new(form.field("password")?.to_owned()),
        address: client_address(&request),
        user_agent: request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()),
        session: session.as_ref(),
        known_browser: &known_browser,
        now: now.get(),
    };
    match app.sign_in().sign_in(attempt).await {
        Ok(started) => Ok(signed_in(sealed, return_to, started, &app.config.issuer)),
        Err(SignInError::NotRecognized) => {
            Ok(show(SignInProblem::NotRecognized, StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(SignInError::Throttled(throttled)) => {
            let wait = throttled.retry_after;
            let mut response = show(SignInProblem::TooManyAttempts { wait }, StatusCode::TOO_MANY_REQUESTS);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, header::HeaderValue::from(wait.as_secs().saturating_add(1)));
            Ok(response)
        }
        Err(SignInError::Busy(_)) => Err(PageError::busy()),
        Err(SignInError::Store(error)) => Err(error.into()),
    }
}

/// What the form shows.
struct Form<'a> {
    sealed: Option<&'a str>,
    app: Option<&'a str>,
    about: AboutApp<'a>,
    return_to: Option<ReturnTo>,
    username: &'a str,
    reason: Option<SignInReason>,
    problem: Option<SignInProblem>,
}

impl Form<'_> {
    fn show(
        &self,
        app: &App,
        request: &HttpRequest,
        session: Option<&SessionToken>,
        cookie: &CsrfCookie,
        status: StatusCode,
    ) -> HttpResponse {
        let page = SignIn {
            csrf: &csrf_token(request, cookie, session),
            request: self.sealed,
            app: self.app,
            about: &self.about,
            return_to: self.return_to.map(ReturnTo::name),
            username: self.username,
            reason: self.reason,
            problem: self.problem,
        };
        with_cookie(html_about(status, &self.about, &page), cookie.to_set(&app.config.issuer))
    }
}

/// Why the request has a person sign in who is signed in already; the name, where it is that person who is to sign in
/// again. Who comes here to use another account finds an empty form.
fn reason(look: &Look) -> (Option<SignInReason>, Option<&str>) {
    match (&look.person, &look.step) {
        (Some(person), NextStep::SignInAgain) => {
            (Some(SignInReason::StillYou), Some(&person.session.username))
        }
        (Some(_), NextStep::SignIn) => (Some(SignInReason::AnotherAccount), None),
        _ => (None, None),
    }
}

async fn is_signed_in(app: &App, session: Option<&SessionToken>, now: Timestamp) -> Result<bool, PageError> {
    match session {
        Some(session) => Ok(app.store.session(&session.hash(), now).await?.is_some()),
        None => Ok(false),
    }
}

fn signed_in(
    sealed: Option<&str>,
    return_to: Option<ReturnTo>,
    started: SignedIn,
    issuer: &Issuer,
) -> HttpResponse {
    let own_page = return_to.map_or("/", ReturnTo::path);
    let next = sealed.map_or_else(|| own_page.to_owned(), |sealed| format!("/consent?request={sealed}"));
    let response = with_cookie(see_other(&next), Some(SessionCookie::set(&started.session, issuer)));
    with_cookie(response, Some(BrowserCookies::set(started.known_browser, issuer)))
}

/// Adds a cookie that is well-formed by its making.
pub(super) fn with_cookie(mut response: HttpResponse, cookie: Option<Cookie<'static>>) -> HttpResponse {
    if let Some(cookie) = cookie
        && response.add_cookie(&cookie).is_err()
    {
        return HttpResponse::InternalServerError().finish();
    }
    response
}
