//! Tokens: what is in them, minting, and asking about or revoking them afterwards.

mod access_token;
mod id_token;
mod id_token_hint;
mod introspect;
mod mint;
mod released_claims;
mod revoke;
mod userinfo;

pub use id_token_hint::{IdTokenHint, IdTokenHintError};
pub use introspect::{Introspection, IntrospectionResponse, SignedIntrospection};
pub use mint::Mint;
pub use released_claims::{Asked, released_claims};
pub use revoke::Revocation;
pub use userinfo::{SignedUserInfo, UserInfo, UserInfoAnswer};
