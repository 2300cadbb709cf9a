//! What operators, and the server at its first start, do to the signing keys.
//!
//! Each operation looks, decides and writes under a guard; if others changed the keys in between, it
//! looks again.

use std::time::Duration;

use serde::Serialize;

use super::key_material::KeyMaterial;
use super::plan::{self, Decision, Successor};
use super::{KeyError, LifeCycle, MasterKeys, create, import};
use crate::model::{SigningKey, SigningKeyChange, SigningKeyState};
use crate::store::Store;
use crate::time::Timestamp;

/// How often an operation looks again before it gives up.
const ATTEMPTS: usize = 20;

/// How long a running process may take to notice a new key: it polls every two seconds.
const PROPAGATION: Duration = Duration::from_secs(2);

/// A signing key as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyReport {
    /// The `kid`.
    pub kid: String,
    /// The JWS algorithm.
    pub alg: String,
    /// Where it is in its life.
    pub state: SigningKeyState,
    /// When it was made or imported.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub activates_at: Timestamp,
}

/// What an operation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOutcome {
    /// The key that the operation was about.
    pub key: KeyReport,
    /// The key that signs now.
    pub active: Option<KeyReport>,
    /// `false` if everything was as asked for already.
    pub changed: bool,
}

/// The operations, with what they need.
#[derive(Debug, Clone, Copy)]
pub struct KeyOperations<'a> {
    store: &'a Store,
    master_keys: &'a MasterKeys,
    jwks_max_age: Duration,
    token_lifetime: Duration,
}

impl<'a> KeyOperations<'a> {
    /// `jwks_max_age` is how long verifiers may cache the JWK Set; `token_lifetime` the longest
    /// configured lifetime of a signed token, to which the clients' own ones are added.
    pub fn new(
        store: &'a Store,
        master_keys: &'a MasterKeys,
        jwks_max_age: Duration,
        token_lifetime: Duration,
    ) -> Self {
        Self { store, master_keys, jwks_max_age, token_lifetime }
    }

    /// All keys, the oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn list(&self) -> Result<Vec<KeyReport>, KeyError> {
        let look = self.look().await?;
        Ok(look.keys.iter().map(|key| look.report(key)).collect())
    }

    /// Makes the first key if there is none that signs. Of several processes that start at once, one
    /// makes it.
    ///
    /// # Errors
    /// If the database fails or no key can be made.
    pub async fn ensure_first(&self) -> Result<KeyOutcome, KeyError> {
        self.carry_out(None, |look| Ok(plan::first(look.life_cycle(), look.now))).await
    }

    /// Publishes the next key, which signs when every cache can have it. If one waits already, that
    /// one is the answer.
    ///
    /// # Errors
    /// If the database fails or no key can be made.
    pub async fn rotate(&self) -> Result<KeyOutcome, KeyError> {
        self.carry_out(None, |look| Ok(plan::rotate(look.life_cycle(), look.now, self.publish_ahead()))).await
    }

    /// Signs with another key at once and keeps the old one published. Verifiers that do not fetch an
    /// unknown key refuse new tokens until their caches expire.
    ///
    /// # Errors
    /// If the database fails or no key can be made.
    pub async fn rotate_now(&self) -> Result<KeyOutcome, KeyError> {
        self.carry_out(None, |look| Ok(plan::rotate_now(look.life_cycle(), look.now))).await
    }

    /// Withdraws a key at once: tokens that it signed are no longer valid.
    ///
    /// # Errors
    /// [`KeyError::UnknownKid`], or if the database fails or no key can be made.
    pub async fn retire(&self, kid: &str) -> Result<KeyOutcome, KeyError> {
        self.carry_out(None, |look| plan::retire(look.life_cycle(), look.now, kid)).await
    }

    /// Takes an operator's RSA key from PEM, which then signs as after [`Self::rotate`] or, `at_once`,
    /// [`Self::rotate_now`].
    ///
    /// # Errors
    /// [`KeyError::Import`] if the key is not fit, [`KeyError::AlreadyStored`], [`KeyError::NextExists`],
    /// or if the database fails.
    pub async fn import(&self, pem: &str, at_once: bool) -> Result<KeyOutcome, KeyError> {
        let material = import::import(pem)?;
        let kid = material.kid().to_owned();
        let activates_in = if at_once { Duration::ZERO } else { self.publish_ahead() };
        self.carry_out(Some(material), |look| plan::import(look.life_cycle(), look.now, &kid, activates_in))
            .await
    }

    /// The JWK Set's age in caches, and twice the time in which processes notice: the last to publish
    /// the key may do so when the first cache has just been filled by it.
    fn publish_ahead(&self) -> Duration {
        self.jwks_max_age + 2 * PROPAGATION
    }

    async fn carry_out(
        &self,
        mut material: Option<KeyMaterial>,
        decide: impl Fn(&Look) -> Result<Decision, KeyError>,
    ) -> Result<KeyOutcome, KeyError> {
        let imported = material.is_some();
        for _ in 0..ATTEMPTS {
            let look = self.look().await?;
            let (kid, change) = match decide(&look)? {
                Decision::Keep(kid) => return self.outcome(&kid, false).await,
                Decision::Change { retire, successor } => {
                    self.change(retire, successor, &mut material).await?
                }
            };
            let change = SigningKeyChange { imported, ..change };
            if self.store.change_signing_keys(&look.keys, &change).await? {
                return self.outcome(&kid, true).await;
            }
        }
        Err(KeyError::Contended)
    }

    /// The change to write, and the key that it is about. A key that had to be made is kept in
    /// `material` for a further attempt.
    async fn change(
        &self,
        retire: Option<String>,
        successor: Successor,
        material: &mut Option<KeyMaterial>,
    ) -> Result<(String, SigningKeyChange), KeyError> {
        let mut change = SigningKeyChange { retire, ..SigningKeyChange::default() };
        let mut kid = change.retire.clone();
        match successor {
            Successor::Nobody => {}
            Successor::Activate(next) => {
                kid.get_or_insert_with(|| next.clone());
                change.activate = Some(next);
            }
            Successor::Insert(activates_in) => {
                let made = match material.take() {
                    Some(made) => made,
                    None => create::create().await?,
                };
                let key = material.insert(made).wrap(self.master_keys)?;
                kid.get_or_insert_with(|| key.kid.clone());
                change.insert = Some((key, activates_in));
            }
        }
        Ok((kid.unwrap_or_default(), change))
    }

    async fn outcome(&self, kid: &str, changed: bool) -> Result<KeyOutcome, KeyError> {
        let look = self.look().await?;
        let key = look.life_cycle().key(kid).ok_or_else(|| KeyError::UnknownKid { kid: kid.to_owned() })?;
        Ok(KeyOutcome {
            key: look.report(key),
            active: look.life_cycle().active(look.now).map(|key| look.report(key)),
            changed,
        })
    }

    async fn look(&self) -> Result<Look, KeyError> {
        let (keys, now) = self.store.signing_keys_and_time().await?;
        let of_clients = self.store.longest_client_token_lifetime().await?;
        Ok(Look { keys, now, token_lifetime: self.token_lifetime.max(of_clients) })
    }
}

/// What is stored, and when that was, by the database's clock.
struct Look {
    keys: Vec<SigningKey>,
    now: Timestamp,
    token_lifetime: Duration,
}

impl Look {
    fn life_cycle(&self) -> LifeCycle<'_> {
        LifeCycle::new(&self.keys, self.token_lifetime)
    }

    fn report(&self, key: &SigningKey) -> KeyReport {
        KeyReport {
            kid: key.kid.clone(),
            alg: key.alg.clone(),
            state: self.life_cycle().state(key, self.now),
            created_at: key.created_at,
            activates_at: key.activates_at,
        }
    }
}
