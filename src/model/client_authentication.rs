//! How a client proves who it is, and what that is checked against.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::AuthMethod;
use crate::jose::{AssertionAlgorithm, ClientJwks};
use crate::time::Timestamp;

/// How a client authenticates (RFC 6749 §2.3, RFC 7591 §2): what is stored of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// A public client only says who it is (RFC 6749 §2.1).
    Public,
    /// A secret that is sent with each request.
    Secret {
        /// The only accepted way; `None`: by Basic or by post.
        method: Option<SecretMethod>,
        /// The secrets that are accepted.
        secrets: ClientSecrets,
    },
    /// Assertions under the secret, which stays where it is: `client_secret_jwt` (OpenID Connect Core §9).
    SecretAssertion(ClientSecrets),
    /// Assertions under a private key: `private_key_jwt` (OpenID Connect Core §9).
    KeyAssertion(AssertionKeys),
}

/// How a secret is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretMethod {
    /// HTTP Basic.
    Basic,
    /// A parameter of the form.
    Post,
}

impl From<SecretMethod> for AuthMethod {
    fn from(method: SecretMethod) -> Self {
        match method {
            SecretMethod::Basic => Self::ClientSecretBasic,
            SecretMethod::Post => Self::ClientSecretPost,
        }
    }
}

impl ClientAuthentication {
    /// The only accepted method; `None`: a secret by Basic or by post.
    pub fn method(&self) -> Option<AuthMethod> {
        match self {
            Self::Public => Some(AuthMethod::None),
            Self::Secret { method, .. } => method.map(AuthMethod::from),
            Self::SecretAssertion(_) => Some(AuthMethod::ClientSecretJwt),
            Self::KeyAssertion(_) => Some(AuthMethod::PrivateKeyJwt),
        }
    }

    /// The secrets, where it has any.
    pub fn secrets(&self) -> Option<&ClientSecrets> {
        match self {
            Self::Secret { secrets, .. } | Self::SecretAssertion(secrets) => Some(secrets),
            Self::Public | Self::KeyAssertion(_) => None,
        }
    }

    /// The public keys, where it has any.
    pub fn keys(&self) -> Option<&AssertionKeys> {
        match self {
            Self::KeyAssertion(keys) => Some(keys),
            _ => None,
        }
    }
}

/// What the assertions of a client are verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionKeys {
    /// The public keys.
    pub keys: ClientKeys,
    /// `token_endpoint_auth_signing_alg`: the only accepted algorithm; `None`: any that fits the key.
    pub signing_alg: Option<AssertionAlgorithm>,
}

/// Public keys of a client (RFC 7591 §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientKeys {
    /// `jwks`: by value.
    Value(JwksByValue),
    /// `jwks_uri`: by address.
    Uri(String),
}

/// A JWK Set as it was registered, and the keys in it, which are read once, when they are first needed.
#[derive(Debug, Clone)]
pub struct JwksByValue {
    json: Value,
    keys: OnceLock<Arc<ClientJwks>>,
}

impl From<Value> for JwksByValue {
    fn from(json: Value) -> Self {
        Self { json, keys: OnceLock::new() }
    }
}

impl JwksByValue {
    /// As it was registered.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The keys in it that can be used; none if a later release wrote what this one cannot read.
    pub fn keys(&self) -> &ClientJwks {
        self.keys.get_or_init(|| Arc::new(ClientJwks::usable(&self.json).unwrap_or_default()))
    }
}

impl PartialEq for JwksByValue {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl Eq for JwksByValue {}

/// A client's secrets: the newest, and the one before it for as long as both work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecrets {
    /// The one that was made last.
    pub newest: ClientSecret,
    /// The one before, if it was kept.
    pub previous: Option<Box<ClientSecret>>,
}

impl ClientSecrets {
    /// The newest, and the one before it.
    pub fn all(&self) -> impl Iterator<Item = &ClientSecret> {
        std::iter::once(&self.newest).chain(self.previous.as_deref())
    }

    /// Those that have not expired.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &ClientSecret> {
        self.all().filter(move |secret| !secret.is_expired(now))
    }
}

/// A secret as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// What a presented secret is compared with.
    pub hash: SecretHash,
    /// When it ends; `None`: never by itself.
    pub expires_at: Option<Timestamp>,
    /// The secret itself, encrypted, where assertions are verified with it.
    pub sealed: Option<Box<[u8]>>,
}

impl ClientSecret {
    /// Whether it has ended.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSecret").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// HMAC-SHA-256 of a generated client secret, and the id of the master key whose purpose key made it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash {
    /// The keyed hash.
    pub hash: [u8; 32],
    /// The master key's id.
    pub key_id: [u8; 8],
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret hash]")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn registered_keys_are_read_once_and_by_all_who_share_them() {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let jwks = JwksByValue::from(json!({"keys": [jwk]}));
        assert!(!jwks.keys().is_empty() && std::ptr::eq(jwks.keys(), jwks.clone().keys()));
        assert!(JwksByValue::from(json!({"keys": "of a later release"})).keys().is_empty());
    }
}
