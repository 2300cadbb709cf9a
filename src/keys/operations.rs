//! What operators, and the server at its first start, do to the signing keys.
//!
//! Each operation looks, decides and writes under a guard; if others changed the keys in between, it
//! looks again.

use std::time::Duration;

use super::key_material::KeyMaterial;
use super::look::{KeyReport, Look};
use super::plan::{self, Decision, Successor};
use super::{KeyError, MasterKeys, create, import};
use crate::jose::{Algorithm, PublicJwk};
use crate::model::{SigningKey, SigningKeyChange};
use crate::store::Store;
use crate::time::Timestamp;

/// How often an operation looks again before it gives up.
const ATTEMPTS: usize = 20;

/// How long a running process may take to notice a new key: it looks every half second, and may miss a look.
const PROPAGATION: Duration = Duration::from_secs(2);

/// What an operation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOutcome {
    /// The key that the operation was about.
    pub key: KeyReport,
    /// The key that signs now with the same algorithm.
    pub active: Option<KeyReport>,
    /// The key that signed with it before.
    pub signed_before: Option<KeyReport>,
    /// When that was, by the database's clock.
    pub at: Timestamp,
    /// `false` if everything was as asked for already.
    pub changed: bool,
}

/// The operations, with what they need.
#[derive(Debug, Clone, Copy)]
pub struct KeyOperations<'a> {
    pub(super) store: &'a Store,
    master_keys: &'a MasterKeys,
    jwks_max_age: Duration,
    pub(super) token_lifetime: Duration,
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

    /// The public parts of the keys that are published, or of this key, wherever it is in its life.
    ///
    /// # Errors
    /// [`KeyError::UnknownKid`], or if the database fails or holds an unusable key.
    pub async fn public_keys(&self, kid: Option<&str>) -> Result<Vec<PublicJwk>, KeyError> {
        let look = self.look().await?;
        let keys: Vec<&SigningKey> = match kid {
            Some(kid) => vec![look.key(kid)?],
            None => Algorithm::ALL.iter().flat_map(|alg| look.life_cycle(*alg).published(look.now)).collect(),
        };
        Ok(keys.into_iter().map(|key| PublicJwk::from_json(&key.public_jwk)).collect::<Result<_, _>>()?)
    }

    /// Makes the first key for `alg` if there is none that signs. It signs at once. Of several processes that
    /// do this at once, one makes it.
    ///
    /// # Errors
    /// If the database fails or no key can be made.
    pub async fn ensure(&self, alg: Algorithm) -> Result<KeyOutcome, KeyError> {
        self.carry_out(alg, None, |look| Ok(plan::first(look.life_cycle(alg), look.now, Duration::ZERO)))
            .await
    }

    /// Publishes the first key for `alg` ahead of its use. If there is one, that one is the answer.
    ///
    /// # Errors
    /// If the database fails or no key can be made.
    pub async fn create(&self, alg: Algorithm) -> Result<KeyOutcome, KeyError> {
        let ahead = self.publish_ahead();
        self.carry_out(alg, None, |look| Ok(plan::first(look.life_cycle(alg), look.now, ahead))).await
    }

    /// Publishes the next key, which signs when every cache can have it. If one waits already, that
    /// one is the answer.
    ///
    /// # Errors
    /// If the database fails or no key can be made.
    pub async fn rotate(&self, alg: Algorithm) -> Result<KeyOutcome, KeyError> {
        let ahead = self.publish_ahead();
        self.carry_out(alg, None, |look| Ok(plan::rotate(look.life_cycle(alg), look.now, ahead))).await
    }

    /// Signs with another key at once and keeps the old one published. Verifiers that do not fetch an
    /// unknown key refuse new tokens until their caches expire.
    ///
    /// # Errors
    /// If the database fails or no key can be made.
    pub async fn rotate_now(&self, alg: Algorithm) -> Result<KeyOutcome, KeyError> {
        self.carry_out(alg, None, |look| Ok(plan::rotate_now(look.life_cycle(alg), look.now))).await
    }

    /// Withdraws a key at once: tokens that it signed are no longer valid.
    ///
    /// # Errors
    /// [`KeyError::UnknownKid`], or if the database fails or no key can be made.
    pub async fn retire(&self, kid: &str) -> Result<KeyOutcome, KeyError> {
        let alg = self.look().await?.key(kid)?.alg;
        self.carry_out(alg, None, |look| plan::retire(look.life_cycle(alg), look.now, kid)).await
    }

    /// Takes an operator's key from PEM, which then signs as after [`Self::rotate`] or, `at_once`,
    /// [`Self::rotate_now`]. Without an `alg` it is the first that fits the key.
    ///
    /// # Errors
    /// [`KeyError::Import`] if the key is not fit, [`KeyError::AlreadyStored`], [`KeyError::NextExists`],
    /// or if the database fails.
    pub async fn import(
        &self,
        pem: &str,
        alg: Option<Algorithm>,
        at_once: bool,
    ) -> Result<KeyOutcome, KeyError> {
        let material = import::import(pem, alg)?;
        let (kid, alg) = (material.kid().to_owned(), material.alg());
        let activates_in = if at_once { Duration::ZERO } else { self.publish_ahead() };
        self.carry_out(alg, Some(material), |look| {
            if let Ok(key) = look.key(&kid) {
                let state = look.life_cycle(key.alg).state(key, look.now);
                return Err(KeyError::AlreadyStored { kid: kid.clone(), state });
            }
            plan::import(look.life_cycle(alg), look.now, activates_in)
        })
        .await
    }

    /// The JWK Set's age in caches, and twice the time in which processes notice: the last to publish
    /// the key may do so when the first cache has just been filled by it.
    pub fn publish_ahead(&self) -> Duration {
        self.jwks_max_age + 2 * PROPAGATION
    }

    async fn carry_out(
        &self,
        alg: Algorithm,
        mut material: Option<KeyMaterial>,
        decide: impl Fn(&Look) -> Result<Decision, KeyError>,
    ) -> Result<KeyOutcome, KeyError> {
        let imported = material.is_some();
        for _ in 0..ATTEMPTS {
            let look = self.look().await?;
            let signed_before = look.life_cycle(alg).active(look.now).map(|key| key.kid.clone());
            let (kid, change) = match decide(&look)? {
                Decision::Keep(kid) => return self.outcome(&kid, signed_before.as_deref(), false).await,
                Decision::Change { retire, successor } => {
                    self.change(alg, retire, successor, &mut material).await?
                }
            };
            let change = SigningKeyChange { imported, ..change };
            if self.store.change_signing_keys(&look.keys, &change).await? {
                return self.outcome(&kid, signed_before.as_deref(), true).await;
            }
        }
        Err(KeyError::Contended)
    }

    /// The change to write, and the key that it is about. A key that had to be made is kept in
    /// `material` for a further attempt.
    async fn change(
        &self,
        alg: Algorithm,
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
                    None => create::create(alg).await?,
                };
                let key = material.insert(made).wrap(self.master_keys)?;
                kid.get_or_insert_with(|| key.kid.clone());
                change.insert = Some((key, activates_in));
            }
        }
        Ok((kid.unwrap_or_default(), change))
    }

    async fn outcome(
        &self,
        kid: &str,
        signed_before: Option<&str>,
        changed: bool,
    ) -> Result<KeyOutcome, KeyError> {
        let look = self.look().await?;
        let key = look.key(kid)?;
        Ok(KeyOutcome {
            key: look.report(key),
            active: look.life_cycle(key.alg).active(look.now).map(|key| look.report(key)),
            signed_before: signed_before.and_then(|kid| Some(look.report(look.key(kid).ok()?))),
            at: look.now,
            changed,
        })
    }

    pub(super) async fn look(&self) -> Result<Look, KeyError> {
        let (keys, now) = self.store.signing_keys_and_time().await?;
        let of_clients = self.store.longest_client_token_lifetime().await?;
        Ok(Look { keys, now, token_lifetime: self.token_lifetime.max(of_clients) })
    }
}
