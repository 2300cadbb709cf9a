//! Identifiers, each a type of its own so that none is taken for another.

use std::fmt;

use uuid::Uuid;

use crate::secret::random_bytes;
use crate::time::Timestamp;

/// A client identifier (RFC 6749 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ClientId(String);

impl ClientId {
    /// A fresh random identifier.
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ClientId {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// As the database driver takes it.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }

            /// As 16 bytes, for tokens.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// From the 16 bytes of a token.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl From<Uuid> for $name {
            fn from(value: Uuid) -> Self {
                Self(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// A person's identifier: the `sub` of tokens.
    UserId
}
uuid_id! {
    /// A session's public identifier (never the cookie's value).
    SessionId
}
uuid_id! {
    /// A grant's identifier. It begins with the day on which the grant ends at the latest.
    GrantId
}
uuid_id! {
    /// An authorization code's identifier. It begins with the day on which the code ends.
    CodeId
}

impl UserId {
    /// A fresh random identifier.
    pub fn random() -> Self {
        Self(Uuid::from_bytes(random_bytes()))
    }
}

impl SessionId {
    /// A fresh random identifier.
    pub fn random() -> Self {
        Self(Uuid::from_bytes(random_bytes()))
    }
}

impl GrantId {
    /// A fresh identifier for a grant that ends at `expires_at` at the latest.
    pub fn random(expires_at: Timestamp) -> Self {
        Self(day_prefixed(expires_at))
    }
}

impl CodeId {
    /// A fresh identifier for a code that ends at `expires_at`.
    pub fn random(expires_at: Timestamp) -> Self {
        Self(day_prefixed(expires_at))
    }
}

/// The smallest identifier whose day is `day` (days since 1970): the bound of a partition.
pub fn first_id_of_day(day: u16) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&day.to_be_bytes());
    Uuid::from_bytes(bytes)
}

/// The smallest identifier of an event at this time or later: the day, then 44 bits with the microseconds since
/// midnight, as the function `audit_event_id` of the schema makes them.
pub fn first_id_at(time: Timestamp) -> Uuid {
    let day = u16::try_from(time.unix_day().max(0)).unwrap_or(u16::MAX);
    let midnight = Timestamp::from_unix_seconds(i64::from(day) * 86_400);
    // 86,400,000,000 microseconds take 37 bits.
    let micros = u64::try_from(time.since(midnight).as_micros()).unwrap_or(u64::MAX).min((1 << 44) - 1);
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&day.to_be_bytes());
    bytes[2..6].copy_from_slice(&(micros >> 12).to_be_bytes()[4..]);
    // The version's four bits stand in between.
    bytes[6..8].copy_from_slice(&(0x8000 | (micros & 0xfff)).to_be_bytes()[6..]);
    Uuid::from_bytes(bytes)
}

/// Two bytes of day, then 106 random bits in the form of a version 8 UUID (RFC 9562 §5.8).
fn day_prefixed(expires_at: Timestamp) -> Uuid {
    let day = u16::try_from(expires_at.unix_day()).unwrap_or(u16::MAX);
    let mut bytes: [u8; 16] = random_bytes();
    bytes[..2].copy_from_slice(&day.to_be_bytes());
    Uuid::new_v8(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_identifier_of_a_time_is_that_of_the_schema_without_its_random_bits() {
        // `SELECT audit_event_id('2026-11-22 23:59:59.999999+00')`
        let time = Timestamp::from_unix_micros((20_779 * 86_400 + 86_399) * 1_000_000 + 999_999);
        assert_eq!(first_id_at(time).to_string(), "512b0141-dd75-8fff-0000-000000000000");
        assert_eq!(first_id_at(Timestamp::from_unix_seconds(20_779 * 86_400)).as_bytes()[..2], [0x51, 0x2b]);
        assert!(first_id_at(Timestamp::from_unix_seconds(-5)) < first_id_of_day(1));
        assert!(first_id_at(Timestamp::from_unix_micros(i64::MAX)) > first_id_of_day(u16::MAX));
    }

    #[test]
    fn an_identifier_sorts_into_the_partition_of_its_day() {
        let expires_at = Timestamp::from_unix_seconds(20_000 * 86_400 + 5);
        let id = GrantId::random(expires_at).as_uuid();
        assert!(first_id_of_day(20_000) <= id && id < first_id_of_day(20_001));
    }
}
