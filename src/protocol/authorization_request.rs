//! The authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).
//!
//! It is read in two steps, so that an error goes to the right one: until the client and its redirect URI
//! are known to be good it becomes a page, afterwards it goes back to the client.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::authentication_context::check_essential_acr;
use super::claims_request::ClaimsRequest;
use super::error::{AuthorizationError, UntrustedRequest};
use super::parameters::Parameters;
use super::pkce::{CodeChallenge, PkceError};
use super::prompt::PromptSet;
use super::resource::ResourceSet;
use super::response_mode::ResponseMode;
use super::scope::{OPENID, ScopeSet};

/// Most bytes of all values together: the request travels sealed in the URLs of pages.
pub const LONGEST_REQUEST: usize = 4096;

/// The first step: who asks, and where the answer shall go. Nothing of it has been verified.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientAndRedirect {
    /// Who the request says it comes from.
    pub client_id: String,
    /// Where it wants the answer; `None`: the only one registered.
    pub redirect_uri: Option<String>,
    /// What every answer repeats (RFC 6749 §4.1.2.1); `None` also where it is itself repeated.
    pub state: Option<String>,
}

impl ClientAndRedirect {
    /// Reads `client_id` and `redirect_uri`.
    ///
    /// # Errors
    /// One is repeated, or one is missing that must be there.
    pub fn parse(parameters: &Parameters) -> Result<Self, UntrustedRequest> {
        let client_id = parameters.get("client_id")?.ok_or(UntrustedRequest::ClientIdMissing)?;
        let redirect_uri = parameters.get("redirect_uri")?;
        // OpenID Connect Core §3.1.2.1: with the scope openid it is required.
        let is_openid = parameters.all("scope").any(|scope| scope.split(' ').any(|token| token == OPENID));
        if redirect_uri.is_none() && is_openid {
            return Err(UntrustedRequest::RedirectUriMissing);
        }
        Ok(Self {
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.map(str::to_owned),
            state: parameters.get("state").ok().flatten().map(str::to_owned),
        })
    }
}

impl fmt::Debug for ClientAndRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAndRedirect").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// The second step: what a client asks for. The response type is always `code`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: String,
    /// Where the answer goes: a redirect URI of this client.
    pub redirect_uri: String,
    /// Whether the request named it: then the token request must repeat it (RFC 6749 §4.1.3).
    pub redirect_uri_given: bool,
    /// The scopes asked for; `None`: the default (RFC 6749 §3.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeSet>,
    /// How the answer reaches the client.
    #[serde(default, skip_serializing_if = "ResponseMode::is_default")]
    pub response_mode: ResponseMode,
    /// What every answer repeats (RFC 6749 §4.1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What the ID token repeats (OpenID Connect Core §3.1.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// What the token request's verifier must fit (RFC 7636 §4.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<CodeChallenge>,
    /// The APIs that the tokens are for (RFC 8707 §2.1).
    #[serde(default, skip_serializing_if = "ResourceSet::is_empty")]
    pub resources: ResourceSet,
    /// What the person shall be asked.
    #[serde(default, skip_serializing_if = "PromptSet::is_empty")]
    pub prompt: PromptSet,
    /// Seconds that may have passed since the person authenticated (OpenID Connect Core §3.1.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
    /// The name to fill into the sign-in page (OpenID Connect Core §3.1.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    /// Claims that are asked for by name (OpenID Connect Core §5.5).
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
}

impl AuthorizationRequest {
    /// Reads everything else, after `redirect_uri` was found to be one of this client's.
    ///
    /// # Errors
    /// What the client is to be told, by redirect.
    pub fn parse(
        parameters: &Parameters,
        client: ClientAndRedirect,
        redirect_uri: String,
    ) -> Result<Self, AuthorizationError> {
        // RFC 6749 §3.1: no parameter more than once; RFC 8707 §2 excepts `resource`.
        parameters.refuse_repeated(&["resource"])?;
        refuse_unsupported(parameters)?;
        refuse_long(parameters)?;
        check_response_type(parameters)?;
        let response_mode = response_mode(parameters, &redirect_uri)?;
        Ok(Self {
            client_id: client.client_id,
            redirect_uri,
            response_mode,
            redirect_uri_given: client.redirect_uri.is_some(),
            scope: scope(parameters)?,
            state: client.state,
            nonce: parameters.get("nonce")?.map(str::to_owned),
            code_challenge: code_challenge(parameters)?,
            resources: ResourceSet::parse(parameters)
                .map_err(|error| AuthorizationError::invalid_target(error.to_string()))?,
            prompt: PromptSet::parse(parameters.get("prompt")?.unwrap_or_default())
                .map_err(|error| AuthorizationError::invalid_request(error.to_string()))?,
            max_age: max_age(parameters)?,
            login_hint: parameters.get("login_hint")?.map(str::to_owned),
            claims: claims(parameters)?,
        })
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// OpenID Connect Core §6.1, §6.2 and §7.2.1: nothing is taken from these, and nothing is fetched.
fn refuse_unsupported(parameters: &Parameters) -> Result<(), AuthorizationError> {
    if parameters.get("request")?.is_some() {
        return Err(AuthorizationError::request_not_supported(
            "the parameter 'request' is not supported: send the parameters themselves",
        ));
    }
    if parameters.get("request_uri")?.is_some() {
        return Err(AuthorizationError::request_uri_not_supported(
            "the parameter 'request_uri' is not supported: send the parameters themselves",
        ));
    }
    if parameters.get("registration")?.is_some() {
        return Err(AuthorizationError::registration_not_supported(
            "the parameter 'registration' is not supported: an operator registers the client",
        ));
    }
    Ok(())
}

fn refuse_long(parameters: &Parameters) -> Result<(), AuthorizationError> {
    if parameters.length_of_values() > LONGEST_REQUEST {
        return Err(AuthorizationError::invalid_request(
            "the parameters are longer than 4096 bytes together: shorten them, for example 'state'; requests that \
             must be longer are what pushed authorization requests (RFC 9126) are for",
        ));
    }
    Ok(())
}

/// RFC 6749 §3.1.1: `response_type` is required.
fn check_response_type(parameters: &Parameters) -> Result<(), AuthorizationError> {
    match parameters.get("response_type")? {
        Some("code") => Ok(()),
        Some(_) => Err(AuthorizationError::unsupported_response_type(
            "this 'response_type' is not supported: send code",
        )),
        None => {
            Err(AuthorizationError::invalid_request("the parameter 'response_type' is missing: send code"))
        }
    }
}

fn response_mode(parameters: &Parameters, redirect_uri: &str) -> Result<ResponseMode, AuthorizationError> {
    let Some(text) = parameters.get("response_mode")? else { return Ok(ResponseMode::default()) };
    ResponseMode::parse(text, redirect_uri)
        .map_err(|error| AuthorizationError::invalid_request(error.to_string()))
}

fn scope(parameters: &Parameters) -> Result<Option<ScopeSet>, AuthorizationError> {
    let parse =
        |text| ScopeSet::parse(text).map_err(|error| AuthorizationError::invalid_scope(error.to_string()));
    Ok(parameters.get("scope")?.map(parse).transpose()?.filter(|scope| !scope.is_empty()))
}

fn code_challenge(parameters: &Parameters) -> Result<Option<CodeChallenge>, AuthorizationError> {
    let method = parameters.get("code_challenge_method")?;
    let challenge = match (parameters.get("code_challenge")?, method) {
        (Some(challenge), method) => CodeChallenge::parse(challenge, method).map(Some),
        (None, Some(_)) => Err(PkceError::ChallengeMissing),
        (None, None) => Ok(None),
    };
    challenge.map_err(|error| AuthorizationError::invalid_request(error.to_string()))
}

fn claims(parameters: &Parameters) -> Result<ClaimsRequest, AuthorizationError> {
    let parse = |text| {
        ClaimsRequest::parse(text).map_err(|error| AuthorizationError::invalid_request(error.to_string()))
    };
    let claims = parameters.get("claims")?.map(parse).transpose()?.unwrap_or_default();
    check_essential_acr(&claims)?;
    Ok(claims)
}

fn max_age(parameters: &Parameters) -> Result<Option<u64>, AuthorizationError> {
    let digits_only = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(text) = parameters.get("max_age")? else { return Ok(None) };
    let seconds = Some(text).filter(digits_only).and_then(|digits| digits.parse().ok());
    seconds.map(Some).ok_or_else(|| {
        AuthorizationError::invalid_request(
            "the parameter 'max_age' is not a number of seconds: send digits only",
        )
    })
}

#[cfg(test)]
mod tests;
