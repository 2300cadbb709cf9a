//! Keys: the master keys that protect what is stored, and the keys that sign tokens.

mod create;
mod error;
mod import;
mod key_material;
mod key_set;
mod life_cycle;
mod local_signer;
mod look;
mod maintenance;
mod master_key;
mod master_key_file;
mod master_keys;
mod open_master_keys;
mod operations;
mod plan;
mod pseudonyms;
mod reload;
mod rewrap;
mod signer;

pub use error::KeyError;
pub use import::ImportError;
pub use key_set::{Jwks, KeySet};
pub use life_cycle::LifeCycle;
pub use local_signer::LocalSigner;
pub use look::KeyReport;
pub use master_key::{MasterKey, MasterKeyError, Purpose};
pub use master_key_file::{load_or_generate_master_key, read_master_key};
pub use master_keys::{MasterKeys, Sealed};
pub use open_master_keys::{check_master_keys, open_master_keys};
pub use operations::{KeyOperations, KeyOutcome};
pub use pseudonyms::Pseudonyms;
pub use reload::Keys;
pub use rewrap::{Rewrapped, rewrap};
pub use signer::Signer;
