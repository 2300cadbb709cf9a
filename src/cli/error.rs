//! Why a command failed, in a form for people and for programs.

use crate::clients::RegistrationError;
use crate::clients::claims::ClaimRefused;
use crate::clients::initial_access_tokens::InitialAccessTokenRefused;
use crate::clients::resource_servers::ResourceServerRefused;
use crate::clients::scopes::ScopeRefused;
use crate::config::ConfigError;
use crate::keys::{KeyError, MasterKeyError};
use crate::store::{ConnectError, EmbeddedError, SchemaError, StoreError};
use crate::users::roles::RoleRefused;
use crate::users::{AccountError, HasherError};
use crate::web::server::ServerError;

/// A refusal or a failure: a code that stays, and words that name the remedy.
#[derive(Debug, serde::Serialize)]
pub struct CommandError {
    error: &'static str,
    #[serde(rename = "error_description")]
    description: String,
}

impl CommandError {
    /// With a code for programs and words for people.
    pub fn new(error: &'static str, description: impl ToString) -> Self {
        Self { error, description: description.to_string() }
    }

    /// What was named does not exist.
    pub fn not_found(description: impl ToString) -> Self {
        Self::new("not_found", description)
    }

    /// The words.
    pub fn description(&self) -> &str {
        &self.description
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Unavailable(_) => "temporarily_unavailable",
            StoreError::Conflict { .. } => "already_exists",
            StoreError::Database(_) => "server_error",
        };
        Self::new(code, error)
    }
}

impl From<RegistrationError> for CommandError {
    fn from(error: RegistrationError) -> Self {
        match error {
            RegistrationError::RedirectUri(reason) => Self::new("invalid_redirect_uri", reason),
            RegistrationError::Metadata(reason) => Self::new("invalid_client_metadata", reason),
            RegistrationError::SectorDocument(ref reason) => {
                Self::new("invalid_client_metadata", format!("{error} ({reason})"))
            }
            RegistrationError::NotFound => Self::not_found(error),
            RegistrationError::NoSecret => Self::new("invalid_request", error),
            RegistrationError::Store(error) => error.into(),
        }
    }
}

impl From<AccountError> for CommandError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NotFound => Self::not_found(error),
            AccountError::Busy(_) => Self::new("temporarily_unavailable", error),
            AccountError::Store(error) => error.into(),
            _ => Self::new("invalid_request", error),
        }
    }
}

impl From<ClaimRefused> for CommandError {
    fn from(error: ClaimRefused) -> Self {
        match error {
            ClaimRefused::NotFound => Self::not_found(error),
            ClaimRefused::Store(error) => error.into(),
            _ => Self::new("invalid_request", error),
        }
    }
}

impl From<ScopeRefused> for CommandError {
    fn from(error: ScopeRefused) -> Self {
        match error {
            ScopeRefused::NotFound => Self::not_found(error),
            ScopeRefused::Store(error) => error.into(),
            _ => Self::new("invalid_request", error),
        }
    }
}

impl From<InitialAccessTokenRefused> for CommandError {
    fn from(error: InitialAccessTokenRefused) -> Self {
        match error {
            InitialAccessTokenRefused::Store(error) => error.into(),
            InitialAccessTokenRefused::Name(_) => Self::new("invalid_request", error),
        }
    }
}

impl From<ResourceServerRefused> for CommandError {
    fn from(error: ResourceServerRefused) -> Self {
        match error {
            ResourceServerRefused::NotFound => Self::not_found(error),
            ResourceServerRefused::Exists => Self::new("already_exists", error),
            ResourceServerRefused::InUse(_) => Self::new("in_use", error),
            ResourceServerRefused::Store(error) => error.into(),
            _ => Self::new("invalid_request", error),
        }
    }
}

impl From<RoleRefused> for CommandError {
    fn from(error: RoleRefused) -> Self {
        match error {
            RoleRefused::NotFound => Self::not_found(error),
            RoleRefused::Store(error) => error.into(),
            _ => Self::new("invalid_request", error),
        }
    }
}

impl From<KeyError> for CommandError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            KeyError::UnknownKid { .. } => Self::not_found(error),
            KeyError::Import(_) => Self::new("invalid_key", error),
            KeyError::AlreadyStored { .. } | KeyError::NextExists { .. } => {
                Self::new("already_exists", error)
            }
            KeyError::Contended => Self::new("temporarily_unavailable", error),
            KeyError::MasterKey(_) | KeyError::ForeignMasterKey { .. } => {
                Self::new("invalid_master_key", error)
            }
            _ => Self::new("server_error", error),
        }
    }
}

impl From<SchemaError> for CommandError {
    fn from(error: SchemaError) -> Self {
        match error {
            SchemaError::Store(error) => error.into(),
            _ => Self::new("schema_mismatch", error),
        }
    }
}

macro_rules! always {
    ($($error:ty => $code:literal),+ $(,)?) => {
        $(impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                Self::new($code, error)
            }
        })+
    };
}

always! {
    ConfigError => "invalid_configuration",
    ConnectError => "database_unusable",
    EmbeddedError => "database_unusable",
    HasherError => "invalid_configuration",
    ServerError => "server_error",
    MasterKeyError => "invalid_master_key",
}
