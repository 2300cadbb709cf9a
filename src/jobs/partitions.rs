use std::sync::Arc;

use crate::app::Shared;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// Makes the partitions to come, as far as this process's lifetimes reach.
pub async fn ensure(store: Store, shared: Arc<Shared>) -> Result<(), StoreError> {
    store.ensure_partitions(shared.config.tokens.refresh_absolute_lifetime).await
}

/// Drops the past ones.
pub async fn drop_past(store: Store, shared: Arc<Shared>) -> Result<(), StoreError> {
    let now = shared.registry.earlier_time(Timestamp::now());
    let dropped = store.drop_past_partitions(shared.config.audit.retention, now).await?;
    if dropped > 0 {
        tracing::info!(dropped, "past partitions dropped");
    }
    Ok(())
}
