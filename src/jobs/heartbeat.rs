use crate::app::Shared;
use crate::store::Store;

/// Looks at the installation's version and reloads what has changed. Keys that could not be read are tried
/// again at every beat.
pub struct Heart {
    keys_are_old: bool,
    is_away: bool,
    skew_is_told: bool,
}

/// From here on the clocks' difference is worth a warning.
const NOTABLE_SKEW: std::time::Duration = std::time::Duration::from_secs(5);

impl Default for Heart {
    fn default() -> Self {
        // The keys were read before the version: a change in between would go unnoticed.
        Self { keys_are_old: true, is_away: false, skew_is_told: false }
    }
}

/// A look that takes longer has failed; so is one on a connection that leads nowhere.
const LONGEST_LOOK: std::time::Duration = std::time::Duration::from_secs(2);

impl Heart {
    /// One look.
    pub async fn beat(&mut self, store: &Store, shared: &Shared) {
        match tokio::time::timeout(LONGEST_LOOK, shared.registry.beat(store)).await {
            Ok(Ok(changed)) => {
                self.keys_are_old |= changed;
                self.tell_return();
            }
            Ok(Err(error)) => self.tell_away(&error),
            Err(late) => self.tell_away(&late),
        }
        if self.keys_are_old {
            let now = shared.registry.database_time();
            let reload = shared.keys.reload(store, now);
            match tokio::time::timeout(LONGEST_LOOK, reload).await {
                Ok(Ok(())) => self.keys_are_old = false,
                Err(_) => tracing::error!("the signing keys could not be read in time"),
                Ok(Err(error)) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the signing keys could not be read; the old ones stay in use until they can"
                ),
            }
        }
        self.tell_skew(shared);
    }

    fn tell_away(&mut self, error: &dyn std::error::Error) {
        if !self.is_away {
            tracing::error!(error = error.to_string(), "the database does not answer; trying on");
        }
        self.is_away = true;
    }

    fn tell_return(&mut self) {
        if self.is_away {
            tracing::info!("the database answers again");
        }
        self.is_away = false;
    }

    fn tell_skew(&mut self, shared: &Shared) {
        let skew = shared.registry.clock_skew();
        let notable = skew > NOTABLE_SKEW;
        if notable && !self.skew_is_told {
            tracing::warn!(seconds = skew.as_secs_f64(), "this clock and the database's are apart");
        }
        self.skew_is_told = notable;
    }
}
