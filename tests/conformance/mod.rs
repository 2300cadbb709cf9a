//! The OpenID Foundation's conformance plans, each module as a test of the same name.
//!
//! The actor [`Suite`] behaves as the suite does: over https, with its own redirect URI, without PKCE, and with the
//! checks that it makes at each answer. `docs/conformance.md` says which module is which test.

mod authorization;
mod automation;
mod backchannel_logout;
mod basic;
mod checks;
mod client;
mod config;
mod document;
mod dynamic;
mod rp_initiated_logout;
mod suite;

use authorization::{Request, ResponseMode};
use client::{Authentication, CALLBACK, Client, POST_LOGOUT};
use suite::{SignedIn, Suite};
