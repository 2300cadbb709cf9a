//! Logout: what a client asks for at the end of a session, and what other clients are told of it.

mod delivery;
mod logout_token;
mod post_logout;
mod schedule;

pub use delivery::{Deliverer, Outcome, TIME_LIMIT};
pub use logout_token::LogoutTokenClaims;
pub use post_logout::{LogoutRefused, PostLogout, PostLogoutRequest};
pub use schedule::{MOST_ATTEMPTS, retry_after};
