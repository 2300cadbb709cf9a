//! What clients asked for and what came of it: the history that the checker judges.

use std::fmt;
use std::time::Duration;

use grantor::secret::sha256;

/// A code or token, as it may stand in a file: the beginning of its hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(u64);

impl Mark {
    pub fn of(token: &str) -> Self {
        let hash = sha256(token.as_bytes());
        Self(hash.iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte)))
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Redeems an authorization code.
    Exchange(Mark),
    /// Uses a refresh token.
    Refresh(Mark),
    /// Ends the grant by one of its refresh tokens.
    Revoke(Mark),
    /// Asks about an access token.
    Introspect(Mark),
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Tokens, with this refresh token.
    Gave(Mark),
    /// The revocation was acknowledged.
    Revoked,
    /// What introspection said.
    Active(bool),
    /// `invalid_grant`.
    Refused,
    /// 503 or 429: done, or not. Whether it said when to come back.
    Away { retry_after: bool },
    /// The connection ended without an answer: done, or not.
    Unknown,
    /// No answer in time: done, or not, or yet to be done.
    Late,
    /// Any other status, which no fault excuses.
    Fault(u16),
}

impl Outcome {
    /// Whether the client cannot know if it was done.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Away { .. } | Self::Unknown | Self::Late | Self::Fault(_))
    }
}

/// A request with its beginning and end, counted from the beginning of the journal.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// The approval that it belongs to, by the client's own count.
    pub grant: u32,
    pub operation: Operation,
    pub begin: Duration,
    pub end: Duration,
    pub outcome: Outcome,
}
