//! What each endpoint can answer when it refuses: one enum of codes per endpoint, so that the token
//! endpoint cannot say `login_required`.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::parameters::ParametersError;

mod codes;

pub use codes::{AuthorizationErrorCode, BearerErrorCode, ClientRegistrationErrorCode, TokenErrorCode};

/// Longest description in bytes: it travels in redirects, and nobody reads more.
const LONGEST_DESCRIPTION: usize = 400;

/// The codes of one endpoint.
pub trait ErrorCode: Copy + fmt::Debug {
    /// Every endpoint has it: the request itself is malformed.
    const INVALID_REQUEST: Self;

    /// As it stands in the `error` parameter.
    fn as_str(self) -> &'static str;
}

/// A refusal: the code for programs, a description for the developer, and a source for the log alone.
///
/// `Display` shows the code and the description, `Debug` no more than that: the source is reached
/// through [`Error::source`] and never sent.
pub struct OAuthError<Code> {
    code: Code,
    description: Cow<'static, str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// A refusal of the token, introspection or revocation endpoint (RFC 6749 §5.2, RFC 7009 §2.2.1).
pub type TokenError = OAuthError<TokenErrorCode>;

/// A refusal of what an access token opens (RFC 6750 §3.1).
pub type BearerError = OAuthError<BearerErrorCode>;

/// A refusal of the authorization endpoint that goes back to the client by redirect
/// (RFC 6749 §4.1.2.1): only a redirect URI that the client registered may take it.
pub type AuthorizationError = OAuthError<AuthorizationErrorCode>;

/// A refusal of the registration endpoint (RFC 7591 §3.2.2).
pub type ClientRegistrationError = OAuthError<ClientRegistrationErrorCode>;

impl<Code: ErrorCode> OAuthError<Code> {
    /// A refusal with this code. The description is reduced to the characters that RFC 6749 allows.
    pub fn new(code: Code, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: sanitise(description.into()), source: None }
    }

    /// Adds what the log should show beside it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What was wrong and what to change, in the characters of RFC 6749 §5.2.
    pub fn description(&self) -> &str {
        &self.description
    }
}

impl<Code: ErrorCode> fmt::Display for OAuthError<Code> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.description)
    }
}

impl<Code: ErrorCode> fmt::Debug for OAuthError<Code> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthError")
            .field("code", &self.code)
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}

impl<Code: ErrorCode> Error for OAuthError<Code> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl<Code: ErrorCode> Serialize for OAuthError<Code> {
    /// The JSON body of RFC 6749 §5.2.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("OAuthError", 2)?;
        body.serialize_field("error", self.code.as_str())?;
        body.serialize_field("error_description", self.description())?;
        body.end()
    }
}

impl<Code: ErrorCode> From<ParametersError> for OAuthError<Code> {
    fn from(error: ParametersError) -> Self {
        Self::new(Code::INVALID_REQUEST, error.to_string())
    }
}

/// RFC 6749 §4.1.2.1 and §5.2: a description consists of %x20-21 / %x23-5B / %x5D-7E.
fn sanitise(description: Cow<'static, str>) -> Cow<'static, str> {
    let allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    if description.len() <= LONGEST_DESCRIPTION && description.chars().all(allowed) {
        return description;
    }
    let replace = |c| match c {
        '"' => '\'',
        c if allowed(c) => c,
        _ => '?',
    };
    Cow::Owned(description.chars().take(LONGEST_DESCRIPTION).map(replace).collect())
}

/// An authorization request that names no client and redirect URI to be trusted: it becomes a page
/// (RFC 6749 §4.1.2.1), and so that nothing can send the browser on, it holds no URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UntrustedRequest {
    /// The parameters cannot be read, or `client_id` or `redirect_uri` is repeated.
    #[error("{0}")]
    Malformed(#[from] ParametersError),
    /// There is no `client_id`.
    #[error("the parameter 'client_id' is missing: the app must say who it is")]
    ClientIdMissing,
    /// No client is registered under this `client_id`.
    #[error("no app is registered under this 'client_id'")]
    UnknownClient,
    /// The client is switched off.
    #[error("this app has been switched off by an administrator")]
    ClientDisabled,
    /// There is no `redirect_uri`, and it cannot be left out here.
    #[error(
        "the parameter 'redirect_uri' is missing: it may be left out only by an app with exactly one registered \
         redirect URI, and never with the scope openid"
    )]
    RedirectUriMissing,
    /// The `redirect_uri` is not one that the client registered.
    #[error(
        "the 'redirect_uri' is not registered for this app: it must equal a registered one character by character"
    )]
    RedirectUriNotRegistered,
}

impl UntrustedRequest {
    /// The code that the page shows to developers.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownClient | Self::ClientDisabled => "invalid_client",
            _ => "invalid_request",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_source_is_for_the_log_alone() {
        let error = TokenError::server_error("try later").with_source("password=hunter2");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        assert!(!serde_json::to_string(&error).unwrap().contains("hunter2"));
        assert_eq!(error.source().unwrap().to_string(), "password=hunter2");
    }

    #[test]
    fn the_body_is_that_of_rfc_6749() {
        let error = TokenError::invalid_grant("the code has expired");
        assert_eq!(
            serde_json::to_value(&error).unwrap(),
            serde_json::json!({"error": "invalid_grant", "error_description": "the code has expired"})
        );
    }

    #[test]
    fn an_untrusted_request_explains_itself() {
        assert_eq!(UntrustedRequest::UnknownClient.code(), "invalid_client");
        let repeated = UntrustedRequest::from(ParametersError::Repeated("client_id".into()));
        assert_eq!(repeated.code(), "invalid_request");
        assert!(repeated.to_string().contains("client_id"));
    }

    proptest! {
        #[test]
        fn a_description_has_only_the_characters_of_rfc_6749(text in any::<String>()) {
            let error = AuthorizationError::invalid_request(text);
            prop_assert!(error.description().len() <= LONGEST_DESCRIPTION);
            prop_assert!(error.description().bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)));
        }
    }
}
