//! What signing keys need from time to time, without a hand.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{KeyError, KeyOperations, KeyOutcome, plan};
use crate::jose::Algorithm;
use crate::model::SigningKeyChange;
use crate::time::Timestamp;

impl KeyOperations<'_> {
    /// What has to be done from time to time, by whichever process: there is a key for each algorithm that
    /// clients are registered for, a key that has signed for `rotate_every` gets a successor, and the private
    /// parts of keys are erased that are retired by the database's clock and, since there is no way back, by `now`.
    /// What was changed; the names of erased keys.
    ///
    /// # Errors
    /// If the database fails or no key can be made.
    pub async fn maintain(
        &self,
        rotate_every: Option<Duration>,
        now: Timestamp,
    ) -> Result<(Vec<KeyOutcome>, Vec<String>), KeyError> {
        self.store.remember_token_lifetimes(self.token_lifetime).await?;
        let look = self.look().await?;
        let mut outcomes = Vec::new();
        for alg in self.needed_algorithms().await? {
            if look.life_cycle(alg).active(look.now).is_none() {
                outcomes.push(self.ensure(alg).await?);
            }
        }
        for alg in Algorithm::ALL {
            let is_due = |every| plan::is_due(look.life_cycle(alg), look.now, every, self.publish_ahead());
            if rotate_every.is_some_and(is_due) {
                outcomes.push(self.rotate(alg).await?);
            }
        }
        outcomes.retain(|outcome| outcome.changed);
        Ok((outcomes, self.erase_retired(now).await?))
    }

    /// RS256, which OpenID Connect Core §15.1 obliges to, and what clients are registered for.
    async fn needed_algorithms(&self) -> Result<BTreeSet<Algorithm>, KeyError> {
        let mut needed = BTreeSet::from_iter(self.store.registered_algorithms().await?);
        needed.insert(Algorithm::default());
        Ok(needed)
    }

    /// If others change the keys meanwhile, it is for the next time.
    async fn erase_retired(&self, now: Timestamp) -> Result<Vec<String>, KeyError> {
        let look = self.look().await?;
        let retired = |alg| plan::to_erase(look.life_cycle(alg), look.now.min(now));
        let erase: Vec<String> = Algorithm::ALL.into_iter().flat_map(retired).collect();
        if erase.is_empty() {
            return Ok(erase);
        }
        let change = SigningKeyChange { erase: erase.clone(), ..SigningKeyChange::default() };
        let erased = self.store.change_signing_keys(&look.keys, &change).await?;
        Ok(if erased { erase } else { Vec::new() })
    }
}
