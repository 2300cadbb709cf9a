use crate::app::Shared;
use crate::clients::Beat;
use crate::keys::KeyError;
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
    /// One look. Whether an app is to be told now that a session has ended.
    pub async fn beat(&mut self, store: &Store, shared: &Shared) -> bool {
        let mut is_due = false;
        match tokio::time::timeout(LONGEST_LOOK, shared.registry.beat(store)).await {
            Ok(Ok(Beat { changed, logout_is_due })) => {
                self.keys_are_old |= changed;
                is_due = logout_is_due;
                self.tell_return();
            }
            Ok(Err(error)) => self.tell_away(&error),
            Err(late) => self.tell_away(&late),
        }
        if self.keys_are_old {
            self.read_keys(store, shared).await;
        }
        self.tell_skew(shared);
        is_due
    }

    /// Keys that cannot be read may be new ones, which others sign with, or old ones that were withdrawn: who knows
    /// neither should get no more traffic.
    async fn read_keys(&mut self, store: &Store, shared: &Shared) {
        let reload = shared.keys.reload(store, shared.registry.database_time());
        match tokio::time::timeout(LONGEST_LOOK, reload).await {
            Ok(Ok(())) => {
                self.keys_are_old = false;
                if shared.set_keys_are_unreadable(false) {
                    tracing::info!("the signing keys can be read again");
                }
            }
            // That is no matter of the keys.
            Err(late) => self.tell_away(&late),
            Ok(Err(KeyError::Store(error))) => self.tell_away(&error),
            Ok(Err(error)) => {
                if shared.set_keys_are_unreadable(true) {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(
                        error,
                        "the signing keys cannot be read; the old ones stay in use until they can"
                    );
                }
            }
        }
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
