//! The protocol: types and pure functions of the specifications, without I/O.
//!
//! | module | what it reads or decides |
//! |---|---|
//! | [`parameters`] | a form or a query, strictly |
//! | [`error`] | what each endpoint can answer when it refuses |
//! | [`client_credentials`] | how a client presents itself |
//! | [`authentication_context`] | how a person has proved who they are |
//! | [`authorization_request`] | what is sent to the authorization endpoint, in two steps |
//! | [`client_metadata`] | what a client says of itself when it registers |
//! | [`token_request`] | what is sent to the token, introspection and revocation endpoints |
//! | [`token_response`] | what the token endpoint answers |
//! | [`redirect_uri`] | which redirect URIs may be registered, and which one is presented |
//! | [`scope`] | sets of scopes |
//! | [`claims_request`] | claims that are asked for by name |
//! | [`standard_claims`] | the claims about a person, and the scope that releases each |
//! | [`resource`] | sets of resource indicators |
//! | [`prompt`] | what the person shall be asked |
//! | [`response_mode`] | how the answer reaches the client |
//! | [`pkce`] | code challenge and verifier |
//! | [`introspection_format`] | in which form an introspection answer is wanted |
//! | [`discovery`] | what the server says about itself |

pub mod authentication_context;
pub mod authorization_request;
pub mod claims_request;
pub mod client_credentials;
pub mod client_metadata;
pub mod discovery;
pub mod error;
pub mod introspection_format;
pub mod parameters;
pub mod pkce;
pub mod prompt;
pub mod redirect_uri;
pub mod resource;
pub mod response_mode;
pub mod scope;
pub mod standard_claims;
mod strict_json;
pub mod token_request;
pub mod token_response;
mod uri;

pub use authorization_request::{AuthorizationRequest, ClientAndRedirect};
pub use claims_request::{ClaimsRequest, RequestedClaim, RequestedClaims};
pub use client_credentials::ClientCredentials;
pub use client_metadata::RegistrationRequest;
pub use error::{
    AuthorizationError, AuthorizationErrorCode, BearerError, BearerErrorCode, ClientRegistrationError,
    ClientRegistrationErrorCode, ErrorCode, OAuthError, TokenError, TokenErrorCode, UntrustedRequest,
};
pub use introspection_format::IntrospectionFormat;
pub use parameters::{Parameters, ParametersError};
pub use pkce::{CodeChallenge, CodeVerifier};
pub use prompt::{Prompt, PromptSet};
pub use redirect_uri::RedirectUri;
pub use resource::ResourceSet;
pub use response_mode::ResponseMode;
pub use scope::ScopeSet;
pub use token_request::{
    AuthorizationCodeRequest, ClientCredentialsRequest, RefreshTokenRequest, TokenQuery, TokenRequest,
};
pub use token_response::{TokenResponse, TokenType};
