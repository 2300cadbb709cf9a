//! What happens next with an authorization request: one pure decision.

use std::time::Duration;

use super::Pending;
use crate::clients::ScopeCatalogue;
use crate::model::{ApplicationType, Role};
use crate::protocol::{AuthorizationError, Prompt, ScopeSet, redirect_uri};
use crate::store::SignedIn;
use crate::time::Timestamp;

/// What happens next.
#[derive(Debug)]
pub enum NextStep {
    /// The person signs in.
    SignIn,
    /// The person is asked for consent.
    Consent,
    /// The code is issued.
    Issue,
    /// The client gets an error.
    Refuse(AuthorizationError),
}

/// The requested scopes, divided by what this person may grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedScopes {
    /// What the person may grant.
    pub grantable: Vec<String>,
    /// Restricted scopes that none of the person's roles carries.
    pub left_out: Vec<String>,
}

impl RequestedScopes {
    /// Divides them.
    pub fn divide(requested: &ScopeSet, catalogue: &ScopeCatalogue, roles: &[Role]) -> Self {
        let (grantable, left_out) =
            requested.to_vec().into_iter().partition(|scope| catalogue.may_grant(scope, roles));
        Self { grantable, left_out }
    }

    /// Whether the person may grant none of what was asked for.
    pub fn nothing_to_grant(&self) -> bool {
        self.grantable.is_empty() && !self.left_out.is_empty()
    }
}

/// Decides. `requested_at` and the session's `auth_time` are both the database's (OpenID Connect Core
/// §3.1.2.1 for `prompt` and `max_age`).
pub fn next_step(
    pending: &Pending,
    signed_in: Option<&SignedIn>,
    scopes: &RequestedScopes,
    requested_at: Timestamp,
) -> NextStep {
    let silent = pending.request.prompt.contains(Prompt::None);
    let Some(person) = signed_in.filter(|person| is_recent_enough(pending, person, requested_at)) else {
        return if silent {
            NextStep::Refuse(AuthorizationError::login_required("nobody is signed in recently enough"))
        } else {
            NextStep::SignIn
        };
    };
    if has_agreed(pending, person, scopes) {
        return NextStep::Issue;
    }
    if silent {
        return NextStep::Refuse(AuthorizationError::consent_required(
            "the person has not agreed to this yet",
        ));
    }
    NextStep::Consent
}

fn is_recent_enough(pending: &Pending, person: &SignedIn, requested_at: Timestamp) -> bool {
    let prompt = &pending.request.prompt;
    let again = prompt.contains(Prompt::Login) || prompt.contains(Prompt::SelectAccount);
    let max_age = pending.request.max_age.map(Duration::from_secs);
    let oldest = match (again, max_age) {
        (true, _) => requested_at,
        (false, Some(max_age)) => requested_at - max_age,
        (false, None) => return true,
    };
    person.session.auth_time >= oldest
}

fn has_agreed(pending: &Pending, person: &SignedIn, scopes: &RequestedScopes) -> bool {
    let Some(consented) = &person.consented_scopes else { return false };
    !pending.request.prompt.contains(Prompt::Consent)
        && !scopes.nothing_to_grant()
        && !is_asked_every_time(pending)
        && scopes.grantable.iter().all(|scope| consented.contains(scope))
}

/// RFC 8252 §8.6 and RFC 9700 §4.15: who cannot prove that the answer reaches the right app asks every time.
fn is_asked_every_time(pending: &Pending) -> bool {
    let client = &pending.client;
    client.application_type == ApplicationType::Native
        || !client.is_confidential() && !redirect_uri::is_verified_https(pending.target.uri())
}

#[cfg(test)]
mod tests;
