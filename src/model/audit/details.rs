//! What an event has beyond who, what and where.

use serde::Serialize;

use crate::time::Timestamp;

/// Why a grant or a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The client revoked its refresh token (RFC 7009 §2).
    ClientRequest,
    /// A code was used again (RFC 6749 §4.1.2).
    CodeReused,
    /// A refresh token was used again (RFC 9700 §4.14.2).
    RefreshTokenReused,
    /// A scope that it held was deleted.
    ScopeDeleted,
    /// The person's consent was taken back.
    ConsentWithdrawn,
    /// Another sign-in took its place in the same browser.
    SignedInAgain,
    /// The person ended it, on the page of their sessions.
    UserRequest,
    /// An operator ended it.
    OperatorRequest,
    /// The session ended in which it was begun.
    SessionEnded,
    /// The person has another password.
    PasswordChanged,
    /// The account was switched off.
    UserDisabled,
    /// The account was deleted.
    UserDeleted,
}

impl EndReason {
    /// In a word, as the log and the grant's row have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientRequest => "client_request",
            Self::CodeReused => "code_reused",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::ScopeDeleted => "scope_deleted",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::SignedInAgain => "signed_in_again",
            Self::UserRequest => "user_request",
            Self::OperatorRequest => "operator_request",
            Self::SessionEnded => "session_ended",
            Self::PasswordChanged => "password_changed",
            Self::UserDisabled => "user_disabled",
            Self::UserDeleted => "user_deleted",
        }
    }
}

impl Serialize for EndReason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a kind of event has beyond who, what and where. Every value is the server's own, or was checked and is
/// registered: nothing that a stranger typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Details {
    /// Why something ended.
    Reason {
        /// The reason.
        reason: EndReason,
    },
    /// Scopes that the event is about.
    Scopes {
        /// Registered scopes.
        scopes: Vec<String>,
    },
    /// Roles that an account begins with.
    Roles {
        /// Names of roles.
        roles: Vec<String>,
    },
    /// The role that was given or taken.
    Role {
        /// Its name.
        role: String,
    },
    /// What was changed.
    Changed {
        /// Names of fields, without their values.
        changed: Vec<String>,
    },
    /// Until when something can be used.
    Until {
        /// Its end.
        expires_at: Timestamp,
    },
    /// By what somebody was let in.
    InitialAccessToken {
        /// The token's identifier, which is no secret.
        initial_access_token: uuid::Uuid,
    },
    /// Which release.
    Release {
        /// Grantor's version.
        version: &'static str,
    },
    /// What was done to the schema.
    Migrations {
        /// How many migrations were applied.
        applied: usize,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn details_are_small_and_flat() {
        let reason = Details::Reason { reason: EndReason::RefreshTokenReused };
        assert_eq!(serde_json::to_value(reason).unwrap(), json!({ "reason": "refresh_token_reused" }));
        let changed = Details::Changed { changed: vec!["name".to_owned()] };
        assert_eq!(serde_json::to_value(changed).unwrap(), json!({ "changed": ["name"] }));
    }
}
