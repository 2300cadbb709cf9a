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
}
