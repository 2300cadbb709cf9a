//! Keys: the master keys that protect what is stored, and the keys that sign tokens.

mod create;
mod error;
mod import;
mod key_material;
mod key_set;
mod life_cycle;
mod master_key;
mod master_key_file;
mod operations;
mod plan;
mod reload;
mod signer;
mod verify_master_keys;

pub use error::KeyError;
pub use import::ImportError;
pub use key_set::{Jwks, KeySet};
pub use life_cycle::LifeCycle;
pub use master_key::{MasterKey, MasterKeyError, MasterKeys, Purpose};
pub use master_key_file::{load_or_generate_master_key, read_master_key};
pub use operations::{KeyOperations, KeyOutcome, KeyReport};
pub use reload::Keys;
pub use signer::{LocalSigner, Signer};
pub use verify_master_keys::verify_master_keys;
