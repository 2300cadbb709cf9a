//! The apps with access to the own account, and taking that back.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::clients::{ClaimCatalogue, ScopeCatalogue};
use crate::model::{Actor, AuthorizedApp, ClientId, Session};
use crate::protocol::redirect_uri;
use crate::time::Timestamp;
use crate::web::extract::{CsrfForm, Visit};
use crate::web::failure::PageError;
use crate::web::pages::{self, Apps, Done, Link, Moment, Withdraw};
use crate::web::respond::{html, see_other};
use crate::web::return_to::ReturnTo;
use crate::web::security_headers::OWN_PAGE;
use crate::web::{APPS, WITHDRAW};

/// So many are shown; a person has a few.
const MOST_SHOWN: usize = 100;

const ASKS_AGAIN: &str =
    "It can no longer use your account. If you sign in to it again, you will be asked again.";
const BY_ITSELF: &str = "It can no longer use your account, until you sign in to it again.";

/// `GET /account/apps`.
pub async fn show(visit: Visit) -> Result<HttpResponse, PageError> {
    let person = visit.person_for(ReturnTo::Apps).await?;
    let (app, now) = (visit.app(), visit.now());
    let found = app.store.apps_of(person.user_id, None, MOST_SHOWN as i64 + 1, now).await?;
    let (scopes, claims) = (app.registry.scopes(), app.registry.claims());
    let shown = |one| shown(one, &scopes, &claims, now);
    let apps: Vec<_> = found.iter().take(MOST_SHOWN).map(shown).collect();
    let page = Apps { apps: &apps, are_more: found.len() > MOST_SHOWN };
    Ok(html(StatusCode::OK, &OWN_PAGE, &page))
}

/// `GET /account/apps/withdraw`: asks before an app loses its access.
pub async fn ask(visit: Visit) -> Result<HttpResponse, PageError> {
    let person = visit.person_for(ReturnTo::Apps).await?;
    let query = visit.query()?;
    let named = query.get("client_id")?.unwrap_or_default();
    let Some(authorized) = find(&visit, &person, named).await? else { return Ok(see_other(APPS)) };
    Ok(question(&visit, &authorized))
}

/// `POST /account/apps/withdraw`: the consent is gone, and with it all that the app holds.
pub async fn submit(visit: Visit, form: CsrfForm) -> Result<HttpResponse, PageError> {
    let person = visit.person_for(ReturnTo::Apps).await?;
    let named = form.field("client_id")?;
    let Some(authorized) = find(&visit, &person, named).await? else { return Ok(see_other(APPS)) };
    if !form.is_genuine {
        return Ok(question(&visit, &authorized));
    }
    let store = visit.app().store.acting_as(Actor::User(person.user_id));
    store.withdraw_consent(person.user_id, &authorized.client_id).await?;
    let done = Done {
        title: &format!("{} has no access any more", authorized.name),
        message: if authorized.skip_consent { BY_ITSELF } else { ASKS_AGAIN },
        link: Some(Link { href: APPS, text: "Back to the apps" }),
    };
    Ok(html(StatusCode::OK, &OWN_PAGE, &done))
}

/// The app of this identifier, if the person has agreed to it.
async fn find(visit: &Visit, person: &Session, client_id: &str) -> Result<Option<AuthorizedApp>, PageError> {
    let client_id = ClientId::from(client_id.to_owned());
    Ok(visit.app().store.apps_of(person.user_id, Some(&client_id), 1, visit.now()).await?.pop())
}

fn question(visit: &Visit, authorized: &AuthorizedApp) -> HttpResponse {
    let page = Withdraw {
        csrf: &visit.csrf_token(),
        client_id: authorized.client_id.as_str(),
        app: &authorized.name,
        skips_consent: authorized.skip_consent,
    };
    visit.form(StatusCode::OK, &OWN_PAGE, &page)
}

fn withdraw_url(client_id: &ClientId) -> String {
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("client_id", client_id.as_str()).finish();
    format!("{WITHDRAW}?{query}")
}

fn shown<'a>(
    authorized: &'a AuthorizedApp,
    scopes: &ScopeCatalogue,
    claims: &ClaimCatalogue,
    now: Timestamp,
) -> pages::App<'a> {
    let words = |name: &String| scopes.get(name).map(|scope| scope.description.clone());
    let is_beyond_scopes = |name: &&String| {
        !claims.scope_of(name).is_some_and(|scope| authorized.scopes.iter().any(|agreed| agreed == scope))
    };
    let beyond_scopes = authorized.claims.iter().filter(is_beyond_scopes);
    let words_of_claim = |name: &String| claims.description(name).map(str::to_owned);
    let mut hosts: Vec<&str> =
        authorized.redirect_uris.iter().map(|uri| redirect_uri::host_for_display(uri)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    pages::App {
        name: &authorized.name,
        withdraw_url: withdraw_url(&authorized.client_id),
        is_unverified: authorized.self_registered,
        is_disabled: authorized.is_disabled,
        skips_consent: authorized.skip_consent,
        hosts,
        scopes: authorized
            .scopes
            .iter()
            .filter_map(words)
            .chain(beyond_scopes.filter_map(words_of_claim))
            .collect(),
        access: authorized.access,
        since: Moment::new(authorized.created_at, now),
        agreed_again: (authorized.updated_at != authorized.created_at)
            .then(|| Moment::new(authorized.updated_at, now)),
    }
}
