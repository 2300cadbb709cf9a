//! What Grantor tells its operator while it runs: logs and metrics.

pub mod events;
pub mod logs;
pub mod metrics;
