//! What handlers are given: each extractor has made its checks.

mod bearer_token;
mod body;
mod client_form;
mod client_limits;
mod cookies;
mod csrf_form;
mod now;
mod peer;
mod posted_request;
mod request_app;
mod visit;

pub use bearer_token::BearerToken;
pub use body::{FormError, form_parameters, query_parameters};
pub use client_form::ClientForm;
pub use client_limits::ClientLimits;
pub use cookies::{BrowserCookie, DemoCookie, SessionCookie};
pub use csrf_form::CsrfForm;
pub use now::Now;
pub use peer::client_address;
pub use posted_request::PostedRequest;
pub use request_app::RequestApp;
pub use visit::Visit;
