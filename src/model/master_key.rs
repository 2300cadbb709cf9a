//! A master key as it is on record: never the key itself.

/// What the database knows of a master key that has written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMasterKey {
    /// The key's id.
    pub id: Vec<u8>,
    /// A value that only the key yields.
    pub check_value: Vec<u8>,
    /// Where the key came from at its first use: a file's path or a variable's name.
    pub source: String,
    /// The key itself, encrypted under another one, once that has taken its place.
    pub wrapped: Option<WrappedMasterKey>,
}

/// A master key, encrypted under another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedMasterKey {
    /// The ciphertext.
    pub sealed: Vec<u8>,
    /// The id of the other one.
    pub wrapped_by: Vec<u8>,
}
