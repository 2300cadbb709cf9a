//! JSON Web Signatures and keys (RFC 7515, 7517, 7519, 8725), as strict as one's own tokens allow.

mod algorithm;
mod error;
mod jwk;
mod jws;
mod verification;

pub use algorithm::Algorithm;
pub use error::JoseError;
pub use jwk::{PublicJwk, jwk_set};
pub use jws::{AccessToken, IdToken, TokenType, UnsignedJwt};
pub use verification::{Jwt, UnverifiedJwt, VerificationKey, VerificationKeys};
