//! The codes of each endpoint, and a constructor of an error for each code.

use std::borrow::Cow;

use super::{ErrorCode, OAuthError};

macro_rules! error_codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $constructor:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As it stands in the `error` parameter.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($constructor)),+ }
            }
        }

        impl ErrorCode for $name {
            const INVALID_REQUEST: Self = Self::InvalidRequest;

            fn as_str(self) -> &'static str {
                Self::as_str(self)
            }
        }

        impl OAuthError<$name> {
            $($(#[$variant_doc])*
            pub fn $constructor(description: impl Into<Cow<'static, str>>) -> Self {
                Self::new($name::$variant, description)
            })+
        }
    };
}

error_codes! {
    /// Codes of the token, introspection and revocation endpoints.
    TokenErrorCode {
        /// RFC 6749 §5.2: a parameter is missing, repeated or malformed.
        InvalidRequest = invalid_request,
        /// RFC 6749 §5.2: the client is unknown or did not authenticate as it must.
        InvalidClient = invalid_client,
        /// RFC 6749 §5.2: the code or refresh token is wrong, expired, used, or another client's.
        InvalidGrant = invalid_grant,
        /// RFC 6749 §5.2: the client may not use this grant.
        UnauthorizedClient = unauthorized_client,
        /// RFC 6749 §5.2: the server does not know this grant.
        UnsupportedGrantType = unsupported_grant_type,
        /// RFC 6749 §5.2: a scope is malformed, unknown, or more than was granted.
        InvalidScope = invalid_scope,
        /// RFC 8707 §2: a resource is malformed, unknown, or not for this client.
        InvalidTarget = invalid_target,
        /// RFC 7009 §2.2.1: the server does not revoke this kind of token.
        UnsupportedTokenType = unsupported_token_type,
        /// The database is away or too busy: try again.
        TemporarilyUnavailable = temporarily_unavailable,
        /// A defect of the server.
        ServerError = server_error,
    }
}

impl TokenErrorCode {
    /// The HTTP status of an answer with this code. A 401 always carries a challenge for Basic
    /// (RFC 6749 §5.2, RFC 9110 §15.5.2).
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidClient => 401,
            Self::TemporarilyUnavailable => 503,
            Self::ServerError => 500,
            _ => 400,
        }
    }
}

error_codes! {
    /// Codes of the authorization endpoint.
    AuthorizationErrorCode {
        /// RFC 6749 §4.1.2.1: a parameter is missing, repeated or malformed.
        InvalidRequest = invalid_request,
        /// RFC 6749 §4.1.2.1: the client may not ask for a code.
        UnauthorizedClient = unauthorized_client,
        /// RFC 6749 §4.1.2.1: the person said no.
        AccessDenied = access_denied,
        /// RFC 6749 §4.1.2.1: the server does not know this response type.
        UnsupportedResponseType = unsupported_response_type,
        /// RFC 6749 §4.1.2.1: a scope is malformed, unknown, or not for this client.
        InvalidScope = invalid_scope,
        /// RFC 6749 §4.1.2.1: a defect of the server.
        ServerError = server_error,
        /// RFC 6749 §4.1.2.1: the database is away or too busy.
        TemporarilyUnavailable = temporarily_unavailable,
        /// OpenID Connect Core §3.1.2.6: `prompt=none`, but nobody is signed in.
        LoginRequired = login_required,
        /// OpenID Connect Core §3.1.2.6: `prompt=none`, but the person has not agreed yet.
        ConsentRequired = consent_required,
        /// OpenID Connect Core §3.1.2.6: `prompt=none`, but a page must be shown.
        InteractionRequired = interaction_required,
        /// OpenID Connect Core §3.1.2.6: `prompt=none`, but an account must be chosen.
        AccountSelectionRequired = account_selection_required,
        /// OpenID Connect Core Error Code unmet_authentication_requirements 1.0: nobody can sign in as the client
        /// demands.
        UnmetAuthenticationRequirements = unmet_authentication_requirements,
        /// OpenID Connect Core §3.1.2.6: the `request` parameter is not supported.
        RequestNotSupported = request_not_supported,
        /// OpenID Connect Core §3.1.2.6: the `request_uri` parameter is not supported.
        RequestUriNotSupported = request_uri_not_supported,
        /// OpenID Connect Core §3.1.2.6: the `registration` parameter is not supported.
        RegistrationNotSupported = registration_not_supported,
        /// RFC 8707 §2: a resource is malformed, unknown, or not for this client.
        InvalidTarget = invalid_target,
    }
}

error_codes! {
    /// Codes of what an access token opens.
    BearerErrorCode {
        /// RFC 6750 §3.1: the request is malformed, or has the token in two places.
        InvalidRequest = invalid_request,
        /// RFC 6750 §3.1: the access token is malformed, expired, revoked, or none of ours.
        InvalidToken = invalid_token,
        /// RFC 6750 §3.1: the access token lacks a scope.
        InsufficientScope = insufficient_scope,
        /// The database is away or too busy: try again.
        TemporarilyUnavailable = temporarily_unavailable,
        /// A defect of the server.
        ServerError = server_error,
    }
}

impl BearerErrorCode {
    /// The HTTP status of an answer with this code.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::InvalidToken => 401,
            Self::InsufficientScope => 403,
            Self::TemporarilyUnavailable => 503,
            Self::ServerError => 500,
        }
    }

    /// Whether the answer says what another try has to bring (RFC 6750 §3).
    pub const fn is_a_challenge(self) -> bool {
        matches!(self, Self::InvalidRequest | Self::InvalidToken | Self::InsufficientScope)
    }
}

error_codes! {
    /// Codes of the registration endpoint and of each client's own (RFC 7591 §3.2.2, RFC 7592 §2).
    ClientRegistrationErrorCode {
        /// RFC 6750 §3.1: the request itself is malformed.
        InvalidRequest = invalid_request,
        /// RFC 6750 §3.1: there is no token that lets the request in.
        InvalidToken = invalid_token,
        /// RFC 7591 §3.2.2: a redirect URI is not acceptable.
        InvalidRedirectUri = invalid_redirect_uri,
        /// RFC 7591 §3.2.2: something else is not.
        InvalidClientMetadata = invalid_client_metadata,
        /// RFC 7591 §3.2.2: a software statement, of which none is.
        UnapprovedSoftwareStatement = unapproved_software_statement,
        /// There are as many clients as there may be, or the network has registered too many.
        TemporarilyUnavailable = temporarily_unavailable,
        /// A defect of the server.
        ServerError = server_error,
    }
}

impl ClientRegistrationErrorCode {
    /// The HTTP status of an answer with this code.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidToken => 401,
            Self::TemporarilyUnavailable => 503,
            Self::ServerError => 500,
            _ => 400,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_follows_from_the_code() {
        let table: Vec<_> = TokenErrorCode::ALL
            .iter()
            .filter(|c| c.status() != 400)
            .map(|c| (c.as_str(), c.status()))
            .collect();
        assert_eq!(table, [("invalid_client", 401), ("temporarily_unavailable", 503), ("server_error", 500)]);
    }
}
