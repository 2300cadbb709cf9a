//! JSON Web Signatures and keys (RFC 7515, 7517, 7519, 8725), as strict as one's own tokens allow.

mod algorithm;
mod assertion_algorithm;
mod client_assertion;
mod client_jwk;
mod error;
mod jwk;
mod jws;
mod spki;
mod verification;
mod verified_before;

pub use algorithm::Algorithm;
pub use assertion_algorithm::AssertionAlgorithm;
pub use client_assertion::{
    AssertionClaims, AssertionFormError, Audience, LONGEST_ASSERTION, MalformedClaims, SignedClaims,
    UnverifiedAssertion,
};
pub use client_jwk::{ClientJwkError, ClientJwks, MOST_CLIENT_KEYS};
pub use error::JoseError;
pub use jwk::{PublicJwk, jwk_set};
pub use jws::{
    AccessToken, IdToken, IntrospectionAnswer, LogoutToken, TokenType, UnsignedJwt, UserInfoAnswer,
};
pub use verification::{Jwt, UnverifiedJwt, VerificationKey, VerificationKeys};
