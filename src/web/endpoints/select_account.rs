//! The page on which a person chooses whose account an app gets (OpenID Connect Core §3.1.2.1).

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::authorize::{Begun, Stage, with_request};
use crate::model::Client;
use crate::store::SignedIn;
use crate::web::extract::{CsrfForm, Visit};
use crate::web::failure::PageError;
use crate::web::pages::SelectAccount;
use crate::web::respond::see_other;
use crate::web::security_headers::CLIENT_FLOW;
use crate::web::{CONSENT, SIGN_IN};

/// `GET /select-account`: asks where there is something to choose, else continues the request.
pub async fn show(visit: Visit) -> Result<HttpResponse, PageError> {
    let query = visit.query()?;
    let sealed = query.get("request")?.ok_or_else(PageError::request_expired)?;
    let begun = Begun::resume(visit.app(), sealed).await?;
    let client = Arc::clone(&begun.pending().client);
    match begun.stage(&visit).await? {
        Stage::Answer(response) => Ok(response),
        Stage::Ask(_) => Ok(see_other(&with_request(CONSENT, sealed))),
        Stage::SelectAccount(person) => Ok(ask(&visit, sealed, &client, &person)),
    }
}

/// `POST /select-account`: the person goes on with the account that is signed in. The request is sealed anew with the
/// session in which that was chosen; in any other it counts for nothing.
pub async fn submit(visit: Visit, form: CsrfForm) -> Result<HttpResponse, PageError> {
    let sealed = form.field("request")?;
    let begun = Begun::resume(visit.app(), sealed).await?;
    let look = begun.look(&visit).await?;
    let Some(person) = look.person else { return Ok(see_other(&with_request(SIGN_IN, sealed))) };
    if !form.is_genuine {
        return Ok(ask(&visit, sealed, &begun.pending().client, &person));
    }
    let chosen = begun.chosen_in(person.session.id, visit.app())?;
    Ok(see_other(&with_request(CONSENT, &chosen)))
}

fn ask(visit: &Visit, sealed: &str, client: &Client, person: &SignedIn) -> HttpResponse {
    let page = SelectAccount {
        csrf: &visit.csrf_token(),
        request: sealed,
        app: &client.name,
        is_unverified: client.self_registered,
        username: &person.session.username,
        switch_account_url: &with_request(SIGN_IN, sealed),
    };
    visit.form(StatusCode::OK, &CLIENT_FLOW, &page)
}
