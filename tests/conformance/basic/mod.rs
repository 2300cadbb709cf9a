//! `oidcc-basic-certification-test-plan`, and `oidcc-formpost-basic-certification-test-plan`, which is the same list
//! with `response_mode=form_post`: each test runs for both.

mod codes;
mod refusals;
mod requests;
mod responses;
mod scopes;
mod sessions;
