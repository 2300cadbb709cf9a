//! Requests that Grantor itself makes, all through one guard.
//!
//! An address that a client registers must not become a way into the network behind the server. So: https only,
//! public addresses only, decided once by the resolver whose answer is then connected to, no redirects, no
//! proxies, no cookies, and limits of time and size. An operator may list origins that are let off the rule about
//! private addresses.

mod client;
mod network;
mod policy;
mod resolver;

pub use client::{Fetched, Limits, Outgoing, OutgoingError};
pub use network::Network;
pub use policy::{Policy, Refused};
