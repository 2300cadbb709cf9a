//! HTTP itself: TLS, limits, slow clients, logs and metrics.

mod limits;
mod log;
mod metrics;
mod slow;
mod tls;
