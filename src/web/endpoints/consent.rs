//! The consent page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::authorize::{Begun, Question, Stage, issue, refuse, with_request};
use crate::app::App;
use crate::authorization::{Approval, RequestedScopes, divide_by_news};
use crate::clients::role_names;
use crate::model::{Agreement, ApplicationType};
use crate::protocol::{AuthorizationError, redirect_uri};
use crate::web::extract::{CsrfForm, Visit};
use crate::web::failure::PageError;
use crate::web::pages::{AboutApp, Consent, Destination, LeftOutScope, RequestedResource, RequestedScope};
use crate::web::respond::{html_about, see_other};
use crate::web::{SELECT_ACCOUNT, SIGN_IN};

/// `GET /consent`: continues the request, and asks where there is something to ask.
pub async fn show(visit: Visit) -> Result<HttpResponse, PageError> {
    let query = visit.query()?;
    let sealed = query.get("request")?.ok_or_else(PageError::request_expired)?;
    let begun = Begun::resume(visit.app(), sealed).await?;
    match begun.stage(&visit).await? {
        Stage::Answer(response) => Ok(response),
        Stage::SelectAccount(_) => Ok(see_other(&with_request(SELECT_ACCOUNT, sealed))),
        Stage::Ask(question) => Ok(ask(&visit, sealed, &question)),
    }
}

/// `POST /consent`: the person's decision. Only this answer carries the code.
pub async fn submit(visit: Visit, form: CsrfForm) -> Result<HttpResponse, PageError> {
    let sealed = form.field("request")?;
    let begun = Begun::resume(visit.app(), sealed).await?;
    // A no counts also where a yes is on file.
    if form.is_genuine && form.field("decision")? == "deny" {
        return deny(&visit, &begun).await;
    }
    let question = match begun.stage(&visit).await? {
        Stage::Answer(response) => return Ok(response),
        Stage::SelectAccount(_) => return Ok(see_other(&with_request(SELECT_ACCOUNT, sealed))),
        Stage::Ask(question) => question,
    };
    // The person agreed to what the page showed; if roles have changed since, the page is shown anew.
    let shown = (question.scopes.grantable.join(" "), claims_of(&question));
    let is_what_was_shown = (form.field("scope")?, form.field("claims")?) == (&shown.0, &shown.1);
    let is_allowed = form.field("decision")? == "allow" && !question.scopes.nothing_to_grant();
    if !form.is_genuine || !is_what_was_shown || !is_allowed {
        return Ok(ask(&visit, sealed, &question));
    }
    let Question { pending, person, scopes, requested_at } = *question;
    let RequestedScopes { grantable: scopes, claims, .. } = scopes;
    let approval = Approval { scopes, claims, agreement: Agreement::Person, requested_at };
    match issue(visit.app(), &pending, &person, approval).await? {
        Some(response) => Ok(response),
        None => Ok(see_other(&with_request(SIGN_IN, sealed))),
    }
}

async fn deny(visit: &Visit, begun: &Begun) -> Result<HttpResponse, PageError> {
    let asked = begun.pending();
    if let Some(session) = visit.session() {
        visit.app().store.deny_consent(&session.hash(), &asked.client.id, visit.now()).await?;
    }
    let denied = AuthorizationError::access_denied("the person did not agree");
    Ok(refuse(&asked.target, &denied))
}

fn ask(visit: &Visit, sealed: &str, question: &Question) -> HttpResponse {
    let app = visit.app();
    let Question { pending, person, scopes, .. } = question;
    let catalogue = app.registry.scopes();
    let words = |name: &str| catalogue.get(name).map(|scope| scope.description.clone()).unwrap_or_default();
    let (new, known) = divide_by_news(asked_for(app, question), |asked| asked.is_known);
    let left_out: Vec<(&str, String)> =
        scopes.left_out.iter().map(|name| (name.as_str(), words(name))).collect();
    let registered = app.registry.resources();
    let resource = |identifier| RequestedResource { name: registered.name(identifier), identifier };
    let resources: Vec<RequestedResource<'_>> =
        pending.request.resources.as_slice().iter().map(String::as_str).map(resource).collect();
    let about = AboutApp::of(&pending.client, app.config.registration.show_logos);
    let page = Consent {
        csrf: &visit.csrf_token(),
        request: sealed,
        scope: &scopes.grantable.join(" "),
        claims: &claims_of(question),
        app: &pending.client.name,
        about: &about,
        username: &person.session.username,
        switch_account_url: &with_request(SIGN_IN, sealed),
        scopes: &requested(&new),
        known: &requested(&known),
        left_out: &left_out
            .iter()
            .map(|(name, description)| LeftOutScope { name, description })
            .collect::<Vec<_>>(),
        resources: &resources,
        destination: destination(pending.target.uri(), pending.client.application_type),
    };
    visit.with_csrf_cookie(html_about(StatusCode::OK, &about, &page))
}

/// Something that the person may let the app have.
struct AskedFor<'a> {
    name: String,
    description: String,
    roles: Vec<&'a str>,
    is_known: bool,
}

/// The scopes, and the claims beyond those that they release.
fn asked_for<'a>(app: &App, question: &'a Question) -> Vec<AskedFor<'a>> {
    let Question { person, scopes, .. } = question;
    let (catalogue, claims) = (app.registry.scopes(), app.registry.claims());
    let agreed_scopes = person.agreed_scopes();
    let agreed = |scope: &str| agreed_scopes.iter().any(|known| known == scope);
    let asked_scopes = scopes.grantable.iter().map(|name| AskedFor {
        name: name.clone(),
        description: catalogue.get(name).map(|scope| scope.description.clone()).unwrap_or_default(),
        roles: role_names(&person.roles, std::slice::from_ref(name)),
        is_known: agreed(name),
    });
    let asked_claims = scopes.claims.beyond_scopes().map(|name| AskedFor {
        name: name.to_owned(),
        description: claims.description(name).unwrap_or_default().to_owned(),
        roles: Vec::new(),
        is_known: person.consented_claims.iter().any(|known| known == name)
            || claims.scope_of(name).is_some_and(agreed),
    });
    asked_scopes.chain(asked_claims).collect()
}

/// The claims beyond those of scopes, as the form has them.
fn claims_of(question: &Question) -> String {
    question.scopes.claims.beyond_scopes().collect::<Vec<_>>().join(" ")
}

fn requested<'a>(asked: &'a [AskedFor<'_>]) -> Vec<RequestedScope<'a>> {
    let item = |asked: &'a AskedFor<'_>| RequestedScope {
        name: &asked.name,
        description: &asked.description,
        roles: &asked.roles,
    };
    asked.iter().map(item).collect()
}

fn destination(uri: &str, application_type: ApplicationType) -> Destination<'_> {
    let host = redirect_uri::host_for_display(uri);
    match application_type {
        ApplicationType::Web => Destination::Site(host),
        ApplicationType::Native if redirect_uri::is_verified_https(uri) => Destination::Site(host),
        ApplicationType::Native => Destination::Device(host),
    }
}
