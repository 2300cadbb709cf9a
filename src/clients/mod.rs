//! Clients: who they are, whether they are who they say, and what they may ask for.

mod assertion;
pub mod authentication;
mod claim_catalogue;
pub mod claims;
pub mod initial_access_tokens;
mod key_sets;
pub mod registration;
mod registration_about;
mod registration_checks;
mod registration_method;
mod registry;
mod remembered;
mod resource_catalogue;
pub mod resource_servers;
mod scope_catalogue;
pub mod scopes;
pub mod secrets;
pub mod sector;
pub mod self_registration;

pub use authentication::{AuthenticatedClient, Authenticator};
pub use claim_catalogue::ClaimCatalogue;
pub use key_sets::KeySets;
pub use registration::{ClientMetadata, RegistrationError};
pub use registration_about::check_addresses;
pub use registry::{Beat, MAX_STALENESS, Registry};
pub use resource_catalogue::{NothingUnderstood, ResourceCatalogue};
pub use scope_catalogue::{ScopeCatalogue, role_names};
pub use secrets::rewrap_secrets;
pub use sector::SectorDocument;
pub use self_registration::{NotRegistered, SelfRegistration};
