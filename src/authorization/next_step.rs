//! What happens next with an authorization request: one pure decision (OpenID Connect Core §3.1.2.1, §3.1.2.3,
//! §3.1.2.4).

use std::time::Duration;

use super::{GrantableClaims, Pending};
use crate::clients::ScopeCatalogue;
use crate::model::{Agreement, Role};
use crate::protocol::{AuthorizationError, Prompt, ScopeSet};
use crate::store::SignedIn;
use crate::time::Timestamp;

/// What happens next.
#[derive(Debug)]
pub enum NextStep {
    /// Somebody signs in.
    SignIn,
    /// The person who is signed in signs in once more: it was too long ago.
    SignInAgain,
    /// The person chooses to go on with the account that is signed in, or with another one.
    SelectAccount,
    /// The person is asked for consent.
    Consent,
    /// The code is issued.
    Issue(Agreement),
    /// The client gets an error.
    Refuse(AuthorizationError),
}

/// Whoever is signed in, as the request sees them.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// Session, roles and consent.
    pub signed_in: &'a SignedIn,
    /// Whether the request may be for this person: it has no `id_token_hint`, or one of theirs, and asks for no `sub`
    /// but theirs.
    pub is_expected: bool,
    /// Whether they have chosen this account for this request, in this session.
    pub has_chosen: bool,
}

/// The requested scopes, divided by what this person may grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedScopes {
    /// What the person may grant.
    pub grantable: Vec<String>,
    /// Restricted scopes that none of the person's roles carries.
    pub left_out: Vec<String>,
    /// Claims that were asked for by name.
    pub claims: GrantableClaims,
}

impl RequestedScopes {
    /// Divides them.
    pub fn divide(requested: &ScopeSet, catalogue: &ScopeCatalogue, roles: &[Role]) -> Self {
        let (grantable, left_out) =
            requested.to_vec().into_iter().partition(|scope| catalogue.may_grant(scope, roles));
        Self { grantable, left_out, claims: GrantableClaims::default() }
    }

    /// Whether the person may grant none of what was asked for.
    pub fn nothing_to_grant(&self) -> bool {
        self.grantable.is_empty() && !self.left_out.is_empty()
    }
}

/// Decides. `requested_at` and the session's `auth_time` are both the database's.
pub fn next_step(
    pending: &Pending,
    visitor: Option<Visitor<'_>>,
    scopes: &RequestedScopes,
    requested_at: Timestamp,
) -> NextStep {
    let step = open_step(pending, visitor, scopes, requested_at);
    if pending.request.prompt.contains(Prompt::None) { silent(step) } else { step }
}

/// What happens where pages may be shown.
fn open_step(
    pending: &Pending,
    visitor: Option<Visitor<'_>>,
    scopes: &RequestedScopes,
    requested_at: Timestamp,
) -> NextStep {
    let Some(visitor) = visitor else { return NextStep::SignIn };
    let signed_in_since = visitor.signed_in.session.auth_time >= requested_at;
    if !visitor.is_expected {
        // OpenID Connect Core §3.1.2.1: a positive answer is for the person of the hint alone. Asking once is enough.
        return if signed_in_since { NextStep::Refuse(sign_in_needed()) } else { NextStep::SignIn };
    }
    if !is_recent_enough(pending, visitor.signed_in, requested_at) {
        return NextStep::SignInAgain;
    }
    let selects = pending.request.prompt.contains(Prompt::SelectAccount);
    // Whoever signs in for this request has chosen an account by that.
    if selects && !signed_in_since && !visitor.has_chosen {
        return NextStep::SelectAccount;
    }
    agreement(pending, visitor.signed_in, scopes).map_or(NextStep::Consent, NextStep::Issue)
}

/// OpenID Connect Core §3.1.2.6: with `prompt=none` each page is an error.
fn silent(step: NextStep) -> NextStep {
    match step {
        NextStep::SignIn | NextStep::SignInAgain => NextStep::Refuse(sign_in_needed()),
        NextStep::SelectAccount => NextStep::Refuse(AuthorizationError::account_selection_required(
            "the person has not chosen an account yet",
        )),
        NextStep::Consent => {
            NextStep::Refuse(AuthorizationError::consent_required("the person has not agreed to this yet"))
        }
        NextStep::Issue(_) | NextStep::Refuse(_) => step,
    }
}

/// The same words whether nobody is signed in, another person, or this one too long ago: a client learns no more.
fn sign_in_needed() -> AuthorizationError {
    AuthorizationError::login_required("the person that this is for has to sign in")
}

/// `prompt=login` is met by signing in after the request, `max_age` by signing in not too long before it; where the
/// request has none, the client's own counts (OpenID Connect Registration §2 `default_max_age`).
fn is_recent_enough(pending: &Pending, person: &SignedIn, requested_at: Timestamp) -> bool {
    let max_age = pending.request.max_age.map(Duration::from_secs).or(pending.client.openid.default_max_age);
    let oldest = match (pending.request.prompt.contains(Prompt::Login), max_age) {
        (true, _) => requested_at,
        (false, Some(max_age)) => requested_at - max_age,
        (false, None) => return true,
    };
    person.session.auth_time >= oldest
}

/// Who has agreed to all of it; `None`: the person is to be asked, or told that there is nothing to agree to.
fn agreement(pending: &Pending, person: &SignedIn, scopes: &RequestedScopes) -> Option<Agreement> {
    if pending.request.prompt.contains(Prompt::Consent)
        || scopes.nothing_to_grant()
        // RFC 8252 §8.6 and RFC 9700 §4.15: who cannot prove that the answer reaches the right app asks every time.
        || !pending.client.is_recognized_at(pending.target.uri())
    {
        return None;
    }
    let skips = pending.client.skip_consent && !pending.client.self_registered;
    let counts = |scope: &String| {
        person.consented_scopes.as_ref().is_some_and(|consented| consented.contains(scope))
            && (skips || !person.unasked_scopes.contains(scope))
    };
    // What is empty was emptied when an app that nobody has looked at changed its addresses.
    let is_valid = |on_file: &Vec<String>| !(on_file.is_empty() && pending.client.self_registered);
    let is_on_file = person.consented_scopes.as_ref().is_some_and(is_valid)
        && scopes.grantable.iter().all(counts)
        && (skips || scopes.claims.were_agreed_to(&person.consented_claims, counts));
    match (is_on_file, skips) {
        (true, _) => Some(Agreement::OnFile),
        (false, true) => Some(Agreement::Operator),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests;
