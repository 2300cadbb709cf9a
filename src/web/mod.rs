//! HTTP: what browsers and clients meet.

mod arriving;
pub mod assets;
mod bearer;
mod connections;
mod documents;
mod endpoints;
mod extract;
mod failure;
mod limits;
mod load;
mod metrics_listener;
mod middleware;
pub mod pages;
mod refused;
mod registration_failure;
mod respond;
mod return_to;
mod routes;
pub mod security_headers;
pub mod server;
mod static_assets;
mod tls;

use actix_web::HttpRequest;
use actix_web::web::Data;

use crate::app::App;

/// Where a person signs in.
const SIGN_IN: &str = "/sign-in";
/// Where a person chooses whose account an app gets.
const SELECT_ACCOUNT: &str = "/select-account";
/// Where a person is asked what an app may do.
const CONSENT: &str = "/consent";
/// The signed-in person's overview.
const ACCOUNT: &str = "/account";
/// The browsers in which the person is signed in.
const SESSIONS: &str = "/account/sessions";
/// The apps with access to the account.
const APPS: &str = "/account/apps";
/// Taking an app's access back.
const WITHDRAW: &str = "/account/apps/withdraw";
/// Changing the own password.
const PASSWORD: &str = "/password";
/// Where the demo app of a first run begins.
pub const DEMO: &str = "/demo";
/// The demo app's redirect URI.
pub const DEMO_CALLBACK: &str = "/demo/callback";
/// Where a person signs out.
pub const SIGN_OUT: &str = "/sign-out";
/// Where a person is asked whether to sign out for an app.
pub const LOGOUT_CONFIRM: &str = "/logout/confirm";

/// What the handlers of this request reach.
fn app(request: &HttpRequest) -> &App {
    #[expect(clippy::expect_used, reason = "the server registers it before any route")]
    request.app_data::<Data<App>>().expect("the app is registered")
}
