//! What a client says of itself when it registers (RFC 7591 §2, OpenID Connect Registration §2).

use serde_json::Value;
use url::Url;

use super::error::ClientRegistrationError;
use members::{Members, refuse};

mod members;

/// Members that ask for what there is not, and that would be missed if they were left out in silence.
const ENCRYPTED: [&str; 9] = [
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
    "authorization_encrypted_response_alg",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
];

/// Safeguards that a client would rely on.
const SAFEGUARDS: [&str; 4] = [
    "require_signed_request_object",
    "require_pushed_authorization_requests",
    "tls_client_certificate_bound_access_tokens",
    "dpop_bound_access_tokens",
];

/// A registration as it was asked for. Each member has its type; what it may say depends on the server's rules.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the registered names say it: RFC 7591 §2, OpenID Connect Registration §2")]
pub struct RegistrationRequest {
    pub redirect_uris: Vec<String>,
    pub response_types: Option<Vec<String>>,
    pub grant_types: Option<Vec<String>>,
    pub application_type: Option<String>,
    pub client_name: Option<String>,
    pub client_uri: Option<String>,
    pub logo_uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
    pub contacts: Vec<String>,
    pub jwks: Option<Value>,
    pub jwks_uri: Option<String>,
    pub software_id: Option<String>,
    pub software_version: Option<String>,
    pub scope: Option<String>,
    pub token_endpoint_auth_method: Option<String>,
    pub token_endpoint_auth_signing_alg: Option<String>,
    pub id_token_signed_response_alg: Option<String>,
    pub userinfo_signed_response_alg: Option<String>,
    pub introspection_signed_response_alg: Option<String>,
    pub subject_type: Option<String>,
    pub sector_identifier_uri: Option<String>,
    pub default_max_age: Option<u32>,
    pub require_auth_time: bool,
    pub post_logout_redirect_uris: Vec<String>,
    pub backchannel_logout_uri: Option<String>,
    pub backchannel_logout_session_required: bool,
    /// Of a client that changes itself (RFC 7592 §2.2); who registers does not choose it.
    pub client_id: Option<String>,
}

impl RegistrationRequest {
    /// Reads the body of a request. Members that nobody here knows are left out (RFC 7591 §2), names in other
    /// languages among them.
    ///
    /// # Errors
    /// Which member is at fault, and why.
    pub fn parse(json: &[u8]) -> Result<Self, ClientRegistrationError> {
        let members = Members::read(json)?;
        // RFC 7591 §2.3, §3.2.2: no issuer of statements is trusted.
        if members.value("software_statement").is_some() {
            return Err(ClientRegistrationError::unapproved_software_statement(
                "software statements are not accepted: leave out 'software_statement'",
            ));
        }
        refuse_unsupported(&members)?;
        Ok(Self {
            redirect_uris: members.texts("redirect_uris")?.unwrap_or_default(),
            response_types: members.texts("response_types")?,
            grant_types: members.texts("grant_types")?,
            application_type: members.text("application_type")?,
            client_name: members.text("client_name")?,
            client_uri: members.text("client_uri")?,
            logo_uri: members.text("logo_uri")?,
            policy_uri: members.text("policy_uri")?,
            tos_uri: members.text("tos_uri")?,
            contacts: members.texts("contacts")?.unwrap_or_default(),
            jwks: members.value("jwks").cloned(),
            jwks_uri: members.text("jwks_uri")?,
            software_id: members.text("software_id")?,
            software_version: members.text("software_version")?,
            scope: members.text("scope")?,
            token_endpoint_auth_method: members.text("token_endpoint_auth_method")?,
            token_endpoint_auth_signing_alg: members.text("token_endpoint_auth_signing_alg")?,
            id_token_signed_response_alg: members.text("id_token_signed_response_alg")?,
            userinfo_signed_response_alg: members.text("userinfo_signed_response_alg")?,
            introspection_signed_response_alg: members.text("introspection_signed_response_alg")?,
            subject_type: members.text("subject_type")?,
            sector_identifier_uri: members.text("sector_identifier_uri")?,
            default_max_age: members.seconds("default_max_age")?,
            require_auth_time: members.flag("require_auth_time")?,
            post_logout_redirect_uris: members.texts("post_logout_redirect_uris")?.unwrap_or_default(),
            backchannel_logout_uri: members.text("backchannel_logout_uri")?,
            backchannel_logout_session_required: members.flag("backchannel_logout_session_required")?,
            client_id: members.text("client_id")?,
        })
    }
}

fn refuse_unsupported(members: &Members) -> Result<(), ClientRegistrationError> {
    if let Some(name) = ENCRYPTED.into_iter().find(|name| members.value(name).is_some()) {
        return refuse(name, "asks for encryption, which is not supported: leave it out");
    }
    for name in SAFEGUARDS {
        if members.flag(name)? {
            return refuse(name, "asks for a safeguard that is not supported: leave it out");
        }
    }
    // Known, of no effect, and still not to be nonsense: OpenID Connect Registration §2.
    members.texts("default_acr_values")?;
    let initiate_login_uri = members.text("initiate_login_uri")?;
    if initiate_login_uri.is_some_and(|uri| !Url::parse(&uri).is_ok_and(|uri| uri.scheme() == "https")) {
        return refuse("initiate_login_uri", "is not https");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
