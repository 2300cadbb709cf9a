//! The life of a signing key, as a function of what is stored and the time: nothing has to run for a key
//! to become active or to disappear.

use std::time::Duration;

use crate::model::{SigningKey, SigningKeyState};
use crate::time::Timestamp;

/// How far the clocks of verifiers and of other processes may be off.
const LEEWAY: Duration = Duration::from_secs(60);

/// The keys on record, and how long the tokens live that they sign.
#[derive(Debug, Clone, Copy)]
pub struct LifeCycle<'a> {
    keys: &'a [SigningKey],
    overlap: Duration,
}

impl<'a> LifeCycle<'a> {
    /// `token_lifetime` is that of the longest-lived token: so long, and a leeway, a superseded key
    /// stays published.
    pub fn new(keys: &'a [SigningKey], token_lifetime: Duration) -> Self {
        Self { keys, overlap: token_lifetime + LEEWAY }
    }

    /// The key that signs: the latest that has come of age. If none has, the earliest that will: the
    /// clock of this process may be behind the database's, which set the times.
    pub fn active(&self, now: Timestamp) -> Option<&'a SigningKey> {
        let candidates =
            || self.keys.iter().filter(|key| key.retired_at.is_none() && !self.is_outlived(key, now));
        candidates()
            .filter(|key| key.activates_at <= now)
            .max_by_key(|key| seniority(key))
            .or_else(|| candidates().min_by_key(|key| seniority(key)))
    }

    /// The key that waits to sign; the earliest, should there be several.
    pub fn next(&self, now: Timestamp) -> Option<&'a SigningKey> {
        self.keys
            .iter()
            .filter(|key| self.state(key, now) == SigningKeyState::Next)
            .min_by_key(|key| seniority(key))
    }

    /// The key with this id, wherever it is in its life.
    pub fn key(&self, kid: &str) -> Option<&'a SigningKey> {
        self.keys.iter().find(|key| key.kid == kid)
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
            .keys
            .iter()
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
            .keys
            .iter()
            .flat_map(|key| [key.activates_at, key.activates_at + self.overlap])
            .filter(|point| *point > now)
            .collect();
        points.sort_unstable();
        points.dedup();
        points
    }

    /// Whether another key took over so long ago that each token that this one signed has expired. A
    /// key that took over counts although it has been retired since: what is no longer published does
    /// not come back.
    fn is_outlived(&self, key: &SigningKey, now: Timestamp) -> bool {
        self.keys.iter().any(|other| {
            let signed = other.retired_at.is_none_or(|retired_at| other.activates_at < retired_at);
            signed && seniority(other) > seniority(key) && other.activates_at + self.overlap <= now
        })
    }
}

/// By this order the later of two active keys signs.
fn seniority(key: &SigningKey) -> (Timestamp, Timestamp, &str) {
    (key.activates_at, key.created_at, &key.kid)
}

#[cfg(test)]
mod tests;
