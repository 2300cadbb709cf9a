//! The kinds of events. Their names are a promise: operators search and alert by them.

/// Whether what was tried was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was.
    Success,
    /// It was refused.
    Failure,
}

impl Outcome {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

macro_rules! audit_event_kinds {
    ($($(#[doc = $meaning:literal])+ $kind:ident = $name:literal, $outcome:ident;)+) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
        pub enum AuditEventKind {
            $($(#[doc = $meaning])+ #[value(name = $name)] $kind),+
        }

        impl AuditEventKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// Its name in the log.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }

            /// What it means, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$kind => concat!($($meaning),+)),+ }.trim()
            }

            /// Whether what was tried was done.
            pub const fn outcome(self) -> Outcome {
                match self { $(Self::$kind => Outcome::$outcome),+ }
            }
        }
    };
}

audit_event_kinds! {
    /// A person signed in; the target is the new session.
    SignInSucceeded = "sign_in.succeeded", Success;
    /// A name and password that do not fit, or an account that is switched off.
    SignInFailed = "sign_in.failed", Failure;
    /// An attempt to sign in was turned away unread, after too many others.
    SignInThrottled = "sign_in.throttled", Failure;
    /// A person signed out, here or in the app that is named.
    SignOut = "sign_out", Success;
    /// A session ended by something else than signing out.
    SessionEnded = "session.ended", Success;
    /// An app could not be told that a session has ended; it was given up.
    LogoutNotDelivered = "logout.not_delivered", Failure;
    /// An operator set a person's password.
    PasswordSet = "password.set", Success;
    /// A person changed the own password.
    PasswordChanged = "password.changed", Success;
    /// A signed-in person, or whoever sits there, did not know the present password.
    PasswordChangeFailed = "password.change_failed", Failure;
    /// A one-time link to set a password was made.
    SetPasswordLinkCreated = "set_password_link.created", Success;
    /// A password was set through a one-time link.
    SetPasswordLinkUsed = "set_password_link.used", Success;
    /// An account was made.
    UserCreated = "user.created", Success;
    /// The e-mail address or the attributes of an account were changed.
    UserChanged = "user.changed", Success;
    /// An account was switched off.
    UserDisabled = "user.disabled", Success;
    /// An account was switched on again.
    UserEnabled = "user.enabled", Success;
    /// An account was deleted.
    UserDeleted = "user.deleted", Success;
    /// A person was given a role.
    UserRoleGranted = "user.role_granted", Success;
    /// A role was taken from a person.
    UserRoleTaken = "user.role_taken", Success;
    /// A role was made.
    RoleCreated = "role.created", Success;
    /// The scopes that a role carries were replaced.
    RoleChanged = "role.changed", Success;
    /// A role was deleted.
    RoleDeleted = "role.deleted", Success;
    /// A scope was registered.
    ScopeCreated = "scope.created", Success;
    /// A scope was deleted.
    ScopeDeleted = "scope.deleted", Success;
    /// A claim was added to the standard ones.
    ClaimCreated = "claim.created", Success;
    /// A claim that was added was deleted, with its values.
    ClaimDeleted = "claim.deleted", Success;
    /// A person agreed to what an app asked for.
    ConsentGiven = "consent.given", Success;
    /// A person was not asked, since the operator vouches for the app.
    ConsentSkipped = "consent.skipped", Success;
    /// A person did not agree.
    ConsentDenied = "consent.denied", Success;
    /// An app's access was taken back, with all its grants; the target is the app.
    ConsentWithdrawn = "consent.withdrawn", Success;
    /// An app redeemed its code: the first tokens of a grant.
    CodeRedeemed = "code.redeemed", Success;
    /// A code was used again; its grant was ended.
    CodeReused = "code.reused", Failure;
    /// An old refresh token was used again; its grant was ended.
    RefreshTokenReused = "refresh_token.reused", Failure;
    /// A grant was ended, with all its tokens.
    GrantRevoked = "grant.revoked", Success;
    /// A single access token was revoked; the target is its `jti`.
    AccessTokenRevoked = "access_token.revoked", Success;
    /// A resource server was registered.
    ResourceServerCreated = "resource_server.created", Success;
    /// The name or the scopes of a resource server were changed.
    ResourceServerChanged = "resource_server.changed", Success;
    /// A resource server was deleted.
    ResourceServerDeleted = "resource_server.deleted", Success;
    /// A client was registered.
    ClientCreated = "client.created", Success;
    /// A client registered itself.
    ClientRegistered = "client.registered", Success;
    /// A client's registration was changed.
    ClientChanged = "client.changed", Success;
    /// A client was switched off.
    ClientDisabled = "client.disabled", Success;
    /// A client was switched on again.
    ClientEnabled = "client.enabled", Success;
    /// A client got a new secret.
    ClientSecretRotated = "client.secret_rotated", Success;
    /// A secret that a client signs with was encrypted anew, under another master key.
    ClientSecretRewrapped = "client.secret_rewrapped", Success;
    /// A client was deleted.
    ClientDeleted = "client.deleted", Success;
    /// A client that had registered itself and that nobody used was deleted.
    ClientExpired = "client.expired", Success;
    /// A request to register a client, or to read or change one, was turned away.
    ClientRegistrationRefused = "client.registration_refused", Failure;
    /// A token was made that lets who has it register clients.
    InitialAccessTokenCreated = "initial_access_token.created", Success;
    /// A token that lets who has it register clients was revoked.
    InitialAccessTokenRevoked = "initial_access_token.revoked", Success;
    /// A request did not prove to come from the client that it named.
    ClientAuthenticationFailed = "client.authentication_failed", Failure;
    /// A signing key was made; it signs from its time on.
    SigningKeyCreated = "signing_key.created", Success;
    /// An operator's own signing key was taken in.
    SigningKeyImported = "signing_key.imported", Success;
    /// A signing key that waited signs from now on.
    SigningKeyActivated = "signing_key.activated", Success;
    /// A signing key was withdrawn.
    SigningKeyRetired = "signing_key.retired", Success;
    /// The private part of a signing key that signs no more was erased.
    SigningKeyErased = "signing_key.erased", Success;
    /// A signing key was encrypted anew, under another master key.
    SigningKeyRewrapped = "signing_key.rewrapped", Success;
    /// A master key wrote here for the first time.
    MasterKeyAdded = "master_key.added", Success;
    /// A master key was stored, encrypted under the one that writes now.
    MasterKeyWrapped = "master_key.wrapped", Success;
    /// A master key that writes again is no longer stored.
    MasterKeyUnwrapped = "master_key.unwrapped", Success;
    /// A random value of the installation was made, such as the key of the pseudonyms.
    InstallationSecretCreated = "installation_secret.created", Success;
    /// A random value of the installation was encrypted anew, under another master key.
    InstallationSecretRewrapped = "installation_secret.rewrapped", Success;
    /// The schema was brought up to date.
    SchemaMigrated = "schema.migrated", Success;
    /// A server's process began to serve.
    ServerStarted = "server.started", Success;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_name_is_given_once_and_made_of_words() {
        let names: BTreeSet<_> = AuditEventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), AuditEventKind::ALL.len());
        for name in names {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.'), "{name}");
        }
    }

    #[test]
    fn a_meaning_is_a_sentence() {
        for kind in AuditEventKind::ALL {
            assert!(kind.meaning().ends_with('.') && !kind.meaning().contains('\n'), "{}", kind.meaning());
        }
    }
}
