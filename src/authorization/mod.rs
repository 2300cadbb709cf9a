//! The authorization endpoint's work (RFC 6749 §4.1): from a request, over sign-in and consent, to a code.

mod incoming;
mod issue_code;
mod news;
mod next_step;
mod redirect_target;
mod requested_claims;
mod sealed_request;

pub use incoming::{Incoming, Pending, Refusal};
pub use issue_code::{Approval, CodeIssuer, NotIssued};
pub use news::divide_by_news;
pub use next_step::{NextStep, RequestedScopes, Visitor, next_step};
pub use redirect_target::{AuthorizationResponse, Delivery, RedirectTarget};
pub use requested_claims::{Bounds, GrantableClaims};
pub use sealed_request::SealedRequest;
