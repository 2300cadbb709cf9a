use std::sync::Arc;
use std::time::Duration;

use crate::app::Shared;
use crate::config;
use crate::keys::{KeyError, KeyOperations};
use crate::store::Store;
use crate::time::Timestamp;

/// Often enough to be punctual, and no oftener than a rotation in minutes asks for.
pub fn interval(keys: &config::Keys) -> Duration {
    let tenth = keys.rotate_every.map_or(Duration::MAX, |every| every / 10);
    tenth.clamp(Duration::from_secs(1), Duration::from_secs(60))
}

/// Lets signing keys go through their lives without a hand.
pub async fn maintain(store: Store, shared: Arc<Shared>) -> Result<(), KeyError> {
    let config = &shared.config;
    let operations = KeyOperations::new(
        &store,
        &shared.master_keys,
        config.keys.jwks_max_age,
        config.tokens.longest_signed_lifetime(),
    );
    let now = shared.registry.earlier_time(Timestamp::now());
    let (changed, erased) = operations.maintain(config.keys.rotate_every, now).await?;
    for outcome in changed {
        let key = outcome.key;
        tracing::info!(kid = key.kid, alg = %key.alg, activates_at = %key.activates_at, "signing key published");
    }
    for kid in erased {
        tracing::info!(kid, "the private part of a retired signing key was erased");
    }
    Ok(())
}
