//! The logout endpoint (OpenID Connect RP-Initiated Logout §2): an app ends the session, after asking where it has not
//! shown that it means this very session.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};

use super::sign_in::with_cookie;
use crate::app::App;
use crate::logout::{LogoutRefused, PostLogout, PostLogoutRequest};
use crate::model::Session;
use crate::protocol::discovery::END_SESSION_PATH;
use crate::protocol::{Parameters, redirect_uri};
use crate::telemetry::events;
use crate::time::Timestamp;
use crate::users::SessionToken;
use crate::web::LOGOUT_CONFIRM;
use crate::web::extract::{
    CsrfCookie, CsrfForm, Now, RequestApp, SessionCookie, csrf_token, form_parameters, query_parameters,
};
use crate::web::failure::PageError;
use crate::web::pages::{SignOut, SignedOut};
use crate::web::respond::{html, see_other};
use crate::web::security_headers::{CLIENT_FLOW, OWN_PAGE};

/// `GET /logout`.
pub async fn logout(
    app: RequestApp,
    request: HttpRequest,
    SessionCookie(session): SessionCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let asked = judge(&app, &query_parameters(&request)?).await?;
    // Who only looks what there is (HEAD) or fetches ahead of a click ends nothing.
    let is_meant = request.method() == Method::GET && !is_prefetch(&request);
    answer(&app, &asked, session, is_meant, now.get()).await
}

/// `POST /logout`, by another site's form. A browser sends no session cookie along with it, so that where none came
/// the request goes round once more as a GET.
pub async fn logout_posted(
    app: RequestApp,
    request: HttpRequest,
    payload: web::Payload,
    SessionCookie(session): SessionCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    if !request.query_string().is_empty() {
        return Err(PageError::bad_request("There are parameters both in the address and in the form."));
    }
    let parameters = form_parameters(&request, payload.into_inner()).await?;
    let asked = judge(&app, &parameters).await?;
    if session.is_none() {
        return Ok(see_other(&format!("{END_SESSION_PATH}?{}", parameters.to_query())));
    }
    answer(&app, &asked, session, true, now.get()).await
}

/// `GET /logout/confirm`: asks.
pub async fn confirm(
    app: RequestApp,
    request: HttpRequest,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let asked = judge(&app, &query_parameters(&request)?).await?;
    match signed_in(&app, session.as_ref(), now.get()).await? {
        Some(person) => Ok(ask(&app, &request, &asked, &person, session.as_ref(), &cookie)),
        None => Ok(go_on(&app, asked.destination_unasked(), session.as_ref())),
    }
}

/// `POST /logout/confirm`: the person agrees. What the page carried is judged anew.
pub async fn confirmed(
    app: RequestApp,
    request: HttpRequest,
    form: CsrfForm,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let asked = judge(&app, &form.fields).await?;
    match (signed_in(&app, session.as_ref(), now.get()).await?, &session) {
        (Some(person), _) if !form.is_genuine => {
            Ok(ask(&app, &request, &asked, &person, session.as_ref(), &cookie))
        }
        (Some(_), Some(session)) => end(&app, &asked, session).await,
        _ => Ok(go_on(&app, asked.destination_unasked(), session.as_ref())),
    }
}

async fn judge(app: &App, parameters: &Parameters) -> Result<PostLogout, PageError> {
    let read_hint = |text: &str| match app.id_token_hint(text) {
        Ok(hint) => Some(hint),
        Err(error) => {
            events::id_token_hint_refused(&error);
            None
        }
    };
    let request = PostLogoutRequest::parse(parameters).map_err(LogoutRefused::from)?;
    Ok(request.judge(&app.registry, &app.store, read_hint).await?)
}

async fn answer(
    app: &App,
    asked: &PostLogout,
    session: Option<SessionToken>,
    is_meant: bool,
    now: Timestamp,
) -> Result<HttpResponse, PageError> {
    match (signed_in(app, session.as_ref(), now).await?, &session) {
        (Some(person), Some(session)) if is_meant && asked.is_of_session(person.id, &app.pseudonyms) => {
            end(app, asked, session).await
        }
        (Some(_), _) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(asked.parameters());
            Ok(see_other(&format!("{LOGOUT_CONFIRM}?{}", query.finish())))
        }
        (None, Some(session)) if is_meant && expired_is_meant(app, asked, session).await? => {
            end(app, asked, session).await
        }
        (None, session) => Ok(go_on(app, asked.destination_unasked(), session.as_ref())),
    }
}

/// Whether the app means the session behind the cookie, although time has ended that. The person asks for its end now,
/// and other apps that were opened in it are to be told.
async fn expired_is_meant(app: &App, asked: &PostLogout, session: &SessionToken) -> Result<bool, PageError> {
    if !asked.has_hint() {
        return Ok(false);
    }
    let expired = app.store.session_not_signed_out(&session.hash()).await?;
    Ok(expired.is_some_and(|id| asked.is_of_session(id, &app.pseudonyms)))
}

async fn signed_in(
    app: &App,
    session: Option<&SessionToken>,
    now: Timestamp,
) -> Result<Option<Session>, PageError> {
    match session {
        Some(session) => Ok(app.store.session(&session.hash(), now).await?),
        None => Ok(None),
    }
}

async fn end(app: &App, asked: &PostLogout, session: &SessionToken) -> Result<HttpResponse, PageError> {
    app.store.sign_out(&session.hash(), asked.client().map(|client| &client.id)).await?;
    Ok(go_on(app, asked.destination(), Some(session)))
}

/// Nobody is signed in any more: to where the app wants the browser, or to a page that says so.
/// A cookie that the browser sent is of no use any more; one that it did not send may be.
fn go_on(app: &App, destination: Option<String>, session: Option<&SessionToken>) -> HttpResponse {
    let response = match destination {
        Some(uri) => see_other(&uri),
        None => html(StatusCode::OK, &OWN_PAGE, &SignedOut),
    };
    with_cookie(response, session.map(|_| SessionCookie::forget(&app.config.issuer)))
}

fn ask(
    app: &App,
    request: &HttpRequest,
    asked: &PostLogout,
    person: &Session,
    session: Option<&SessionToken>,
    cookie: &CsrfCookie,
) -> HttpResponse {
    let destination = asked.destination();
    let page = SignOut {
        csrf: &csrf_token(request, cookie, session),
        username: &person.username,
        action: LOGOUT_CONFIRM,
        app: asked.client().map(|client| client.name.as_str()),
        is_unverified: asked.client().is_some_and(|client| client.self_registered),
        destination: destination.as_deref().map(redirect_uri::host_for_display),
        hidden: &asked.parameters(),
    };
    // The chain of redirects after the form ends at the app.
    with_cookie(html(StatusCode::OK, &CLIENT_FLOW, &page), cookie.to_set(&app.config.issuer))
}

/// A browser that fetches a page which somebody may come to open says so.
fn is_prefetch(request: &HttpRequest) -> bool {
    ["sec-purpose", "purpose"].iter().any(|name| {
        request.headers().get(*name).and_then(|value| value.to_str().ok()).is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("prefetch") || value.contains("prerender")
        })
    })
}
