//! The page on which a person chooses whose account an app gets (OpenID Connect Core §3.1.2.1).

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::authorize::{Begun, Stage};
use super::sign_in::with_cookie;
use crate::app::App;
use crate::model::Client;
use crate::store::SignedIn;
use crate::users::SessionToken;
use crate::web::extract::{
    CsrfCookie, CsrfForm, Now, RequestApp, SessionCookie, csrf_token, query_parameters,
};
use crate::web::failure::PageError;
use crate::web::pages::SelectAccount;
use crate::web::respond::{html, see_other};
use crate::web::security_headers::CLIENT_FLOW;

/// `GET /select-account`: asks where there is something to choose, else continues the request.
pub async fn show(
    app: RequestApp,
    request: HttpRequest,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let query = query_parameters(&request)?;
    let sealed = query.get("request")?.ok_or_else(PageError::request_expired)?;
    let begun = Begun::resume(&app, sealed).await?;
    let client = Arc::clone(&begun.pending().client);
    match begun.stage(&app, session.as_ref().map(SessionToken::hash), now.get()).await? {
        Stage::Answer(response) => Ok(response),
        Stage::Ask(_) => Ok(see_other(&format!("/consent?request={sealed}"))),
        Stage::SelectAccount(person) => {
            let asked = Asked { sealed, client: &client, person: &person };
            Ok(asked.show(&app, &request, session.as_ref(), &cookie))
        }
    }
}

/// `POST /select-account`: the person goes on with the account that is signed in. The request is sealed anew with the
/// session in which that was chosen; in any other it counts for nothing.
pub async fn submit(
    app: RequestApp,
    request: HttpRequest,
    form: CsrfForm,
    SessionCookie(session): SessionCookie,
    cookie: CsrfCookie,
    now: Now,
) -> Result<HttpResponse, PageError> {
    let sealed = form.field("request")?;
    let begun = Begun::resume(&app, sealed).await?;
    let look = begun.look(&app, session.as_ref().map(SessionToken::hash), now.get()).await?;
    let Some(person) = look.person else { return Ok(see_other(&format!("/sign-in?request={sealed}"))) };
    if !form.is_genuine {
        let asked = Asked { sealed, client: &begun.pending().client, person: &person };
        return Ok(asked.show(&app, &request, session.as_ref(), &cookie));
    }
    let chosen = begun.chosen_in(person.session.id, &app)?;
    Ok(see_other(&format!("/consent?request={chosen}")))
}

/// What the page shows.
struct Asked<'a> {
    sealed: &'a str,
    client: &'a Client,
    person: &'a SignedIn,
}

impl Asked<'_> {
    fn show(
        &self,
        app: &App,
        request: &HttpRequest,
        session: Option<&SessionToken>,
        cookie: &CsrfCookie,
    ) -> HttpResponse {
        let page = SelectAccount {
            csrf: &csrf_token(request, cookie, session),
            request: self.sealed,
            app: &self.client.name,
            is_unverified: self.client.self_registered,
            username: &self.person.session.username,
            switch_account_url: &format!("/sign-in?request={}", self.sealed),
        };
        with_cookie(html(StatusCode::OK, &CLIENT_FLOW, &page), cookie.to_set(&app.config.issuer))
    }
}
