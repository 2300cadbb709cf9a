//! The code: made with the grant that it stands for, in one statement (RFC 6749 §4.1.2).

use std::time::Duration;

use super::{GrantableClaims, Pending};
use crate::config::{Sessions, Tokens};
use crate::model::{Agreement, ApplicationType, AuthorizationCode, CodeId, Grant, GrantId, GrantType};
use crate::protocol::ClaimsRequest;
use crate::protocol::scope::OFFLINE_ACCESS;
use crate::secret::{Secret, TokenKind, random_bytes, sha256};
use crate::store::{NewGrant, SignedIn, Store, StoreError};
use crate::time::Timestamp;

/// How far the database's clock may be from what a process takes it for, when scopes are compared by age.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// What issuing a code reaches for.
pub struct CodeIssuer<'a> {
    /// The database.
    pub store: &'a Store,
    /// Configured lifetimes of tokens.
    pub tokens: &'a Tokens,
    /// Configured lifetimes of sessions.
    pub sessions: &'a Sessions,
}

/// What is approved.
pub struct Approval {
    /// The scopes.
    pub scopes: Vec<String>,
    /// Claims that were asked for by name.
    pub claims: GrantableClaims,
    /// Who agreed to them.
    pub agreement: Agreement,
    /// When the request came that was agreed to, by the database's clock.
    pub requested_at: Timestamp,
}

/// Why no code was issued: something ended meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotIssued {
    /// The session, the person or the client.
    SessionEnded,
    /// One of the scopes; there may be another of its name by now.
    ScopeDeleted,
}

impl CodeIssuer<'_> {
    /// Writes grant and code, and the consent if the person agreed just now. `now` is the database's.
    pub async fn issue(
        &self,
        pending: &Pending,
        person: &SignedIn,
        approval: Approval,
        now: Timestamp,
    ) -> Result<Result<Secret<String>, NotIssued>, StoreError> {
        let Approval { scopes, claims, agreement, requested_at } = approval;
        let beyond_scopes: Vec<String> = claims.beyond_scopes().map(str::to_owned).collect();
        // The database's clock is known only so well.
        let requested_at = requested_at + CLOCK_TOLERANCE;
        let grant = self.grant(pending, person, scopes, claims.request, now);
        let expires_at = now + self.tokens.code_lifetime;
        let code = AuthorizationCode {
            id: CodeId::random(expires_at),
            grant_id: grant.id,
            redirect_uri: pending.request.redirect_uri.clone(),
            code_challenge: pending
                .request
                .code_challenge
                .as_ref()
                .map(|challenge| challenge.as_str().to_owned()),
            nonce: pending.request.nonce.clone(),
            expires_at,
            used_at: None,
        };
        let secret: [u8; 32] = random_bytes();
        let new = NewGrant {
            grant: &grant,
            code: &code,
            code_hash: &sha256(&secret),
            session_id: person.session.id,
            session_idle_lifetime: self.sessions.idle_lifetime,
            agreement,
            claims: &beyond_scopes,
            // What is agreed to goes to the address that was shown; else it would count for the one in its place.
            holds_redirect_uri: agreement == Agreement::Person
                && pending.client.self_registered
                && pending.client.application_type == ApplicationType::Web,
            requested_at,
        };
        if !self.store.insert_grant(new, now).await? {
            let scopes_live = self.store.scopes_are_older(&grant.scopes, requested_at).await?;
            return Ok(Err(if scopes_live { NotIssued::SessionEnded } else { NotIssued::ScopeDeleted }));
        }
        Ok(Ok(TokenKind::AuthorizationCode.encode(&[code.id.as_bytes().as_slice(), &secret].concat())))
    }

    fn grant(
        &self,
        pending: &Pending,
        person: &SignedIn,
        scopes: Vec<String>,
        claims: ClaimsRequest,
        now: Timestamp,
    ) -> Grant {
        let client = &pending.client;
        let lifetime = client.refresh_absolute_lifetime.unwrap_or(self.tokens.refresh_absolute_lifetime);
        let expires_at = now + lifetime;
        let outlives_session = client.allows_grant(GrantType::RefreshToken)
            && scopes.iter().any(|scope| scope == OFFLINE_ACCESS);
        Grant {
            id: GrantId::random(expires_at),
            user_id: person.session.user_id,
            client_id: client.id.clone(),
            session_id: (!outlives_session).then_some(person.session.id),
            started_in: Some(person.session.id),
            claims,
            requested_scopes: pending.scopes.to_vec(),
            scopes,
            resources: pending.request.resources.as_slice().to_vec(),
            auth_time: person.session.auth_time,
            expires_at,
        }
    }
}
