//! What the server says about itself (RFC 8414 §2, OpenID Connect Discovery §3): one source for both documents.

use serde::Serialize;

use super::authentication_context::ACR_VALUES_SUPPORTED;
use super::prompt::Prompt;
use super::response_mode::ResponseMode;
use super::token_request::{AUTHORIZATION_CODE, CLIENT_CREDENTIALS, REFRESH_TOKEN};

/// Path of the authorization endpoint (RFC 6749 §3.1).
pub const AUTHORIZATION_PATH: &str = "/authorize";
/// Path of the token endpoint (RFC 6749 §3.2).
pub const TOKEN_PATH: &str = "/token";
/// Path of the introspection endpoint (RFC 7662 §2).
pub const INTROSPECTION_PATH: &str = "/introspect";
/// Path of the revocation endpoint (RFC 7009 §2).
pub const REVOCATION_PATH: &str = "/revoke";
/// Path of UserInfo (OpenID Connect Core §5.3).
pub const USERINFO_PATH: &str = "/userinfo";
/// Path of the logout endpoint (OpenID Connect RP-Initiated Logout §2).
pub const END_SESSION_PATH: &str = "/logout";
/// Path of the registration endpoint (RFC 7591 §3).
pub const REGISTRATION_PATH: &str = "/register";
/// Path of each client's own endpoint (RFC 7592 §2).
pub const CLIENT_CONFIGURATION_PATH: &str = "/register/{client_id}";
/// Path of the published keys (RFC 7517 §5).
pub const JWKS_PATH: &str = "/.well-known/jwks.json";
/// Path of this metadata (RFC 8414 §3).
pub const AUTHORIZATION_SERVER_METADATA_PATH: &str = "/.well-known/oauth-authorization-server";
/// Path of this metadata (OpenID Connect Discovery §4).
pub const OPENID_CONFIGURATION_PATH: &str = "/.well-known/openid-configuration";

const CONFIDENTIAL: &[&str] =
    &["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"];
const CONFIDENTIAL_OR_NONE: &[&str] =
    &["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];
/// RFC 8414 §2: never `none`. EdDSA is the name that RFC 9864 deprecates and libraries still write.
const ASSERTION_ALGORITHMS: &[&str] = &["RS256", "PS256", "ES256", "Ed25519", "EdDSA", "HS256"];

/// What an ID token has in any case, or as the request says.
const CLAIMS_OF_ID_TOKENS: [&str; 12] =
    ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "sid"];

/// Metadata of the authorization server; each field is named by its registered member.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the registered names say it: RFC 8414 §2, OpenID Connect Discovery §3")]
pub struct AuthorizationServerMetadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub introspection_endpoint: String,
    pub revocation_endpoint: String,
    pub userinfo_endpoint: String,
    pub end_session_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    pub jwks_uri: String,
    pub scopes_supported: Vec<String>,
    pub response_types_supported: &'static [&'static str],
    pub response_modes_supported: Vec<&'static str>,
    pub grant_types_supported: &'static [&'static str],
    pub token_endpoint_auth_methods_supported: &'static [&'static str],
    pub token_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    pub introspection_endpoint_auth_methods_supported: &'static [&'static str],
    pub introspection_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    pub introspection_signing_alg_values_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_methods_supported: &'static [&'static str],
    pub revocation_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    pub code_challenge_methods_supported: &'static [&'static str],
    pub authorization_response_iss_parameter_supported: bool,
    pub prompt_values_supported: Vec<&'static str>,
    pub display_values_supported: &'static [&'static str],
    pub ui_locales_supported: &'static [&'static str],
    pub subject_types_supported: &'static [&'static str],
    pub acr_values_supported: &'static [&'static str],
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
    pub userinfo_signing_alg_values_supported: Vec<&'static str>,
    pub claim_types_supported: &'static [&'static str],
    pub claims_supported: Vec<String>,
    pub claims_parameter_supported: bool,
    pub backchannel_logout_supported: bool,
    pub backchannel_logout_session_supported: bool,
    pub request_parameter_supported: bool,
    pub request_uri_parameter_supported: bool,
}

/// The metadata of `issuer`, which stands in it exactly as given (RFC 8414 §3.3). `scopes` are those that
/// anybody may ask for: restricted ones are told to nobody, and neither are their `claims` about people. `signing_algs`
/// are those that there is a key for.
pub fn authorization_server_metadata(
    issuer: &str,
    scopes: &[String],
    claims: Vec<String>,
    signing_algs: &[&'static str],
) -> AuthorizationServerMetadata {
    let endpoint = |path: &str| format!("{}{path}", issuer.trim_end_matches('/'));
    AuthorizationServerMetadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: endpoint(AUTHORIZATION_PATH),
        token_endpoint: endpoint(TOKEN_PATH),
        introspection_endpoint: endpoint(INTROSPECTION_PATH),
        revocation_endpoint: endpoint(REVOCATION_PATH),
        userinfo_endpoint: endpoint(USERINFO_PATH),
        end_session_endpoint: endpoint(END_SESSION_PATH),
        registration_endpoint: None,
        jwks_uri: endpoint(JWKS_PATH),
        scopes_supported: scopes.to_vec(),
        response_types_supported: &["code"],
        response_modes_supported: ResponseMode::ALL.map(ResponseMode::as_str).to_vec(),
        grant_types_supported: &[AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS],
        token_endpoint_auth_methods_supported: CONFIDENTIAL_OR_NONE,
        token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
        // RFC 7662 §4: a public client cannot introspect.
        introspection_endpoint_auth_methods_supported: CONFIDENTIAL,
        introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
        // RFC 9701 §7.
        introspection_signing_alg_values_supported: signing_algs.to_vec(),
        // RFC 7009 §2.1: a public client may revoke its own tokens.
        revocation_endpoint_auth_methods_supported: CONFIDENTIAL_OR_NONE,
        revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
        code_challenge_methods_supported: &["S256"],
        // RFC 9207 §3.
        authorization_response_iss_parameter_supported: true,
        prompt_values_supported: Prompt::ALL.map(Prompt::as_str).to_vec(),
        // One page fits them all, and opens in a popup too.
        display_values_supported: &["page", "popup", "touch"],
        ui_locales_supported: &["en"],
        subject_types_supported: &["public", "pairwise"],
        acr_values_supported: ACR_VALUES_SUPPORTED,
        id_token_signing_alg_values_supported: signing_algs.to_vec(),
        userinfo_signing_alg_values_supported: signing_algs.to_vec(),
        claim_types_supported: &["normal"],
        claims_supported: CLAIMS_OF_ID_TOKENS.iter().map(|name| (*name).to_owned()).chain(claims).collect(),
        claims_parameter_supported: true,
        // OpenID Connect Back-Channel Logout §2.1.
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        request_parameter_supported: false,
        // OpenID Connect Discovery §3: left out it would mean true.
        request_uri_parameter_supported: false,
    }
}

impl AuthorizationServerMetadata {
    /// With the registration endpoint, where clients may register themselves.
    #[must_use]
    pub fn with_registration(self) -> Self {
        let endpoint = format!("{}{REGISTRATION_PATH}", self.issuer.trim_end_matches('/'));
        Self { registration_endpoint: Some(endpoint), ..self }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_document_is_complete() {
        let scopes = ["openid".into(), "orders".into()];
        let metadata =
            authorization_server_metadata("https://id.example", &scopes, vec!["email".into()], &["RS256"]);
        let confidential =
            json!(["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]);
        let with_none = json!([
            "client_secret_basic",
            "client_secret_post",
            "client_secret_jwt",
            "private_key_jwt",
            "none"
        ]);
        let algorithms = json!(["RS256", "PS256", "ES256", "Ed25519", "EdDSA", "HS256"]);
        assert_eq!(
            serde_json::to_value(metadata).unwrap(),
            json!({
                "issuer": "https://id.example",
                "authorization_endpoint": "https://id.example/authorize",
                "token_endpoint": "https://id.example/token",
                "introspection_endpoint": "https://id.example/introspect",
                "revocation_endpoint": "https://id.example/revoke",
                "userinfo_endpoint": "https://id.example/userinfo",
                "end_session_endpoint": "https://id.example/logout",
                "jwks_uri": "https://id.example/.well-known/jwks.json",
                "scopes_supported": ["openid", "orders"],
                "response_types_supported": ["code"],
                "response_modes_supported": ["query", "form_post"],
                "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
                "token_endpoint_auth_methods_supported": with_none,
                "token_endpoint_auth_signing_alg_values_supported": algorithms,
                "introspection_endpoint_auth_methods_supported": confidential,
                "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
                "introspection_signing_alg_values_supported": ["RS256"],
                "revocation_endpoint_auth_methods_supported": with_none,
                "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": true,
                "prompt_values_supported": ["none", "login", "consent", "select_account"],
                "display_values_supported": ["page", "popup", "touch"],
                "ui_locales_supported": ["en"],
                "subject_types_supported": ["public", "pairwise"],
                "acr_values_supported": ["1"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "userinfo_signing_alg_values_supported": ["RS256"],
                "claim_types_supported": ["normal"],
                "claims_supported": [
                    "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "sid",
                    "email",
                ],
                "claims_parameter_supported": true,
                "backchannel_logout_supported": true,
                "backchannel_logout_session_supported": true,
                "request_parameter_supported": false,
                "request_uri_parameter_supported": false,
            })
        );
    }

    #[test]
    fn the_issuer_stays_as_it_is_given() {
        let metadata = authorization_server_metadata("https://id.example/tenant/", &[], Vec::new(), &[]);
        assert_eq!(metadata.issuer, "https://id.example/tenant/");
        assert_eq!(metadata.token_endpoint, "https://id.example/tenant/token");
    }
}
