//! What Grantor tells its operator while it runs: logs and metrics.

mod durations;
pub mod events;
pub mod logs;
pub mod metrics;
