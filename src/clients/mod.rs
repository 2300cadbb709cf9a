//! Clients: who they are, whether they are who they say, and what they may ask for.

pub mod authentication;
pub mod registration;
mod registration_checks;
mod registry;
mod scope_catalogue;
pub mod scopes;

pub use authentication::AuthenticatedClient;
pub use registration::{ClientMetadata, RegistrationError};
pub use registry::{MAX_STALENESS, Registry};
pub use scope_catalogue::{ScopeCatalogue, role_names};
