//! JWTs through the eyes of a library that shares no code with the server.

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::Value;

use super::browser::Browser;
use super::server::Server;

/// A token that was verified through the published keys.
pub struct VerifiedJwt {
    pub header: Header,
    pub claims: Value,
}

/// The published keys.
pub async fn jwks(server: &Server) -> JwkSet {
    serde_json::from_str(&Browser::new(server).get("/.well-known/jwks.json").await.body).unwrap()
}

/// The published key that a token names.
pub async fn key_of(server: &Server, token: &str) -> Jwk {
    let kid = decode_header(token).unwrap().kid.expect("a kid");
    jwks(server).await.find(&kid).unwrap_or_else(|| panic!("{kid} is not published")).clone()
}

/// Verifies as an API or an app would: signature, issuer, audience, time.
pub async fn verify(server: &Server, token: &str, audience: &str) -> VerifiedJwt {
    verify_by(&jwks(server).await, &server.issuer, token, audience)
}

/// The same by keys that were fetched before.
pub fn verify_by(keys: &JwkSet, issuer: &str, token: &str, audience: &str) -> VerifiedJwt {
    let kid = decode_header(token).unwrap().kid.expect("a kid");
    let key = keys.find(&kid).unwrap_or_else(|| panic!("{kid} is not published"));
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    validation.leeway = 0;
    let verified = decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap();
    VerifiedJwt { header: verified.header, claims: verified.claims }
}
