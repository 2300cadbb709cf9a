//! The signing keys of one moment, parsed, with everything prepared that a request asks for.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::{KeyError, LifeCycle, MasterKeys, Signer, key_material};
use crate::jose::{Algorithm, JoseError, PublicJwk, VerificationKey, VerificationKeys, jwk_set};
use crate::model::{SigningKey, SigningKeyState};
use crate::secret::{base64url, sha256};
use crate::time::Timestamp;

/// The published keys as bytes to send (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwks {
    /// The JSON.
    pub body: String,
    /// A strong entity tag, quotes included (RFC 9110 §8.8.3).
    pub etag: String,
}

/// The signing keys as they were read, and the phases that they go through from then on.
#[derive(Debug)]
pub struct KeySet {
    keys: HashMap<String, Arc<ParsedKey>>,
    /// In order of `from`; the first holds for the time before it too.
    phases: Vec<Phase>,
    on_record: VerificationKeys,
}

#[derive(Debug)]
struct ParsedKey {
    signer: Arc<Signer>,
    verification_key: Arc<VerificationKey>,
}

/// A time in which no key changes its state.
#[derive(Debug)]
struct Phase {
    from: Timestamp,
    signers: BTreeMap<Algorithm, Arc<Signer>>,
    verification_keys: VerificationKeys,
    jwks: Jwks,
}

impl KeySet {
    /// Decrypts and parses the keys that are or will be published. A key that `previous` has parsed is
    /// taken from there.
    ///
    /// # Errors
    /// If one of them cannot be used.
    pub fn new(
        rows: &[SigningKey],
        token_lifetime: Duration,
        master_keys: &MasterKeys,
        previous: Option<&Self>,
        now: Timestamp,
    ) -> Result<Self, KeyError> {
        let life_cycles = Algorithm::ALL.map(|alg| LifeCycle::new(rows, alg, token_lifetime));
        let mut begins: Vec<_> = life_cycles.iter().flat_map(|cycle| cycle.turning_points(now)).collect();
        begins.push(now);
        begins.sort_unstable();
        begins.dedup();
        let mut keys = HashMap::new();
        let mut unreadable = HashSet::new();
        let mut phases = Vec::new();
        for from in begins {
            for row in life_cycles.iter().flat_map(|cycle| cycle.published(from)) {
                if keys.contains_key(&row.kid) || unreadable.contains(&row.kid) {
                    continue;
                }
                let known = previous.and_then(|set| set.keys.get(&row.kid)).cloned();
                match known.map_or_else(|| parse(row, master_keys), Ok) {
                    Ok(key) => drop(keys.insert(row.kid.clone(), key)),
                    // One row that is damaged must not keep everything else from starting.
                    Err(error) if is_superseded(row, &life_cycles, now) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(kid = row.kid, error, "a superseded signing key is left out");
                        unreadable.insert(row.kid.clone());
                    }
                    Err(error) => return Err(error),
                }
            }
            phases.push(Phase::new(from, &life_cycles, &keys)?);
        }
        let on_record = on_record(rows, &life_cycles, &keys);
        Ok(Self { keys, phases, on_record })
    }

    /// The key that signs with this algorithm.
    ///
    /// # Errors
    /// [`KeyError::NoSigningKey`] if there is none, or all are retired.
    pub fn signer(&self, alg: Algorithm, now: Timestamp) -> Result<&Arc<Signer>, KeyError> {
        self.phase(now).signers.get(&alg).ok_or(KeyError::NoSigningKey(alg))
    }

    /// The algorithms that there is a key for: what metadata may promise.
    pub fn algorithms(&self, now: Timestamp) -> impl Iterator<Item = Algorithm> {
        self.phase(now).signers.keys().copied()
    }

    /// The published keys, to verify with.
    pub fn verification_keys(&self, now: Timestamp) -> &VerificationKeys {
        &self.phase(now).verification_keys
    }

    /// The published keys, and those that were published once and whose time has passed: to read what Grantor itself
    /// wrote and is handed back (an `id_token_hint`, OpenID Connect Core §3.1.2.1), not to accept a credential. A key
    /// that was withdrawn before its time is not among them: somebody else may have it.
    pub fn keys_on_record(&self) -> &VerificationKeys {
        &self.on_record
    }

    /// The published keys, to send.
    pub fn jwks(&self, now: Timestamp) -> &Jwks {
        &self.phase(now).jwks
    }

    fn phase(&self, now: Timestamp) -> &Phase {
        let begun = self.phases.partition_point(|phase| phase.from <= now);
        &self.phases[begun.saturating_sub(1)]
    }
}

impl Phase {
    fn new(
        from: Timestamp,
        life_cycles: &[LifeCycle<'_>],
        keys: &HashMap<String, Arc<ParsedKey>>,
    ) -> Result<Self, KeyError> {
        let published: Vec<_> = life_cycles
            .iter()
            .flat_map(|cycle| cycle.published(from))
            .filter_map(|row| keys.get(&row.kid))
            .collect();
        let body = jwk_set(published.iter().map(|key| key.signer.public_jwk()))?;
        let etag = format!("\"{}\"", base64url(&sha256(body.as_bytes())[..16]));
        let active = life_cycles.iter().filter_map(|cycle| keys.get(&cycle.active(from)?.kid));
        Ok(Self {
            from,
            signers: active.map(|key| (key.signer.alg(), Arc::clone(&key.signer))).collect(),
            verification_keys: published
                .iter()
                .map(|key| (key.signer.kid().to_owned(), Arc::clone(&key.verification_key)))
                .collect(),
            jwks: Jwks { body, etag },
        })
    }
}

/// Whether the key signs nothing any more, now or later.
fn is_superseded(row: &SigningKey, life_cycles: &[LifeCycle<'_>], now: Timestamp) -> bool {
    let own = |cycle: &&LifeCycle<'_>| cycle.key(&row.kid).is_some();
    life_cycles.iter().find(own).is_some_and(|cycle| cycle.state(row, now) == SigningKeyState::Retiring)
}

/// Of keys whose private parts may be erased the public parts. One that is damaged is left out.
fn on_record(
    rows: &[SigningKey],
    life_cycles: &[LifeCycle<'_>],
    parsed: &HashMap<String, Arc<ParsedKey>>,
) -> VerificationKeys {
    let is_withdrawn = |row: &SigningKey| life_cycles.iter().any(|cycle| cycle.is_withdrawn(row));
    rows.iter()
        .filter(|row| !is_withdrawn(row))
        .filter_map(|row| match parsed.get(&row.kid) {
            Some(key) => Some((row.kid.clone(), Arc::clone(&key.verification_key))),
            None => match public_key(row) {
                Ok(key) => Some((row.kid.clone(), Arc::new(key))),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(kid = row.kid, error, "a past signing key is left out");
                    None
                }
            },
        })
        .collect()
}

fn public_key(row: &SigningKey) -> Result<VerificationKey, JoseError> {
    let jwk = PublicJwk::from_json(&row.public_jwk)?;
    if jwk.kid() != row.kid || jwk.alg() != row.alg {
        return Err(JoseError::Key("it is another key than its row says"));
    }
    VerificationKey::new(&jwk)
}

fn parse(row: &SigningKey, master_keys: &MasterKeys) -> Result<Arc<ParsedKey>, KeyError> {
    let signer = key_material::unwrap(row, master_keys)?;
    let verification_key = VerificationKey::new(signer.public_jwk())?;
    Ok(Arc::new(ParsedKey { signer: Arc::new(signer), verification_key: Arc::new(verification_key) }))
}

#[cfg(test)]
mod tests;
