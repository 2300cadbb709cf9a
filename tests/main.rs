//! All integration tests: over real HTTP, against the real binary, each with a database of its own.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests speak for themselves, and a failed step is a failed test"
)]

mod account_commands;
mod administration;
mod architecture;
mod audit;
mod cli;
mod configuration;
mod conformance;
mod deletion;
mod demo;
mod embedded;
mod faults {
    mod checker;
    mod checker_tests;
    mod history;
}
mod fuzz;
mod growth;
#[allow(dead_code, reason = "its program uses the rest")]
mod guard {
    mod budget;
    mod budget_tests;
    mod callgrind;
    mod callgrind_tests;
    mod cost;
}
mod harness;
mod http;
mod keys;
mod oauth;
mod openid;
mod pages;
mod races;
mod refresh;
mod registration;
mod rfc_map;
mod round_trips;
mod serializable;
mod serve;
mod smoke;
mod withdrawal;
mod wrong_clock;
