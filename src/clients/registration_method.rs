//! Which method of authentication a registration asks for, and whether it has what that needs.

use serde_json::Value;
use url::Url;

use super::registration::ClientMetadata;
use super::registration_checks::{Refusal, refuse};
use crate::jose::{AssertionAlgorithm, ClientJwks};
use crate::model::{AssertionKeys, AuthMethod, ClientKeys, SecretMethod};

/// Longest `jwks_uri`, in bytes.
const LONGEST_JWKS_URI: usize = 2048;

/// Longest JWK Set by value, in bytes.
const LONGEST_JWKS: usize = 64 * 1024;

/// A method with what the operator must give for it. A secret is still to be made, or is there already.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Method {
    Public,
    Secret(Option<SecretMethod>),
    SecretAssertion,
    Key(AssertionKeys),
}

/// Checks what belongs to authentication.
pub(super) fn check_method(metadata: &ClientMetadata) -> Result<Method, Refusal> {
    let method = match (metadata.public, metadata.auth_method) {
        (true, Some(method)) if method != AuthMethod::None => {
            return refuse(format!(
                "a public client has neither a secret nor a key for {method}: leave out one of the two"
            ));
        }
        (true, _) => Some(AuthMethod::None),
        (false, method) => method,
    };
    if method != Some(AuthMethod::PrivateKeyJwt) && metadata.keys.is_some() {
        return refuse("public keys are for private_key_jwt: give that method, or leave out the keys");
    }
    let has_secret = !matches!(method, Some(AuthMethod::None | AuthMethod::PrivateKeyJwt));
    if metadata.secret_lifetime.is_some() && !has_secret {
        return refuse("this client has no secret that could expire");
    }
    let alg = metadata.token_endpoint_auth_signing_alg;
    match method {
        Some(AuthMethod::PrivateKeyJwt) => check_keys(metadata.keys.as_ref(), alg).map(Method::Key),
        Some(AuthMethod::ClientSecretJwt) if alg.is_some_and(|alg| !alg.is_symmetric()) => {
            refuse("client_secret_jwt is signed with HS256")
        }
        Some(AuthMethod::ClientSecretJwt) => Ok(Method::SecretAssertion),
        _ if alg.is_some() => refuse("only private_key_jwt and client_secret_jwt sign anything"),
        Some(AuthMethod::None) => Ok(Method::Public),
        Some(AuthMethod::ClientSecretBasic) => Ok(Method::Secret(Some(SecretMethod::Basic))),
        Some(AuthMethod::ClientSecretPost) => Ok(Method::Secret(Some(SecretMethod::Post))),
        None => Ok(Method::Secret(None)),
    }
}

fn check_keys(
    keys: Option<&ClientKeys>,
    signing_alg: Option<AssertionAlgorithm>,
) -> Result<AssertionKeys, Refusal> {
    if signing_alg.is_some_and(AssertionAlgorithm::is_symmetric) {
        return refuse("private_key_jwt is signed with a private key, not with HS256");
    }
    let Some(keys) = keys else {
        return refuse("private_key_jwt needs the client's public keys: give a JWK Set or its address");
    };
    match keys {
        ClientKeys::Uri(uri) => check_jwks_uri(uri)?,
        ClientKeys::Value(jwks) => check_jwks(jwks.json(), signing_alg)?,
    }
    Ok(AssertionKeys { keys: keys.clone(), signing_alg })
}

fn check_jwks(json: &Value, signing_alg: Option<AssertionAlgorithm>) -> Result<(), Refusal> {
    let text = json.to_string();
    if text.len() > LONGEST_JWKS {
        return refuse("the JWK Set is longer than 64 KiB");
    }
    // The database could not store it.
    if text.contains("\\u0000") {
        return refuse("the JWK Set holds a NUL character");
    }
    match ClientJwks::registered(json) {
        Err(problem) => refuse(format!("the JWK Set is refused: {problem}")),
        Ok(jwks) if signing_alg.is_some_and(|alg| !jwks.has_key_for(alg)) => {
            refuse("the JWK Set has no key for the algorithm of the assertions")
        }
        Ok(_) => Ok(()),
    }
}

/// The form alone. Where it leads is judged whenever it is fetched.
fn check_jwks_uri(uri: &str) -> Result<(), Refusal> {
    let url = Url::parse(uri).ok().filter(|url| url.has_host() && matches!(url.scheme(), "https" | "http"));
    match url {
        Some(url) if uri.len() <= LONGEST_JWKS_URI && !uri.contains('@') && url.fragment().is_none() => {
            Ok(())
        }
        _ => refuse("the jwks_uri must be a URL such as https://app.example.com/jwks.json"),
    }
}

#[cfg(test)]
mod tests;
