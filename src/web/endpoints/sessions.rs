//! Where a person is signed in, and ending any of that.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::own_page::signed_in;
use super::sign_in::with_cookie;
use crate::app::App;
use crate::model::{EndReason, OwnSession, Session, SessionId};
use crate::users::{SessionToken, device};
use crate::web::extract::{CsrfCookie, CsrfForm, Now, RequestApp, SessionCookie, csrf_token};
use crate::web::failure::PageError;
use crate::web::pages::{self, Moment, Sessions, SessionsOutcome};
use crate::web::respond::{html, see_other};
use crate::web::return_to::ReturnTo;
use crate::web::security_headers::OWN_PAGE;

/// So many are shown; a person has a few.
const MOST_SHOWN: usize = 50;

/// `GET /account/sessions`.
pub async fn show(
    app: RequestApp,
    request: HttpRequest,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let Some((token, person)) = signed_in(&app, session, now.get()).await? else {
        return Ok(see_other(&ReturnTo::Sessions.after_sign_in()));
    };
    list(&app, &request, &token, &person, &cookie, now, None).await
}

/// `POST /account/sessions`: one other session ends, or all others.
pub async fn submit(
    app: RequestApp,
    request: HttpRequest,
    form: CsrfForm,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let Some((token, person)) = signed_in(&app, session, now.get()).await? else {
        return Ok(see_other(&ReturnTo::Sessions.after_sign_in()));
    };
    let outcome = end(&app, &form, &person).await?;
    list(&app, &request, &token, &person, &cookie, now, outcome).await
}

async fn end(app: &App, form: &CsrfForm, person: &Session) -> Result<Option<SessionsOutcome>, PageError> {
    if !form.is_genuine {
        return Ok(Some(SessionsOutcome::FormExpired));
    }
    if form.field("everywhere_else")? == "yes" {
        app.store.end_other_sessions(person.user_id, person.id).await?;
        return Ok(Some(SessionsOutcome::EndedOthers));
    }
    // The own one ends on the page for that, which also takes the cookie away.
    let named = Uuid::try_parse(form.field("session")?).ok().map(SessionId::from);
    let Some(named) = named.filter(|named| *named != person.id) else { return Ok(None) };
    let ended = app.store.end_session_by_id(person.user_id, named, EndReason::UserRequest).await?;
    Ok(Some(if ended { SessionsOutcome::Ended } else { SessionsOutcome::HadEnded }))
}

async fn list(
    app: &App,
    request: &HttpRequest,
    token: &SessionToken,
    person: &Session,
    cookie: &CsrfCookie,
    now: Now,
    outcome: Option<SessionsOutcome>,
) -> Result<HttpResponse, PageError> {
    let limit = MOST_SHOWN as i64 + 1;
    let found = app.store.sessions_of(person.user_id, Some(person.id), limit, now.get()).await?;
    let sessions: Vec<_> = found.iter().take(MOST_SHOWN).map(|one| shown(one, person, now)).collect();
    let page = Sessions {
        csrf: &csrf_token(request, cookie, Some(token)),
        sessions: &sessions,
        are_more: found.len() > MOST_SHOWN,
        outcome,
    };
    let status = match outcome {
        Some(SessionsOutcome::FormExpired) => StatusCode::FORBIDDEN,
        _ => StatusCode::OK,
    };
    Ok(with_cookie(html(status, &OWN_PAGE, &page), cookie.to_set(&app.config.issuer)))
}

fn shown<'a>(session: &'a OwnSession, person: &Session, now: Now) -> pages::Session<'a> {
    pages::Session {
        id: session.id.to_string(),
        device: device(session.user_agent.as_deref()),
        address: session.address.as_deref(),
        signed_in: Moment::new(session.auth_time, now.get()),
        last_used: Moment::new(session.last_seen_at, now.get()),
        is_this: session.id == person.id,
    }
}
