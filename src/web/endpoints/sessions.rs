//! Where a person is signed in, and ending any of that.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use uuid::Uuid;

use crate::app::App;
use crate::model::{EndReason, OwnSession, Session, SessionId};
use crate::time::Timestamp;
use crate::users::device;
use crate::web::extract::{CsrfForm, Visit};
use crate::web::failure::PageError;
use crate::web::pages::{self, Moment, Sessions, SessionsOutcome};
use crate::web::return_to::ReturnTo;
use crate::web::security_headers::OWN_PAGE;

/// So many are shown; a person has a few.
const MOST_SHOWN: usize = 50;

/// `GET /account/sessions`.
pub async fn show(visit: Visit) -> Result<HttpResponse, PageError> {
    let person = visit.person_for(ReturnTo::Sessions).await?;
    list(&visit, &person, None).await
}

/// `POST /account/sessions`: one other session ends, or all others.
pub async fn submit(visit: Visit, form: CsrfForm) -> Result<HttpResponse, PageError> {
    let person = visit.person_for(ReturnTo::Sessions).await?;
    let outcome = end(visit.app(), &form, &person).await?;
    list(&visit, &person, outcome).await
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
    visit: &Visit,
    person: &Session,
    outcome: Option<SessionsOutcome>,
) -> Result<HttpResponse, PageError> {
    let (store, now) = (&visit.app().store, visit.now());
    let found = store.sessions_of(person.user_id, Some(person.id), MOST_SHOWN as i64 + 1, now).await?;
    let sessions: Vec<_> = found.iter().take(MOST_SHOWN).map(|one| shown(one, person, now)).collect();
    let page = Sessions {
        csrf: &visit.csrf_token(),
        sessions: &sessions,
        are_more: found.len() > MOST_SHOWN,
        outcome,
    };
    let status = match outcome {
        Some(SessionsOutcome::FormExpired) => StatusCode::FORBIDDEN,
        _ => StatusCode::OK,
    };
    Ok(visit.form(status, &OWN_PAGE, &page))
}

fn shown<'a>(session: &'a OwnSession, person: &Session, now: Timestamp) -> pages::Session<'a> {
    pages::Session {
        id: session.id.to_string(),
        device: device(session.user_agent.as_deref()),
        address: session.address.as_deref(),
        signed_in: Moment::new(session.auth_time, now),
        last_used: Moment::new(session.last_seen_at, now),
        is_this: session.id == person.id,
    }
}
