//! The life of a signing key, as a function of what is stored and the time: nothing has to run for a key
//! to become active or to disappear.

use std::time::Duration;

use crate::jose::Algorithm;
use crate::model::{SigningKey, SigningKeyState};
use crate::time::Timestamp;

/// How far the clocks of verifiers and of other processes may be off.
const LEEWAY: Duration = Duration::from_secs(60);

/// The keys of one algorithm on record, and how long the tokens live that they sign. Each algorithm has a
/// life cycle of its own.
#[derive(Debug, Clone, Copy)]
pub struct LifeCycle<'a> {
    keys: &'a [SigningKey],
    alg: Algorithm,
    token_lifetime: Duration,
}

impl<'a> LifeCycle<'a> {
    /// Of `keys` those for `alg`. `token_lifetime` is that of the longest-lived token as it is configured
    /// now; a key that remembers a longer one goes by that.
    pub fn new(keys: &'a [SigningKey], alg: Algorithm, token_lifetime: Duration) -> Self {
        Self { keys, alg, token_lifetime }
    }

    /// All of them, the oldest first.
    pub fn keys(&self) -> impl Iterator<Item = &'a SigningKey> + use<'a> {
        let alg = self.alg;
        self.keys.iter().filter(move |key| key.alg == alg)
    }

    /// The key that signs: the latest that has come of age. If none has, the earliest that will: the
    /// clock of this process may be behind the database's, which set the times.
    pub fn active(&self, now: Timestamp) -> Option<&'a SigningKey> {
        let candidates = || self.keys().filter(|key| key.retired_at.is_none() && !self.is_outlived(key, now));
        candidates()
            .filter(|key| key.activates_at <= now)
            .max_by_key(|key| seniority(key))
            .or_else(|| candidates().min_by_key(|key| seniority(key)))
    }

    /// The key that waits to sign; the earliest, should there be several.
    pub fn next(&self, now: Timestamp) -> Option<&'a SigningKey> {
        self.keys()
            .filter(|key| self.state(key, now) == SigningKeyState::Next)
            .min_by_key(|key| seniority(key))
    }

    /// The key with this id, wherever it is in its life.
    pub fn key(&self, kid: &str) -> Option<&'a SigningKey> {
        self.keys().find(|key| key.kid == kid)
    }

    /// Where a key is in its life.
    pub fn state(&self, key: &SigningKey, now: Timestamp) -> SigningKeyState {
        if key.retired_at.is_some() {
            SigningKeyState::Retired
        } else if self.active(now).is_some_and(|active| active.kid == key.kid) {
            SigningKeyState::Active
        } else if key.activates_at > now {
            SigningKeyState::Next
        } else if self.is_outlived(key, now) {
            SigningKeyState::Retired
        } else {
            SigningKeyState::Retiring
        }
    }

    /// The keys that verifiers may use: the active one first, the next, then the superseded ones, the
    /// latest first.
    pub fn published(&self, now: Timestamp) -> Vec<&'a SigningKey> {
        let mut published: Vec<_> = self
            .keys()
            .map(|key| (self.state(key, now), key))
            .filter(|(state, _)| *state != SigningKeyState::Retired)
            .collect();
        published.sort_by_key(|(state, key)| {
            let rank = match state {
                SigningKeyState::Active => 0,
                SigningKeyState::Next => 1,
                SigningKeyState::Retiring | SigningKeyState::Retired => 2,
            };
            (rank, std::cmp::Reverse(seniority(key)))
        });
        published.into_iter().map(|(_, key)| key).collect()
    }

    /// The instants after `now` at which a state may change, in order.
    pub fn turning_points(&self, now: Timestamp) -> Vec<Timestamp> {
        let mut points: Vec<_> = self
            .keys()
            .flat_map(|key| std::iter::once(key.activates_at).chain(self.outlived_at(key)))
            .filter(|point| *point > now)
            .collect();
        points.sort_unstable();
        points.dedup();
        points
    }

    /// Whether an operator has withdrawn the key while tokens that it signed were still good.
    pub fn is_withdrawn(&self, key: &SigningKey) -> bool {
        self.key(&key.kid).is_some()
            && key.retired_at.is_some_and(|at| self.outlived_at(key).is_none_or(|outlived| at < outlived))
    }

    /// When the last token that this key signed has expired, if another key has taken over or will. A key
    /// that took over counts although it has been retired since: what is no longer published does not come
    /// back.
    pub fn outlived_at(&self, key: &SigningKey) -> Option<Timestamp> {
        let overlap = self.token_lifetime.max(key.longest_token_lifetime) + LEEWAY;
        self.keys()
            .filter(|other| other.retired_at.is_none_or(|retired_at| other.activates_at < retired_at))
            .filter(|other| seniority(other) > seniority(key))
            .map(|other| other.activates_at + overlap)
            .min()
    }

    fn is_outlived(&self, key: &SigningKey, now: Timestamp) -> bool {
        self.outlived_at(key).is_some_and(|at| at <= now)
    }
}

/// By this order the later of two active keys signs.
fn seniority(key: &SigningKey) -> (Timestamp, Timestamp, &str) {
    (key.activates_at, key.created_at, &key.kid)
}

#[cfg(test)]
mod tests;
