//! What tests begin with: they name what they are about, and nothing else.

use std::time::Duration;

use super::{ApplicationType, Client, ClientAuthentication, ClientId, OpenIdMetadata, SigningKey};
use crate::jose::Algorithm;
use crate::time::Timestamp;

/// A public web app that is registered for nothing.
pub fn client() -> Client {
    Client {
        id: ClientId::from("app".to_owned()),
        name: "App".to_owned(),
        authentication: ClientAuthentication::Public,
        application_type: ApplicationType::Web,
        redirect_uris: Vec::new(),
        grant_types: Vec::new(),
        scopes: Vec::new(),
        audiences: Vec::new(),
        resource_servers: Vec::new(),
        access_token_lifetime: None,
        refresh_idle_lifetime: None,
        refresh_absolute_lifetime: None,
        rotate_refresh_tokens: true,
        require_pkce: true,
        access_token_signing_alg: None,
        id_token_signed_response_alg: None,
        introspection_signed_response_alg: None,
        about: None,
        openid: OpenIdMetadata::default(),
        logout: None,
        skip_consent: false,
        self_registered: false,
        registration_tokens: None,
        disabled_at: None,
        created_at: Timestamp::from_unix_seconds(0),
    }
}

/// A key whose life is all that counts, in seconds since 1970.
pub fn signing_key(kid: &str, activates_at: i64, retired_at: Option<i64>) -> SigningKey {
    SigningKey {
        kid: kid.to_owned(),
        alg: Algorithm::Rs256,
        public_jwk: serde_json::Value::Null,
        wrapped_private_key: vec![1],
        master_key_id: Vec::new(),
        longest_token_lifetime: Duration::ZERO,
        created_at: Timestamp::from_unix_seconds(0),
        activates_at: Timestamp::from_unix_seconds(activates_at),
        retired_at: retired_at.map(Timestamp::from_unix_seconds),
    }
}
