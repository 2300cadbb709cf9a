//! HTTP itself: TLS, limits, other sites' scripts, slow clients, logs and metrics.

mod cors;
mod documents;
mod limits;
mod log;
mod metrics;
mod rates;
mod slow;
mod tls;
