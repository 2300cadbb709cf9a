//! What a person sees of the own account: the browsers that are signed in, and the apps that have access.

use super::{ClientId, SessionId};
use crate::time::Timestamp;

/// A living session as the person is shown it, to recognize it by.
#[derive(Debug, Clone)]
pub struct OwnSession {
    /// Its public identifier.
    pub id: SessionId,
    /// When the person signed in, by the database's clock.
    pub auth_time: Timestamp,
    /// When it was last used, give or take some minutes.
    pub last_seen_at: Timestamp,
    /// When it ends if it is not used.
    pub ends_at: Timestamp,
    /// Where the sign-in came from.
    pub address: Option<String>,
    /// What the browser said of itself.
    pub user_agent: Option<String>,
}

/// An app that a person has agreed to.
#[derive(Debug, Clone)]
pub struct AuthorizedApp {
    /// Which client.
    pub client_id: ClientId,
    /// Its registered name.
    pub name: String,
    /// Where it sends people.
    pub redirect_uris: Vec<String>,
    /// Whether it registered itself and nobody has vouched for it since.
    pub self_registered: bool,
    /// Whether it asks nobody for consent, by an operator's choice.
    pub skip_consent: bool,
    /// Whether it is switched off.
    pub is_disabled: bool,
    /// What the person has agreed to.
    pub scopes: Vec<String>,
    /// Claims beyond those of scopes that the person has agreed to.
    pub claims: Vec<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// When the person last agreed to something.
    pub updated_at: Timestamp,
    /// What it can do at present.
    pub access: AppAccess,
}

/// What an app that a person has agreed to can do at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppAccess {
    /// It holds a grant with `offline_access`, which outlives the session.
    Lasting,
    /// It holds a grant that ends with its session.
    WhileSignedIn,
    /// It holds no living grant.
    None,
}

impl AppAccess {
    /// In a word, for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lasting => "lasting",
            Self::WhileSignedIn => "while_signed_in",
            Self::None => "none",
        }
    }
}
