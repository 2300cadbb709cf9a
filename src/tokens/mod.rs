//! Tokens: what is in them, minting, and asking about or revoking them afterwards.

mod access_token;
mod id_token;
mod id_token_hint;
mod introspect;
mod mint;
mod revoke;

pub use id_token_hint::{IdTokenHint, IdTokenHintError};
pub use introspect::{Introspection, IntrospectionResponse, SignedIntrospection};
pub use mint::Mint;
pub use revoke::Revocation;
