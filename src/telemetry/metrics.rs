//! Metrics in Prometheus' text format.
//!
//! A label's value is always a `&'static str` out of the source code (a route's pattern, a grant type, an error code),
//! never something that a request holds: else anybody could make as many series as they like.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

use super::durations;

/// Histogram of seconds per request, by `route`, `method` and `status` (see [`status_class`]).
pub const HTTP_REQUEST_DURATION: &str = "grantor_http_request_duration_seconds";
/// Counter of access tokens issued, by `grant_type`.
pub const TOKENS_ISSUED: &str = "grantor_tokens_issued_total";
/// Counter of errors of the token endpoint, by `error` (RFC 6749 §5.2).
pub const TOKEN_ERRORS: &str = "grantor_token_errors_total";
/// Counter of attempts to sign in, by `outcome`.
pub const SIGN_INS: &str = "grantor_sign_ins_total";
/// Counter of grants that were ended because an old refresh token or a used code came back.
pub const REUSE_DETECTED: &str = "grantor_reuse_detected_total";
/// Gauge of password hashes that wait for a thread.
pub const PASSWORD_HASHES_WAITING: &str = "grantor_password_hashes_waiting";
/// Counter of refusals that are not in the audit log, since there were too many.
pub const AUDIT_EVENTS_LEFT_OUT: &str = "grantor_audit_events_left_out_total";
/// Counter of attempts to tell an app that a session has ended, by `outcome`.
pub const LOGOUT_DELIVERIES: &str = "grantor_logout_deliveries_total";
/// Gauge of apps that are still to be told that a session has ended.
pub const LOGOUT_DELIVERIES_WAITING: &str = "grantor_logout_deliveries_waiting";
/// Gauge of how long the oldest of them has waited, in seconds.
pub const LOGOUT_DELIVERIES_OLDEST: &str = "grantor_logout_deliveries_oldest_seconds";
/// Counter of runs of jobs, by `job` and `outcome`; a process that does not hold a job's lease does not run it.
pub const JOB_RUNS: &str = "grantor_job_runs_total";
/// Counter of rows that were deleted since their time had passed, by `kind`.
pub const ROWS_CLEANED_UP: &str = "grantor_rows_cleaned_up_total";
/// Counter of requests that were not handled, by `reason`.
pub const REQUESTS_REFUSED: &str = "grantor_requests_refused_total";
/// Counter of requests that got no database connection in time, by `database.acquire_timeout`.
pub const DATABASE_POOL_TIMEOUTS: &str = "grantor_database_pool_timeouts_total";
/// Counter of statements and transactions that the database gave up for another's sake and that were done again.
pub const DATABASE_RETRIES: &str = "grantor_database_retries_total";

/// The metrics of this process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts recording, for the whole process and once.
    ///
    /// # Errors
    /// If something else in this process records already.
    pub fn install() -> Result<Self, BuildError> {
        let handle = PrometheusBuilder::new().install_recorder()?;
        describe();
        Ok(Self(handle))
    }

    /// All metrics in Prometheus' text format.
    pub fn render(&self) -> String {
        let mut text = self.0.render();
        durations::render(HTTP_REQUEST_DURATION, "Time to answer a request", &mut text);
        text
    }
}

fn describe() {
    describe_counter!(TOKENS_ISSUED, "Access tokens issued");
    describe_counter!(TOKEN_ERRORS, "Errors of the token endpoint");
    describe_counter!(SIGN_INS, "Attempts to sign in");
    describe_counter!(REUSE_DETECTED, "Grants ended because an old refresh token or a used code came back");
    describe_gauge!(PASSWORD_HASHES_WAITING, "Password hashes that wait for a thread");
    describe_counter!(LOGOUT_DELIVERIES, "Attempts to tell an app that a session has ended");
    describe_gauge!(LOGOUT_DELIVERIES_WAITING, "Apps that are still to be told that a session has ended");
    describe_gauge!(LOGOUT_DELIVERIES_OLDEST, Unit::Seconds, "How long the oldest of these has waited");
    describe_counter!(JOB_RUNS, "Runs of jobs");
    describe_counter!(ROWS_CLEANED_UP, "Rows deleted since their time had passed");
    describe_counter!(REQUESTS_REFUSED, "Requests that were refused before or instead of being handled");
    describe_counter!(DATABASE_POOL_TIMEOUTS, "Requests that got no database connection in time");
    describe_counter!(
        DATABASE_RETRIES,
        "Statements and transactions done again that the database had given up"
    );
    describe_counter!(AUDIT_EVENTS_LEFT_OUT, "Refusals not in the audit log, since there were too many");
    // An alert on a counter needs to see it at zero before it rises.
    counter!(REUSE_DETECTED).absolute(0);
    counter!(DATABASE_POOL_TIMEOUTS).absolute(0);
    counter!(DATABASE_RETRIES).absolute(0);
    counter!(AUDIT_EVENTS_LEFT_OUT).absolute(0);
    for outcome in ["delivered", "failed", "given_up"] {
        counter!(LOGOUT_DELIVERIES, "outcome" => outcome).absolute(0);
    }
}

/// A request was answered after so long. `status` is a [`status_class`].
pub fn request_answered(route: &'static str, method: &'static str, status: &'static str, elapsed: Duration) {
    durations::count([route, method, status], elapsed);
}

/// The class of a status code, for the label `status`.
pub const fn status_class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_rendered_with_description_buckets_and_labels() {
        let metrics = Metrics::install().unwrap();
        counter!(TOKENS_ISSUED, "grant_type" => "client_credentials").increment(2);
        request_answered("/token", "POST", status_class(201), Duration::from_millis(2));
        let text = metrics.render();
        for line in [
            "# HELP grantor_tokens_issued_total Access tokens issued",
            "grantor_tokens_issued_total{grant_type=\"client_credentials\"} 2",
            "grantor_http_request_duration_seconds_bucket{route=\"/token\",method=\"POST\",status=\"2xx\",le=\"0.0025\"} 1",
            "grantor_reuse_detected_total 0",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
        assert!(Metrics::install().is_err(), "a second recorder would split the numbers");
    }
}
