//! The logout endpoint (OpenID Connect RP-Initiated Logout §2): an app ends the session, after asking where it has not
//! shown that it means this very session.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::logout::{LogoutRefused, PostLogout, PostLogoutRequest};
use crate::model::Session;
use crate::protocol::discovery::END_SESSION_PATH;
use crate::protocol::{Parameters, redirect_uri};
use crate::telemetry::events;
use crate::users::SessionToken;
use crate::web::LOGOUT_CONFIRM;
use crate::web::extract::{CsrfForm, PostedRequest, SessionCookie, Visit};
use crate::web::failure::PageError;
use crate::web::pages::{SignOut, SignedOut};
use crate::web::respond::{html, see_other, with_cookie};
use crate::web::security_headers::{CLIENT_FLOW, OWN_PAGE};

/// `GET /logout`.
pub async fn logout(visit: Visit) -> Result<HttpResponse, PageError> {
    let asked = judge(visit.app(), &visit.query()?).await?;
    // Who only looks what there is (HEAD) or fetches ahead of a click ends nothing.
    let is_meant = visit.request().method() == Method::GET && !is_prefetch(visit.request());
    answer(&visit, &asked, is_meant).await
}

/// `POST /logout`, by another site's form.
pub async fn logout_posted(
    visit: Visit,
    PostedRequest(parameters): PostedRequest,
) -> Result<HttpResponse, PageError> {
    let asked = judge(visit.app(), &parameters).await?;
    if visit.session().is_none() {
        return Ok(see_other(&format!("{END_SESSION_PATH}?{}", parameters.to_query())));
    }
    answer(&visit, &asked, true).await
}

/// `GET /logout/confirm`: asks.
pub async fn confirm(visit: Visit) -> Result<HttpResponse, PageError> {
    let asked = judge(visit.app(), &visit.query()?).await?;
    match visit.person().await? {
        Some(person) => Ok(ask(&visit, &asked, &person)),
        None => Ok(go_on(&visit, asked.destination_unasked())),
    }
}

/// `POST /logout/confirm`: the person agrees. What the page carried is judged anew.
pub async fn confirmed(visit: Visit, form: CsrfForm) -> Result<HttpResponse, PageError> {
    let asked = judge(visit.app(), &form.fields).await?;
    match (visit.person().await?, visit.session()) {
        (Some(person), _) if !form.is_genuine => Ok(ask(&visit, &asked, &person)),
        (Some(_), Some(session)) => end(&visit, &asked, session).await,
        _ => Ok(go_on(&visit, asked.destination_unasked())),
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

async fn answer(visit: &Visit, asked: &PostLogout, is_meant: bool) -> Result<HttpResponse, PageError> {
    let pseudonyms = &visit.app().pseudonyms;
    match (visit.person().await?, visit.session()) {
        (Some(person), Some(session)) if is_meant && asked.is_of_session(person.id, pseudonyms) => {
            end(visit, asked, session).await
        }
        (Some(_), _) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(asked.parameters());
            Ok(see_other(&format!("{LOGOUT_CONFIRM}?{}", query.finish())))
        }
        (None, Some(session)) if is_meant && expired_is_meant(visit.app(), asked, session).await? => {
            end(visit, asked, session).await
        }
        (None, _) => Ok(go_on(visit, asked.destination_unasked())),
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

async fn end(visit: &Visit, asked: &PostLogout, session: &SessionToken) -> Result<HttpResponse, PageError> {
    visit.app().store.sign_out(&session.hash(), asked.client().map(|client| &client.id)).await?;
    Ok(go_on(visit, asked.destination()))
}

/// Nobody is signed in any more: to where the app wants the browser, or to a page that says so.
/// A cookie that the browser sent is of no use any more; one that it did not send may be.
fn go_on(visit: &Visit, destination: Option<String>) -> HttpResponse {
    let response = match destination {
        Some(uri) => see_other(&uri),
        None => html(StatusCode::OK, &OWN_PAGE, &SignedOut),
    };
    with_cookie(response, visit.session().map(|_| SessionCookie::forget(&visit.app().config.issuer)))
}

fn ask(visit: &Visit, asked: &PostLogout, person: &Session) -> HttpResponse {
    let destination = asked.destination();
    let page = SignOut {
        csrf: &visit.csrf_token(),
        username: &person.username,
        action: LOGOUT_CONFIRM,
        app: asked.client().map(|client| client.name.as_str()),
        is_unverified: asked.client().is_some_and(|client| client.self_registered),
        destination: destination.as_deref().map(redirect_uri::host_for_display),
        hidden: &asked.parameters(),
    };
    // The chain of redirects after the form ends at the app.
    visit.form(StatusCode::OK, &CLIENT_FLOW, &page)
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
