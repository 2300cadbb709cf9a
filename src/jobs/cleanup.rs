use std::sync::Arc;

use super::logout_deliveries::kept_since;
use crate::app::Shared;
use crate::store::{Store, StoreError};
use crate::telemetry::events;
use crate::time::Timestamp;

/// Rows deleted by one statement: few enough that no lock is held for long.
const BATCH: i64 = 1_000;

/// Batches of one run; what is left waits for the next.
const BATCHES: usize = 50;

/// Deletes what has expired and lies in no partition. What is deleted does not come back when a clock that jumped
/// is set right, and a revocation that is forgotten is undone: so it must be past by both clocks.
pub async fn run(store: Store, shared: Arc<Shared>) -> Result<(), StoreError> {
    let now = shared.registry.earlier_time(Timestamp::now());
    expire_clients(&store, &shared, now).await?;
    for _ in 0..BATCHES {
        let deleted = [
            ("session", store.delete_past_sessions(BATCH, now).await?),
            ("revocation", store.delete_past_revocations(BATCH, now).await?),
            ("sign_in_attempt", store.delete_past_attempts(BATCH, now).await?),
            ("client_assertion", store.delete_past_client_assertions(BATCH, now).await?),
            ("known_network", store.delete_past_known_networks(BATCH, now).await?),
            ("set_password_link", store.delete_past_set_password_links(BATCH, now).await?),
            ("initial_access_token", store.delete_past_initial_access_tokens(BATCH, now).await?),
            ("logout_delivery", store.delete_past_logout_deliveries(BATCH, kept_since(now)).await?),
        ];
        for (kind, rows) in deleted {
            events::rows_cleaned_up(kind, rows);
        }
        if deleted.iter().all(|(_, rows)| *rows == 0) {
            break;
        }
    }
    Ok(())
}

/// Clients that registered themselves and that nobody has used for long.
async fn expire_clients(store: &Store, shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
    let Some(lifetime) = shared.config.registration.unused_client_lifetime else { return Ok(()) };
    store.note_unused_clients().await?;
    for _ in 0..BATCHES {
        let deleted = store.delete_unused_clients(lifetime, BATCH, now).await?;
        events::rows_cleaned_up("client", deleted);
        if deleted == 0 {
            break;
        }
    }
    Ok(())
}
