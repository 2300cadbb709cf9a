//! What an operator must see: each event is a line in the log and a count.

use metrics::counter;

use super::metrics::{
    JOB_RUNS, LOGOUT_DELIVERIES, REUSE_DETECTED, ROWS_CLEANED_UP, SIGN_INS, TOKEN_ERRORS, TOKENS_ISSUED,
};

/// An old refresh token came back, and its grant was ended (RFC 9700 §4.14.2).
pub fn refresh_token_reused(client_id: &str, grant_id: &dyn std::fmt::Display) {
    counter!(REUSE_DETECTED).increment(1);
    tracing::warn!(event = "refresh_token_reused", client_id, %grant_id, "grant ended: a refresh token was used again");
}

/// A code came back, and its grant was ended (RFC 6749 §4.1.2).
pub fn authorization_code_reused(client_id: &str, grant_id: &dyn std::fmt::Display) {
    counter!(REUSE_DETECTED).increment(1);
    tracing::warn!(event = "authorization_code_reused", client_id, %grant_id, "grant ended: a code was used again");
}

/// A client assertion came for the second time (RFC 7523 §3).
pub fn client_assertion_replayed(client_id: &str) {
    tracing::warn!(
        event = "client_assertion_replayed",
        client_id,
        "refused: a client assertion was used again"
    );
}

/// Tokens were issued.
pub fn tokens_issued(grant_type: &'static str) {
    counter!(TOKENS_ISSUED, "grant_type" => grant_type).increment(1);
}

/// An endpoint refused a request. `source` is what only the log may show.
pub fn request_refused(
    code: &'static str,
    description: &str,
    source: Option<&(dyn std::error::Error + 'static)>,
) {
    counter!(TOKEN_ERRORS, "error" => code).increment(1);
    match source {
        Some(source) => tracing::error!(code, description, error = source, "request failed"),
        None => tracing::info!(code, description, "request refused"),
    }
}

/// An attempt to sign in, and what came of it.
pub fn signed_in(outcome: &'static str) {
    counter!(SIGN_INS, "outcome" => outcome).increment(1);
    tracing::info!(event = "sign_in", outcome, "sign-in");
}

/// What came as an `id_token_hint` is none, or none of ours.
pub fn id_token_hint_refused(error: &(dyn std::error::Error + 'static)) {
    tracing::info!(
        event = "id_token_hint_refused",
        error,
        "refused: the id_token_hint is no ID token of ours"
    );
}

/// An app was told that a session has ended (OpenID Connect Back-Channel Logout §2.5).
pub fn logout_delivered() {
    counter!(LOGOUT_DELIVERIES, "outcome" => "delivered").increment(1);
}

/// It was not, and is told again.
pub fn logout_not_delivered(client_id: &str, attempt: i32, reason: &str) {
    counter!(LOGOUT_DELIVERIES, "outcome" => "failed").increment(1);
    tracing::info!(
        event = "logout_not_delivered",
        client_id,
        attempt,
        reason,
        "a logout token did not arrive"
    );
}

/// It was not, and is told no more.
pub fn logout_given_up(client_id: &str, delivery: &dyn std::fmt::Display, reason: &str) {
    counter!(LOGOUT_DELIVERIES, "outcome" => "given_up").increment(1);
    tracing::warn!(
        event = "logout_given_up",
        client_id,
        %delivery,
        reason,
        "given up: an app does not learn that a session has ended"
    );
}

/// A job of this process that has not run yet: its series are there from the start.
pub fn job_scheduled(job: &'static str) {
    for outcome in ["done", "failed"] {
        counter!(JOB_RUNS, "job" => job, "outcome" => outcome).absolute(0);
    }
}

/// A job has done its work for now.
pub fn job_done(job: &'static str) {
    counter!(JOB_RUNS, "job" => job, "outcome" => "done").increment(1);
}

/// A job has not, and runs again.
pub fn job_failed(job: &'static str, error: &(dyn std::error::Error + 'static)) {
    counter!(JOB_RUNS, "job" => job, "outcome" => "failed").increment(1);
    tracing::warn!(job, error, "job failed; it runs again");
}

/// Rows were deleted since their time had passed.
pub fn rows_cleaned_up(kind: &'static str, rows: u64) {
    counter!(ROWS_CLEANED_UP, "kind" => kind).increment(rows);
}
