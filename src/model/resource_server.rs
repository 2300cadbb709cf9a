//! A registered resource server.

use crate::time::Timestamp;

/// An API that tokens are for (RFC 8707). Which clients may get tokens for it, and which may introspect them, is
/// registered with the clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceServer {
    /// The resource indicator: an absolute URI, compared as a string.
    pub identifier: String,
    /// The name that people see on the consent page.
    pub name: String,
    /// The scopes that it understands; `None`: it does not say, and a token for it is not narrowed.
    pub scopes: Option<Vec<String>>,
    /// When it was registered.
    pub created_at: Timestamp,
}
