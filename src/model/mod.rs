//! What is stored: plain types without I/O.

mod audit;
mod client;
mod client_authentication;
mod client_metadata;
mod grant;
mod ids;
mod initial_access_token;
mod logout_delivery;
mod master_key;
mod name;
mod network;
mod own_account;
mod resource_server;
#[cfg(test)]
pub mod samples;
mod session;
mod signing_key;
mod user;

pub use audit::{Actor, AuditEntry, AuditEvent, AuditEventKind, Details, EndReason, Origin, Outcome};
pub use client::{ApplicationType, AuthMethod, Client, GrantType, RegistrationTokens, SubjectType};
pub use client_authentication::{
    AssertionKeys, ClientAuthentication, ClientKeys, ClientSecret, ClientSecrets, JwksByValue, SecretHash,
    SecretMethod,
};
pub use client_metadata::{AboutClient, LogoutMetadata, OpenIdMetadata, Sector};
pub use grant::{Agreement, AuthorizationCode, Grant, RefreshState};
pub use ids::{ClientId, CodeId, GrantId, SessionId, UserId, first_id_at, first_id_of_day};
pub use initial_access_token::InitialAccessToken;
pub use logout_delivery::LogoutDelivery;
pub use master_key::{StoredMasterKey, WrappedMasterKey};
pub use name::{FoldedName, NameProblem, check_name};
pub use network::Network;
pub use own_account::{AppAccess, AuthorizedApp, OwnSession};
pub use resource_server::ResourceServer;
pub use session::Session;
pub use signing_key::{NewSigningKey, SigningKey, SigningKeyChange, SigningKeyState};
pub use user::{Attributes, Claim, Role, Scope, SignInRecord, User};
