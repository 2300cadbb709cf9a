//! What handlers are given: each extractor has made its checks.

mod bearer_token;
mod body;
mod client_form;
mod client_limits;
mod cookies;
mod csrf_form;
mod now;
mod peer;
mod request_app;

pub use bearer_token::BearerToken;
pub use body::{FormError, form_parameters, query_parameters};
pub use client_form::ClientForm;
pub use client_limits::ClientLimits;
pub use cookies::{BrowserCookies, CsrfCookie, DemoCookie, SessionCookie};
pub use csrf_form::{CsrfForm, csrf_token};
pub use now::Now;
pub use peer::client_address;
pub use request_app::RequestApp;
