//! Grants, their refresh token families, and authorization codes.

use super::{ClientId, CodeId, GrantId, SessionId, UserId};
use crate::protocol::ClaimsRequest;
use crate::time::Timestamp;

/// One person's approval of one client: what all its tokens rest on.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Its identifier; it begins with the day of `expires_at`.
    pub id: GrantId,
    /// Who approved.
    pub user_id: UserId,
    /// Which client.
    pub client_id: ClientId,
    /// The session whose end ends the grant; `None` with `offline_access`.
    pub session_id: Option<SessionId>,
    /// The session in which the person approved, also where the grant outlives it; `None`: an older release made it.
    pub started_in: Option<SessionId>,
    /// Of the claims that were asked for by name (OpenID Connect Core §5.5), those that the person lets the client have.
    pub claims: ClaimsRequest,
    /// What the authorization request asked for.
    pub requested_scopes: Vec<String>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// The resources it is for (RFC 8707); empty: the client's audiences, else the issuer.
    pub resources: Vec<String>,
    /// When the person had authenticated.
    pub auth_time: Timestamp,
    /// Its end, even when refreshed.
    pub expires_at: Timestamp,
}

/// Who agreed to what a grant gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// Whoever it was, it is on file.
    OnFile,
    /// The person, just now.
    Person,
    /// Nobody was asked: the operator vouches for the client.
    Operator,
}

/// The refresh token family in a grant's row.
#[derive(Debug, Clone)]
pub struct RefreshState {
    /// The generation `g` of the current refresh token.
    pub generation: u32,
    /// SHA-256 of the current token's secret `s_g`.
    pub hash: Vec<u8>,
    /// The id of the master key that derives the family's secrets.
    pub key_id: Vec<u8>,
    /// When `g` was reached.
    pub refreshed_at: Timestamp,
    /// The end if it is not refreshed until then.
    pub idle_expires_at: Timestamp,
}

/// An authorization code as it is stored (RFC 6749 §4.1.2).
#[derive(Debug, Clone)]
pub struct AuthorizationCode {
    /// Its identifier; it begins with the day of `expires_at`.
    pub id: CodeId,
    /// The grant that it stands for.
    pub grant_id: GrantId,
    /// Where it was sent.
    pub redirect_uri: String,
    /// The PKCE challenge (RFC 7636), always S256.
    pub code_challenge: Option<String>,
    /// The `nonce` for the ID token.
    pub nonce: Option<String>,
    /// Its end.
    pub expires_at: Timestamp,
    /// When it was redeemed.
    pub used_at: Option<Timestamp>,
}
