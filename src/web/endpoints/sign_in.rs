//! The sign-in page.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};

use super::authorize::{Begun, Look, with_request};
use crate::authorization::NextStep;
use crate::secret::Secret;
use crate::telemetry::events;
use crate::users::{Attempt, SignInError, SignedIn};
use crate::web::CONSENT;
use crate::web::extract::{BrowserCookie, CsrfForm, SessionCookie, Visit};
use crate::web::failure::PageError;
use crate::web::pages::{AboutApp, SignIn, SignInProblem, SignInReason};
use crate::web::respond::{html_about, see_other, with_cookie};
use crate::web::return_to::{self, ReturnTo};

/// `GET /sign-in`.
pub async fn show(visit: Visit) -> Result<HttpResponse, PageError> {
    let query = visit.query()?;
    let Some(sealed) = query.get("request")? else {
        let return_to = query.get(return_to::PARAMETER)?.and_then(ReturnTo::named);
        if visit.person().await?.is_some() {
            return Ok(see_other(return_to.map_or("/", ReturnTo::path)));
        }
        return Ok(Form { return_to, ..Form::default() }.show(&visit, StatusCode::OK));
    };
    let begun = Begun::resume(visit.app(), sealed).await?;
    let look = begun.look(&visit).await?;
    let hint = begun.pending().request.login_hint.as_deref();
    let (reason, expected) = match reason(&look) {
        (_, Some(expected)) if hint.is_some_and(|hint| hint != expected) => (None, None),
        found => found,
    };
    let username = expected.or(hint).unwrap_or_default();
    let form = Form { username, reason, ..Form::of_request(&visit, sealed, &begun) };
    Ok(form.show(&visit, StatusCode::OK))
}

/// `POST /sign-in`.
pub async fn submit(visit: Visit, posted: CsrfForm) -> Result<HttpResponse, PageError> {
    let sealed = Some(posted.field("request")?).filter(|sealed| !sealed.is_empty());
    let begun = match sealed {
        Some(sealed) => Some((sealed, Begun::resume(visit.app(), sealed).await?)),
        None => None,
    };
    let form = Form {
        return_to: ReturnTo::named(posted.field(return_to::PARAMETER)?),
        username: posted.field("username")?,
        ..begun.as_ref().map(|(sealed, begun)| Form::of_request(&visit, sealed, begun)).unwrap_or_default()
    };
    if !posted.is_genuine {
        events::signed_in("form_expired");
        return Ok(form.again(&visit, SignInProblem::FormExpired, StatusCode::FORBIDDEN));
    }
    let attempt = Attempt {
        username: form.username,
        password: Secret::new(posted.field("password")?.to_owned()),
        address: visit.address(),
        user_agent: visit.user_agent(),
        session: visit.session(),
        known_browser: &visit.known_browser(),
        now: visit.now(),
    };
    match visit.app().sign_in().sign_in(attempt).await {
        Ok(started) => Ok(form.signed_in(&visit, started)),
        Err(SignInError::NotRecognized) => {
            Ok(form.again(&visit, SignInProblem::NotRecognized, StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(SignInError::Throttled(throttled)) => {
            let wait = throttled.retry_after;
            let problem = SignInProblem::TooManyAttempts { wait };
            let mut response = form.again(&visit, problem, StatusCode::TOO_MANY_REQUESTS);
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
#[derive(Default)]
struct Form<'a> {
    sealed: Option<&'a str>,
    app: Option<&'a str>,
    about: AboutApp<'a>,
    return_to: Option<ReturnTo>,
    username: &'a str,
    reason: Option<SignInReason>,
    problem: Option<SignInProblem>,
}

impl<'a> Form<'a> {
    fn of_request(visit: &Visit, sealed: &'a str, begun: &'a Begun) -> Self {
        let client = &begun.pending().client;
        let about = AboutApp::of(client, visit.app().config.registration.show_logos);
        Self { sealed: Some(sealed), app: Some(&client.name), about, ..Self::default() }
    }

    fn again(mut self, visit: &Visit, problem: SignInProblem, status: StatusCode) -> HttpResponse {
        self.problem = Some(problem);
        self.show(visit, status)
    }

    fn show(&self, visit: &Visit, status: StatusCode) -> HttpResponse {
        let page = SignIn {
            csrf: &visit.csrf_token(),
            request: self.sealed,
            app: self.app,
            about: &self.about,
            return_to: self.return_to.map(ReturnTo::name),
            username: self.username,
            reason: self.reason,
            problem: self.problem,
        };
        visit.with_csrf_cookie(html_about(status, &self.about, &page))
    }

    /// On to the request under way, or to our own page.
    fn signed_in(&self, visit: &Visit, started: SignedIn) -> HttpResponse {
        let next = match self.sealed {
            Some(sealed) => see_other(&with_request(CONSENT, sealed)),
            None => see_other(self.return_to.map_or("/", ReturnTo::path)),
        };
        let issuer = &visit.app().config.issuer;
        let next = with_cookie(next, Some(SessionCookie::set(&started.session, issuer)));
        with_cookie(next, Some(BrowserCookie::set(started.known_browser, issuer)))
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
