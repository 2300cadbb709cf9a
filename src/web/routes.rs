//! The whole URL space on one screen.

use actix_web::dev::HttpServiceFactory;
use actix_web::guard::fn_guard;
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, resource, scope};
use actix_web::{HttpResponse, ResponseError, Route};

use super::endpoints::authorize::{authorize, authorize_posted};
use super::endpoints::{
    account, apps, consent, demo, health, introspect, jwks, logout, metadata, password, register, revoke,
    select_account, sessions, set_password, sign_in, sign_out, start, token, userinfo,
};
use super::failure::PageError;
use super::limits::Endpoint;
use super::middleware::{bounded, guard_pages, open_to_scripts, preflight};
use super::respond::method_not_allowed;
use super::static_assets;
use super::{
    ACCOUNT, APPS, CONSENT, DEMO, DEMO_CALLBACK, LOGOUT_CONFIRM, PASSWORD, SELECT_ACCOUNT, SESSIONS, SIGN_IN,
    SIGN_OUT, WITHDRAW,
};
use crate::protocol::discovery::{
    AUTHORIZATION_PATH, AUTHORIZATION_SERVER_METADATA_PATH, CLIENT_CONFIGURATION_PATH, END_SESSION_PATH,
    INTROSPECTION_PATH, JWKS_PATH, OPENID_CONFIGURATION_PATH, REGISTRATION_PATH, REVOCATION_PATH, TOKEN_PATH,
    USERINFO_PATH,
};

const LIVE: &str = "/health/live";
const READY: &str = "/health/ready";
const ASSETS: &str = "/assets/{file}";
const START: &str = "/";
const SET_PASSWORD: &str = "/password/set";

/// What a client's own endpoint answers to (RFC 7592 §2).
const OWN_REGISTRATION: &str = "GET, HEAD, PUT, DELETE";

/// All patterns, for the label of a metric.
const ALL: &[&str] = &[
    TOKEN_PATH,
    INTROSPECTION_PATH,
    REVOCATION_PATH,
    USERINFO_PATH,
    REGISTRATION_PATH,
    CLIENT_CONFIGURATION_PATH,
    JWKS_PATH,
    AUTHORIZATION_SERVER_METADATA_PATH,
    OPENID_CONFIGURATION_PATH,
    LIVE,
    READY,
    ASSETS,
    AUTHORIZATION_PATH,
    START,
    SIGN_IN,
    SELECT_ACCOUNT,
    CONSENT,
    PASSWORD,
    SET_PASSWORD,
    SIGN_OUT,
    END_SESSION_PATH,
    LOGOUT_CONFIRM,
    ACCOUNT,
    SESSIONS,
    APPS,
    WITHDRAW,
    DEMO,
    DEMO_CALLBACK,
];

/// The pattern as a label.
pub fn known(pattern: &str) -> Option<&'static str> {
    ALL.iter().find(|known| **known == pattern).copied()
}

/// Whether it is the same for everybody: a document, or how the process is.
pub fn is_document(route: &str) -> bool {
    [JWKS_PATH, AUTHORIZATION_SERVER_METADATA_PATH, OPENID_CONFIGURATION_PATH, LIVE, READY].contains(&route)
}

/// The path as a label, where it is that of a document which [`Documents`](super::documents::Documents) has.
pub fn prepared_document(path: &str) -> Option<&'static str> {
    let paths = [JWKS_PATH, OPENID_CONFIGURATION_PATH, AUTHORIZATION_SERVER_METADATA_PATH];
    paths.into_iter().find(|known| *known == path)
}

/// The routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        // For programs; those first that apps in a browser need too.
        .service(open(TOKEN_PATH, within_bounds(Endpoint::Token, post().to(token::token)), "POST"))
        .service(open(
            REVOCATION_PATH,
            within_bounds(Endpoint::Revocation, post().to(revoke::revoke)),
            "POST",
        ))
        .service(open(
            USERINFO_PATH,
            within_bounds(Endpoint::UserInfo, get_or_post().to(userinfo::userinfo)),
            "GET, HEAD, POST",
        ))
        .service(open(
            REGISTRATION_PATH,
            within_bounds(Endpoint::Registration, post().to(register::register)),
            "POST",
        ))
        .service(
            only(
                CLIENT_CONFIGURATION_PATH,
                within_bounds(Endpoint::Registration, get().to(register::read)),
                OWN_REGISTRATION,
            )
            .route(within_bounds(Endpoint::Registration, by(&[Method::PUT]).to(register::replace)))
            .route(within_bounds(Endpoint::Registration, by(&[Method::DELETE]).to(register::delete)))
            .route(by(&[Method::OPTIONS]).to(|| preflight(OWN_REGISTRATION)))
            .wrap(from_fn(open_to_scripts)),
        )
        .service(open(JWKS_PATH, get().to(jwks::jwks), "GET, HEAD"))
        .service(open(AUTHORIZATION_SERVER_METADATA_PATH, get().to(metadata::metadata), "GET, HEAD"))
        .service(open(OPENID_CONFIGURATION_PATH, get().to(metadata::metadata), "GET, HEAD"))
        .service(only(
            INTROSPECTION_PATH,
            within_bounds(Endpoint::Introspection, post().to(introspect::introspect)),
            "POST",
        ))
        .service(only(LIVE, get().to(health::live), "GET, HEAD"))
        .service(only(READY, get().to(health::ready), "GET, HEAD"))
        .service(only(ASSETS, get().to(static_assets::asset), "GET, HEAD"))
        // For people.
        .service(
            scope("")
                .wrap(from_fn(guard_pages))
                .service(page(START, get().to(start::show), None))
                .service(page(AUTHORIZATION_PATH, get().to(authorize), Some(post().to(authorize_posted))))
                .service(page(SIGN_IN, get().to(sign_in::show), Some(post().to(sign_in::submit))))
                .service(page(
                    SELECT_ACCOUNT,
                    get().to(select_account::show),
                    Some(post().to(select_account::submit)),
                ))
                .service(page(CONSENT, get().to(consent::show), Some(post().to(consent::submit))))
                .service(page(PASSWORD, get().to(password::show), Some(post().to(password::submit))))
                .service(page(
                    SET_PASSWORD,
                    get().to(set_password::show),
                    Some(post().to(set_password::submit)),
                ))
                .service(page(SIGN_OUT, get().to(sign_out::show), Some(post().to(sign_out::submit))))
                .service(page(
                    END_SESSION_PATH,
                    get().to(logout::logout),
                    Some(post().to(logout::logout_posted)),
                ))
                .service(page(LOGOUT_CONFIRM, get().to(logout::confirm), Some(post().to(logout::confirmed))))
                .service(page(ACCOUNT, get().to(account::show), None))
                .service(page(SESSIONS, get().to(sessions::show), Some(post().to(sessions::submit))))
                .service(page(APPS, get().to(apps::show), None))
                .service(page(WITHDRAW, get().to(apps::ask), Some(post().to(apps::submit))))
                .service(page(DEMO, get().to(demo::begin), None))
                .service(page(DEMO_CALLBACK, get().to(demo::callback), None))
                .default_service(web::to(no_such_page)),
        );
}

/// RFC 9110 §9.3.2: what answers to GET answers to HEAD.
fn get() -> Route {
    by(&[Method::GET, Method::HEAD])
}

fn get_or_post() -> Route {
    by(&[Method::GET, Method::HEAD, Method::POST])
}

fn post() -> Route {
    by(&[Method::POST])
}

/// The library's own guards write down in each request what would have been allowed, for an answer that Grantor makes
/// by itself.
fn by(methods: &'static [Method]) -> Route {
    web::route().guard(fn_guard(move |asked| methods.contains(&asked.head().method)))
}

fn within_bounds(endpoint: Endpoint, route: Route) -> Route {
    route.wrap(from_fn(move |request, next| bounded(endpoint, request, next)))
}

/// For scripts of every site too.
fn open(path: &str, route: Route, methods: &'static str) -> impl HttpServiceFactory + 'static {
    let asked_before = by(&[Method::OPTIONS]).to(move || preflight(methods));
    only(path, route, methods).route(asked_before).wrap(from_fn(open_to_scripts))
}

fn only(path: &str, route: Route, allow: &'static str) -> actix_web::Resource {
    resource(path).route(route).default_service(web::to(move || method_not_allowed(allow)))
}

fn page(path: &str, get: Route, post: Option<Route>) -> actix_web::Resource {
    let allow = if post.is_some() { "GET, HEAD, POST" } else { "GET, HEAD" };
    let resource = resource(path).route(within_bounds(Endpoint::Page, get));
    let resource = match post {
        Some(post) => resource.route(within_bounds(Endpoint::Page, post)),
        None => resource,
    };
    resource.default_service(web::to(move || async move {
        let mut response = PageError::method_not_allowed().error_response();
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        response
    }))
}

async fn no_such_page() -> HttpResponse {
    PageError::not_found().error_response()
}
