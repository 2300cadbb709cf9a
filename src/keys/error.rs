//! What can go wrong with keys.

use super::{ImportError, MasterKeyError};
use crate::jose::{Algorithm, JoseError};
use crate::model::SigningKeyState;
use crate::protocol::{BearerError, TokenError};
use crate::store::StoreError;

/// Why an operation on keys failed. No variant holds key material.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A master key cannot be read.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The database was written with a master key that this process does not have.
    #[error(
        "the database was written with the master key {stored}, which is none of this process's ({given}): \
         give that key too, or use the database that belongs to this one"
    )]
    ForeignMasterKey {
        /// The id and the source of the stored key.
        stored: String,
        /// The ids and the sources of the keys of this process.
        given: String,
    },
    /// A random value of the installation does not open.
    #[error(
        "the stored secret '{name}' is unusable: {reason}. Bring its row in installation_secrets back from a backup: \
         with a new one, apps with pairwise subjects would take their people for strangers"
    )]
    InstallationSecret {
        /// What it is.
        name: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored signing key does not open, or is not the one that it claims to be.
    #[error("the stored signing key {kid} is unusable: {reason}")]
    Stored {
        /// The key.
        kid: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A new key could not be made.
    #[error("no key for {alg} could be made: {reason}")]
    Generation {
        /// What it was to sign with.
        alg: Algorithm,
        /// What went wrong.
        reason: &'static str,
    },
    /// A key that was brought is not fit to sign.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// There is no key to sign with.
    #[error("there is no signing key for {0}: `grantor key rotate --now --alg {0}` makes one")]
    NoSigningKey(Algorithm),
    /// The signature could not be made.
    #[error("the signing key {kid} failed to sign")]
    Signing {
        /// The key.
        kid: String,
    },
    /// A token could not be written.
    #[error(transparent)]
    Token(#[from] JoseError),
    /// No key has this id.
    #[error("there is no signing key {kid}: `grantor key list` shows those that there are")]
    UnknownKid {
        /// The id asked for.
        kid: String,
    },
    /// A key is published already and waits to sign; one at a time.
    #[error(
        "the key {kid} is published and waits to sign: activate it with `grantor key rotate --now` or \
         withdraw it with `grantor key retire {kid}` first"
    )]
    NextExists {
        /// The waiting key.
        kid: String,
    },
    /// The key to be imported is on record.
    #[error("the key {kid} is here already, {}", in_words(*.state))]
    AlreadyStored {
        /// The key.
        kid: String,
        /// Where it is in its life.
        state: SigningKeyState,
    },
    /// Others kept changing the keys.
    #[error("other processes are changing the signing keys: try again")]
    Contended,
}

impl From<KeyError> for TokenError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            error => Self::server_error("the server has no key to sign with").with_source(error),
        }
    }
}

impl From<KeyError> for BearerError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            error => Self::server_error("the server has no key to sign with").with_source(error),
        }
    }
}

fn in_words(state: SigningKeyState) -> &'static str {
    match state {
        SigningKeyState::Next => "waiting to sign",
        SigningKeyState::Active => "signing",
        SigningKeyState::Retiring => "superseded, and still published",
        SigningKeyState::Retired => "and retired: a retired key does not come back",
    }
}
