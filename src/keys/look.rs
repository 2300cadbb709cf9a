//! The signing keys as they were at one moment.

use std::time::Duration;

use serde::Serialize;

use super::{KeyError, LifeCycle};
use crate::jose::Algorithm;
use crate::model::{SigningKey, SigningKeyState};
use crate::time::Timestamp;

/// A signing key as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyReport {
    /// The `kid`.
    pub kid: String,
    /// The algorithm.
    pub alg: Algorithm,
    /// Where it is in its life.
    pub state: SigningKeyState,
    /// When it was made or imported.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub activates_at: Timestamp,
    /// When it leaves the published keys, where that is known: another key has taken over or is about to.
    pub published_until: Option<Timestamp>,
}

/// What is stored, and when that was, by the database's clock.
pub(super) struct Look {
    pub keys: Vec<SigningKey>,
    pub now: Timestamp,
    pub token_lifetime: Duration,
}

impl Look {
    pub fn life_cycle(&self, alg: Algorithm) -> LifeCycle<'_> {
        LifeCycle::new(&self.keys, alg, self.token_lifetime)
    }

    pub fn key(&self, kid: &str) -> Result<&SigningKey, KeyError> {
        let unknown = || KeyError::UnknownKid { kid: kid.to_owned() };
        self.keys.iter().find(|key| key.kid == kid).ok_or_else(unknown)
    }

    pub fn report(&self, key: &SigningKey) -> KeyReport {
        let life_cycle = self.life_cycle(key.alg);
        let published_until = key.retired_at.or_else(|| life_cycle.outlived_at(key));
        KeyReport {
            kid: key.kid.clone(),
            alg: key.alg,
            state: life_cycle.state(key, self.now),
            created_at: key.created_at,
            activates_at: key.activates_at,
            published_until,
        }
    }
}
