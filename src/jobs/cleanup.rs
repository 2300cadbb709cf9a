use std::sync::Arc;

use crate::app::Shared;
use crate::store::{Store, StoreError};

/// Rows deleted by one statement: few enough that no lock is held for long.
const BATCH: i64 = 1_000;

/// Batches of one run; what is left waits for the next.
const BATCHES: usize = 50;

/// Deletes what has expired and lies in no partition.
pub async fn run(store: Store, _: Arc<Shared>) -> Result<(), StoreError> {
    for _ in 0..BATCHES {
        let deleted = store.delete_past_sessions(BATCH).await?
            + store.delete_past_revocations(BATCH).await?
            + store.delete_past_attempts(BATCH).await?
            + store.delete_past_client_assertions(BATCH).await?
            + store.delete_past_known_networks(BATCH).await?
            + store.delete_past_set_password_links(BATCH).await?;
        if deleted == 0 {
            break;
        }
    }
    Ok(())
}
