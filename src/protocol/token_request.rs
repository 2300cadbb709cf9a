//! What is sent to the token, introspection and revocation endpoints, without the client's credentials.

use super::error::TokenError;
use super::parameters::Parameters;
use super::pkce::CodeVerifier;
use super::resource::ResourceSet;
use super::scope::ScopeSet;
use crate::secret::Secret;

/// `grant_type` of RFC 6749 §4.1.3.
pub const AUTHORIZATION_CODE: &str = "authorization_code";
/// `grant_type` of RFC 6749 §6.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// `grant_type` of RFC 6749 §4.4.2.
pub const CLIENT_CREDENTIALS: &str = "client_credentials";

/// A token request, one variant per grant type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRequest {
    /// RFC 6749 §4.1.3.
    AuthorizationCode(AuthorizationCodeRequest),
    /// RFC 6749 §6.
    RefreshToken(RefreshTokenRequest),
    /// RFC 6749 §4.4.2.
    ClientCredentials(ClientCredentialsRequest),
}

/// RFC 6749 §4.1.3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCodeRequest {
    /// The code.
    pub code: Secret<String>,
    /// The redirect URI of the authorization request.
    pub redirect_uri: Option<String>,
    /// What fits the code's challenge (RFC 7636 §4.5).
    pub code_verifier: Option<CodeVerifier>,
    /// Some of the resources that were granted (RFC 8707 §2.2).
    pub resources: ResourceSet,
}

/// RFC 6749 §6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshTokenRequest {
    /// The refresh token.
    pub refresh_token: Secret<String>,
    /// Some of the scopes that were granted; `None`: all.
    pub scope: Option<ScopeSet>,
    /// Some of the resources that were granted (RFC 8707 §2.2).
    pub resources: ResourceSet,
}

/// RFC 6749 §4.4.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCredentialsRequest {
    /// The scopes asked for; `None`: the default.
    pub scope: Option<ScopeSet>,
    /// The APIs that the token is for (RFC 8707 §2.2).
    pub resources: ResourceSet,
}

impl TokenRequest {
    /// Reads the form.
    ///
    /// # Errors
    /// What the client is to be told: which parameter, and what to change.
    pub fn parse(parameters: &Parameters) -> Result<Self, TokenError> {
        // RFC 6749 §3.2: no parameter more than once; RFC 8707 §2 excepts `resource`.
        parameters.refuse_repeated(&["resource"])?;
        match parameters.get("grant_type")? {
            Some(AUTHORIZATION_CODE) => Self::authorization_code(parameters),
            Some(REFRESH_TOKEN) => Ok(Self::RefreshToken(RefreshTokenRequest {
                refresh_token: require(
                    parameters,
                    "refresh_token",
                    "send the newest refresh token you were given",
                )?,
                scope: scope(parameters)?,
                resources: resources(parameters)?,
            })),
            Some(CLIENT_CREDENTIALS) => Ok(Self::ClientCredentials(ClientCredentialsRequest {
                scope: scope(parameters)?,
                resources: resources(parameters)?,
            })),
            // RFC 6749 §5.2. The password and the implicit grant are gone from OAuth 2.1.
            Some(_) => Err(TokenError::unsupported_grant_type(
                "this 'grant_type' is not supported: send authorization_code, refresh_token or client_credentials",
            )),
            None => Err(TokenError::invalid_request(
                "the parameter 'grant_type' is missing: send authorization_code, refresh_token or client_credentials \
                 in the form",
            )),
        }
    }

    /// The `grant_type` that was sent.
    pub const fn grant_type(&self) -> &'static str {
        match self {
            Self::AuthorizationCode(_) => AUTHORIZATION_CODE,
            Self::RefreshToken(_) => REFRESH_TOKEN,
            Self::ClientCredentials(_) => CLIENT_CREDENTIALS,
        }
    }

    fn authorization_code(parameters: &Parameters) -> Result<Self, TokenError> {
        // RFC 7636 §4.6: a verifier that does not fit is an invalid grant, and one of the wrong form cannot fit.
        let verifier = |text| CodeVerifier::parse(text).map_err(|e| TokenError::invalid_grant(e.to_string()));
        Ok(Self::AuthorizationCode(AuthorizationCodeRequest {
            code: require(parameters, "code", "send the code that the redirect URI received")?,
            redirect_uri: parameters.get("redirect_uri")?.map(str::to_owned),
            code_verifier: parameters.get("code_verifier")?.map(verifier).transpose()?,
            resources: resources(parameters)?,
        }))
    }
}

/// The form of introspection (RFC 7662 §2.1) and revocation (RFC 7009 §2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenQuery {
    /// The token, of whatever kind; it may be empty, which is no token that exists.
    pub token: Secret<String>,
}

impl TokenQuery {
    /// Reads the form. A `token_type_hint` may be ignored (RFC 7009 §2.1): the token itself says what it is.
    ///
    /// # Errors
    /// `token` is missing, or a parameter is repeated.
    pub fn parse(parameters: &Parameters) -> Result<Self, TokenError> {
        parameters.refuse_repeated(&[])?;
        let token = parameters.get("token")?;
        if !parameters.contains("token") {
            return Err(TokenError::invalid_request("the parameter 'token' is missing: send it in the form"));
        }
        Ok(Self { token: Secret::new(token.unwrap_or_default().to_owned()) })
    }
}

fn require(parameters: &Parameters, name: &'static str, remedy: &str) -> Result<Secret<String>, TokenError> {
    let value = parameters.get(name)?.map(|value| Secret::new(value.to_owned()));
    value.ok_or_else(|| TokenError::invalid_request(format!("the parameter '{name}' is missing: {remedy}")))
}

fn scope(parameters: &Parameters) -> Result<Option<ScopeSet>, TokenError> {
    let parse = |text| ScopeSet::parse(text).map_err(|error| TokenError::invalid_scope(error.to_string()));
    Ok(parameters.get("scope")?.map(parse).transpose()?.filter(|scope| !scope.is_empty()))
}

fn resources(parameters: &Parameters) -> Result<ResourceSet, TokenError> {
    ResourceSet::parse(parameters).map_err(|error| TokenError::invalid_target(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn parse(form: &str) -> Result<TokenRequest, TokenError> {
        TokenRequest::parse(&Parameters::parse(form.as_bytes()).unwrap())
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_code_is_redeemed() {
        let verifier = "v".repeat(43);
        let form = format!(
            "grant_type=authorization_code&code=grc_1&redirect_uri=https://app.example/cb&code_verifier={verifier}\
             &resource=urn:a&client_id=app"
        );
        let Ok(TokenRequest::AuthorizationCode(request)) = parse(&form) else { panic!("not read") };
        assert_eq!(request.code, secret("grc_1"));
        assert_eq!(request.redirect_uri.as_deref(), Some("https://app.example/cb"));
        assert_eq!(request.code_verifier, CodeVerifier::parse(&verifier).ok());
        assert_eq!(request.resources.as_slice(), ["urn:a"]);
    }

    #[test]
    fn a_refresh_token_is_used() {
        let expected = TokenRequest::RefreshToken(RefreshTokenRequest {
            refresh_token: secret("grr_1"),
            scope: ScopeSet::parse("a b").ok(),
            resources: ResourceSet::default(),
        });
        assert_eq!(parse("grant_type=refresh_token&refresh_token=grr_1&scope=a+b").unwrap(), expected);
    }

    #[test]
    fn a_client_asks_for_itself() {
        let expected = TokenRequest::ClientCredentials(ClientCredentialsRequest {
            scope: None,
            resources: ResourceSet::default(),
        });
        assert_eq!(parse("grant_type=client_credentials&scope=").unwrap(), expected);
        assert_eq!(parse("grant_type=client_credentials&scope=+").unwrap(), expected);
    }

    #[rstest]
    #[case("", "invalid_request", "grant_type")]
    #[case("grant_type=", "invalid_request", "grant_type")]
    #[case("grant_type=password&username=a&password=b", "unsupported_grant_type", "grant_type")]
    #[case("grant_type=implicit", "unsupported_grant_type", "grant_type")]
    #[case("grant_type=Authorization_Code&code=c", "unsupported_grant_type", "grant_type")]
    #[case("grant_type=refresh_token+&refresh_token=r", "unsupported_grant_type", "grant_type")]
    #[case("grant_type=urn:ietf:params:oauth:grant-type:x", "unsupported_grant_type", "grant_type")]
    #[case("grant_type=authorization_code", "invalid_request", "'code'")]
    #[case("grant_type=authorization_code&code=", "invalid_request", "'code'")]
    #[case("grant_type=authorization_code&code=c&code=c", "invalid_request", "'code'")]
    #[case("grant_type=authorization_code&code=c&code_verifier=short", "invalid_grant", "code_verifier")]
    #[case(
        "grant_type=authorization_code&code=c&redirect_uri=a&redirect_uri=b",
        "invalid_request",
        "redirect_uri"
    )]
    #[case("grant_type=authorization_code&grant_type=refresh_token&code=c", "invalid_request", "grant_type")]
    #[case("grant_type=authorization_code&code=c&scope=a&scope=b", "invalid_request", "scope")]
    #[case("grant_type=authorization_code&code=c&resource=api", "invalid_target", "resource")]
    #[case("grant_type=refresh_token", "invalid_request", "'refresh_token'")]
    #[case("grant_type=refresh_token&refresh_token=r&scope=%C3%A4", "invalid_scope", "scope")]
    #[case("grant_type=client_credentials&scope=a%5C", "invalid_scope", "scope")]
    fn what_is_wrong_is_named(#[case] form: &str, #[case] code: &str, #[case] named: &str) {
        let error = parse(form).unwrap_err();
        assert_eq!(error.code().as_str(), code);
        assert!(error.description().contains(named), "{error}");
    }

    fn query(form: &str) -> Result<TokenQuery, TokenError> {
        TokenQuery::parse(&Parameters::parse(form.as_bytes()).unwrap())
    }

    #[rstest]
    #[case("token=t", "t")]
    #[case("token=t&token_type_hint=access_token", "t")]
    #[case("token=t&token_type_hint=saml2", "t")]
    #[case("token=", "")]
    fn a_token_is_asked_about(#[case] form: &str, #[case] token: &str) {
        assert_eq!(query(form).unwrap(), TokenQuery { token: secret(token) });
    }

    #[rstest]
    #[case("")]
    #[case("token_type_hint=access_token")]
    #[case("token=a&token=b")]
    #[case("token=a&token_type_hint=access_token&token_type_hint=access_token")]
    #[case("token=a&other=b&other=c")]
    fn a_token_query_has_one_token(#[case] form: &str) {
        assert_eq!(query(form).unwrap_err().code().as_str(), "invalid_request");
    }

    #[test]
    fn debug_output_hides_secrets() {
        let forms = [
            "grant_type=authorization_code&code=hunter2&code_verifier=hunter2hunter2hunter2hunter2hunter2hunter2hunter2",
            "grant_type=refresh_token&refresh_token=hunter2",
        ];
        for form in forms {
            assert!(!format!("{:?}", parse(form).unwrap()).contains("hunter2"));
        }
        assert!(!format!("{:?}", query("token=hunter2").unwrap()).contains("hunter2"));
    }

    proptest! {
        #[test]
        fn junk_is_refused_without_harm(
            form in "((grant_type|code|refresh_token|scope|resource|code_verifier)=(authorization_code|refresh_token|[a-z:%\" ]{0,9})&){0,6}",
        ) {
            if let Ok(parameters) = Parameters::parse(form.as_bytes()) {
                let _ = TokenRequest::parse(&parameters);
                let _ = TokenQuery::parse(&parameters);
            }
        }
    }
}
