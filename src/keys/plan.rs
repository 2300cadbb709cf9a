//! What an operation on the signing keys is to change: pure decisions over what is stored.

use std::time::Duration;

use super::{KeyError, LifeCycle};
use crate::model::{SigningKey, SigningKeyState};
use crate::time::Timestamp;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing: this key already is what was asked for.
    Keep(String),
    /// Withdraw a key, bring in another, or both.
    Change { retire: Option<String>, successor: Successor },
}

/// Which key comes in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Successor {
    /// None.
    Nobody,
    /// The key that waits signs at once.
    Activate(String),
    /// A further key signs after this time.
    Insert(Duration),
}

impl Decision {
    fn bring_in(successor: Successor) -> Self {
        Self::Change { retire: None, successor }
    }
}

/// There shall be a key to sign with; if one has to be made, it comes of age after `activates_in`.
pub(super) fn first(life_cycle: LifeCycle<'_>, now: Timestamp, activates_in: Duration) -> Decision {
    match life_cycle.active(now) {
        Some(key) => Decision::Keep(key.kid.clone()),
        None => Decision::bring_in(Successor::Insert(activates_in)),
    }
}

/// Whether it is time to publish the key that is to take over when the active one has signed for
/// `rotate_every`.
pub(super) fn is_due(
    life_cycle: LifeCycle<'_>,
    now: Timestamp,
    rotate_every: Duration,
    publish_ahead: Duration,
) -> bool {
    let is_old = |active: &SigningKey| active.activates_at + rotate_every <= now + publish_ahead;
    life_cycle.active(now).is_some_and(is_old) && life_cycle.next(now).is_none()
}

/// The keys whose private parts nobody needs any more.
pub(super) fn to_erase(life_cycle: LifeCycle<'_>, now: Timestamp) -> Vec<String> {
    life_cycle
        .keys()
        .filter(|key| !key.is_erased() && life_cycle.state(key, now) == SigningKeyState::Retired)
        .map(|key| key.kid.clone())
        .collect()
}

/// The next key shall be published and sign `publish_ahead` later; one next key at a time.
pub(super) fn rotate(life_cycle: LifeCycle<'_>, now: Timestamp, publish_ahead: Duration) -> Decision {
    match life_cycle.next(now) {
        Some(key) => Decision::Keep(key.kid.clone()),
        None => Decision::bring_in(Successor::Insert(publish_ahead)),
    }
}

/// Another key shall sign at once: the one that waits, which some verifiers know, or else a new one.
pub(super) fn rotate_now(life_cycle: LifeCycle<'_>, now: Timestamp) -> Decision {
    Decision::bring_in(successor(life_cycle, now))
}

/// The key shall be withdrawn at once; if it signs, another one takes over in the same moment.
pub(super) fn retire(life_cycle: LifeCycle<'_>, now: Timestamp, kid: &str) -> Result<Decision, KeyError> {
    let key = life_cycle.key(kid).ok_or_else(|| KeyError::UnknownKid { kid: kid.to_owned() })?;
    if key.retired_at.is_some() {
        return Ok(Decision::Keep(key.kid.clone()));
    }
    let successor = match life_cycle.state(key, now) {
        SigningKeyState::Active => successor(life_cycle, now),
        _ => Successor::Nobody,
    };
    Ok(Decision::Change { retire: Some(key.kid.clone()), successor })
}

/// A key that an operator brought shall sign after `activates_in`; one next key at a time.
pub(super) fn import(
    life_cycle: LifeCycle<'_>,
    now: Timestamp,
    activates_in: Duration,
) -> Result<Decision, KeyError> {
    match life_cycle.next(now) {
        Some(next) => Err(KeyError::NextExists { kid: next.kid.clone() }),
        None => Ok(Decision::bring_in(Successor::Insert(activates_in))),
    }
}

fn successor(life_cycle: LifeCycle<'_>, now: Timestamp) -> Successor {
    match life_cycle.next(now) {
        Some(key) => Successor::Activate(key.kid.clone()),
        None => Successor::Insert(Duration::ZERO),
    }
}

#[cfg(test)]
mod tests;
