//! The demo app's two pages. They exist where a first run made the app; elsewhere there is no such page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use crate::app::App;
use crate::demo::{self, DemoApp};
use crate::model::UserId;
use crate::protocol::discovery::AUTHORIZATION_PATH;
use crate::protocol::token_request::AUTHORIZATION_CODE;
use crate::protocol::{CodeVerifier, Parameters, TokenError, TokenResponse};
use crate::secret::{base64url, from_base64url, random_bytes};
use crate::telemetry::events;
use crate::time::Timestamp;
use crate::web::DEMO;
use crate::web::extract::{DemoCookie, Visit};
use crate::web::failure::PageError;
use crate::web::pages::{Demo, ErrorPage, Link};
use crate::web::respond::{html, see_other, with_cookie};
use crate::web::security_headers::OWN_PAGE;

/// `GET /demo`: sends the browser to the authorization endpoint, for whatever the demo app is registered for.
pub async fn begin(visit: Visit) -> Result<HttpResponse, PageError> {
    let app = visit.app();
    let demo = app.demo.as_ref().ok_or_else(PageError::not_found)?;
    let client = app.registry.client(&app.store, demo.client_id()).await?.ok_or_else(PageError::not_found)?;
    let browser = DemoCookie::sent_with(visit.request()).unwrap_or_else(|| base64url(&random_bytes::<32>()));
    let query = demo.authorization_query(&client.scopes, &browser, &app.master_keys, visit.now());
    let response = see_other(&format!("{AUTHORIZATION_PATH}?{query}"));
    Ok(with_cookie(response, Some(DemoCookie::set(&browser, &app.config.issuer))))
}

/// `GET /demo/callback`: the demo app's redirect URI (RFC 6749 §4.1.2). Shows what an app gets.
pub async fn callback(visit: Visit) -> Result<HttpResponse, PageError> {
    let (app, now) = (visit.app(), visit.now());
    let demo = app.demo.as_ref().ok_or_else(PageError::not_found)?;
    let answer = visit.query()?;
    // Before anything of the answer is shown or used: whose it is (RFC 6749 §10.12, RFC 9207 §2.4).
    let verifier = answer
        .get("state")?
        .zip(DemoCookie::sent_with(visit.request()))
        .and_then(|(state, browser)| demo::open(state, &browser, &app.master_keys, now));
    let (Some(verifier), Some(true)) = (verifier, answer.get("iss")?.map(|issuer| issuer == app.issuer()))
    else {
        return Ok(not_begun_here());
    };
    let Some(code) = answer.get("code")? else { return refused(&answer) };
    let tokens = match redeem(app, demo, code, verifier, now).await {
        Ok(tokens) => tokens,
        Err(error) => return Ok(not_redeemed(&error)),
    };
    // Loading the page again would redeem the code again, which revokes what it gave: the sign-in is over.
    Ok(with_cookie(show(app, demo, &tokens).await?, Some(DemoCookie::forget(&app.config.issuer))))
}

/// Redeems the code as the token endpoint would (RFC 6749 §4.1.3), authentication included.
async fn redeem(
    app: &App,
    demo: &DemoApp,
    code: &str,
    verifier: CodeVerifier,
    now: Timestamp,
) -> Result<TokenResponse, TokenError> {
    let client = app.authenticate(&demo.credentials(), now).await?;
    let keys = app.keys_for(&client).await?;
    let validated = app.grants().validate(&client, demo.redemption(code, verifier), now).await?;
    let tokens = app.mint(&keys).issue(validated, app.registry.earlier_time(now)).await?;
    events::tokens_issued(AUTHORIZATION_CODE);
    Ok(tokens)
}

async fn show(app: &App, demo: &DemoApp, tokens: &TokenResponse) -> Result<HttpResponse, PageError> {
    let claims = claims(tokens.access_token.expose());
    let subject = claims["sub"].as_str().and_then(|sub| Uuid::parse_str(sub).ok()).map(UserId::from);
    let person = match subject {
        Some(id) => app.store.user(id).await?,
        None => None,
    };
    let id_token = tokens.id_token.as_ref();
    let id_token_claims = id_token.map(|token| format!("{:#}", self::claims(token.expose())));
    let page = Demo {
        username: person.as_ref().map_or("", |person| &person.username),
        access_token_claims: &format!("{claims:#}"),
        id_token_claims: id_token_claims.as_deref(),
        issuer: app.issuer(),
        client_id: demo.client_id().as_str(),
        client_secret: demo.client_secret().expose(),
        access_token: tokens.access_token.expose(),
        refresh_token: tokens.refresh_token.as_ref().map(|token| token.expose().as_str()),
    };
    Ok(html(StatusCode::OK, &OWN_PAGE, &page))
}

/// What is in a token that comes straight from its issuer, so that there is nothing to verify
/// (OpenID Connect Core §3.1.3.7, step 6).
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).and_then(from_base64url).unwrap_or_default();
    serde_json::from_slice(&payload).unwrap_or_default()
}

fn not_begun_here() -> HttpResponse {
    problem(
        StatusCode::BAD_REQUEST,
        "This sign-in is over",
        "The demo app shows an answer once, and takes only one that it asked for in this browser, less than an hour ago.",
        None,
    )
}

/// The server's refusal (RFC 6749 §4.1.2.1), as an app meets it.
fn refused(answer: &Parameters) -> Result<HttpResponse, PageError> {
    let code = answer.get("error")?;
    let description = answer.get("error_description")?.unwrap_or("no reason given");
    let (status, title) = match code {
        Some("access_denied") => (StatusCode::OK, "You did not allow it"),
        _ => (StatusCode::BAD_REQUEST, "The demo app was refused"),
    };
    let message = format!("The demo app got no tokens. It was told: “{description}”.");
    Ok(problem(status, title, &message, code))
}

fn not_redeemed(error: &TokenError) -> HttpResponse {
    let code = error.code().as_str();
    events::request_refused(code, error.description(), std::error::Error::source(error));
    let status = StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message =
        format!("The demo app got a code, but no tokens for it. It was told: “{}”.", error.description());
    problem(status, "The demo app got no tokens", &message, Some(code))
}

fn problem(status: StatusCode, title: &str, message: &str, code: Option<&str>) -> HttpResponse {
    let page = ErrorPage {
        title,
        message,
        next_step: "You can start again at any time.",
        code,
        request_id: None,
        link: Some(Link { href: DEMO, text: "Start again" }),
    };
    html(status, &OWN_PAGE, &page)
}
