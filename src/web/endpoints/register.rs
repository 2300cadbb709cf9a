//! The registration endpoint, and each client's own (RFC 7591, RFC 7592).

use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use crate::app::App;
use crate::model::{ClientId, Network};
use crate::protocol::ClientRegistrationError;
use crate::web::extract::{Now, RequestApp, client_address};
use crate::web::registration_failure::RegistrationFailure;
use crate::web::respond::{json_not_stored, not_stored};

/// `POST /register` (RFC 7591 §3.1).
pub async fn register(
    app: RequestApp,
    request: HttpRequest,
    body: Bytes,
    now: Now,
) -> Result<HttpResponse, RegistrationFailure> {
    let (bearer, from) = (arriving(&app, &request)?, Network::of(client_address(&request)));
    check_json(&request)?;
    let registered =
        app.self_registration(&app.registry.scopes()).register(bearer, &body, from, now.get()).await?;
    Ok(not_stored(StatusCode::CREATED).json(&registered))
}

/// `GET /register/{client_id}` (RFC 7592 §2.1).
pub async fn read(app: RequestApp, request: HttpRequest) -> Result<HttpResponse, RegistrationFailure> {
    let bearer = arriving(&app, &request)?;
    Ok(json_not_stored(
        &app.self_registration(&app.registry.scopes()).read(&client_id(&request), bearer).await?,
    ))
}

/// `PUT /register/{client_id}` (RFC 7592 §2.2).
pub async fn replace(
    app: RequestApp,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, RegistrationFailure> {
    let (bearer, from) = (arriving(&app, &request)?, Network::of(client_address(&request)));
    check_json(&request)?;
    let (scopes, id) = (app.registry.scopes(), client_id(&request));
    Ok(json_not_stored(&app.self_registration(&scopes).replace(&id, bearer, &body, from).await?))
}

/// `DELETE /register/{client_id}` (RFC 7592 §2.3).
pub async fn delete(app: RequestApp, request: HttpRequest) -> Result<HttpResponse, RegistrationFailure> {
    let bearer = arriving(&app, &request)?;
    app.self_registration(&app.registry.scopes()).delete(&client_id(&request), bearer).await?;
    Ok(not_stored(StatusCode::NO_CONTENT).finish())
}

/// The token that came, if any did (RFC 6750 §2.1). Where clients do not register themselves there is nothing here.
fn arriving<'a>(app: &App, request: &'a HttpRequest) -> Result<Option<&'a str>, RegistrationFailure> {
    if !app.config.registration.is_on() {
        return Err(RegistrationFailure::Off);
    }
    // RFC 6750 §5.3: a token in the address is in every log.
    if !request.query_string().is_empty() {
        return Err(invalid_request("there are parameters in the URL, which this endpoint does not read"));
    }
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    match (headers.next(), headers.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => bearer(one.to_str().unwrap_or_default()).map(Some),
        (Some(_), Some(_)) => Err(invalid_request("there is more than one Authorization header")),
    }
}

fn bearer(credentials: &str) -> Result<&str, RegistrationFailure> {
    match credentials.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(invalid_request("the Authorization header is not of the form 'Bearer TOKEN'")),
    }
}

/// As it stands in the address: ours need no escaping.
fn client_id(request: &HttpRequest) -> ClientId {
    request.match_info().query("client_id").to_owned().into()
}

/// RFC 7591 §3.1.
fn check_json(request: &HttpRequest) -> Result<(), RegistrationFailure> {
    if request.content_type().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(invalid_request("the body is not JSON: send Content-Type application/json"))
}

fn invalid_request(description: &'static str) -> RegistrationFailure {
    ClientRegistrationError::invalid_request(description).into()
}
