//! Pages: each is a struct of plain data in `x.rs` and its template in `x.html` beside it.
//!
//! Templates are checked when the program is built and escape every value; none needs JavaScript, and one has a little.
//! Texts name no fault of the person and say what happens next.

mod about_app;
mod account;
mod apps;
mod consent;
mod demo;
mod done;
mod error;
mod form_post;
mod moment;
mod password;
mod select_account;
mod sessions;
mod set_password;
mod sign_in;
mod sign_out;
mod signed_out;
mod start;
mod withdraw;
mod wrong_address;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use about_app::{AboutApp, Logo};
pub use account::Account;
pub use apps::{App, Apps};
pub use askama::Template;
pub use consent::{Consent, Destination, LeftOutScope, RequestedResource, RequestedScope};
pub use demo::Demo;
pub use done::Done;
pub use error::ErrorPage;
pub use form_post::FormPost;
#[cfg(test)]
pub use form_post::SUBMIT_SCRIPT;
pub use moment::Moment;
pub use password::{Password, PasswordProblem};
pub use select_account::SelectAccount;
pub use sessions::{Session, Sessions, SessionsOutcome};
pub use set_password::{SetPassword, SetPasswordProblem};
pub use sign_in::{SignIn, SignInProblem, SignInReason};
pub use sign_out::SignOut;
pub use signed_out::SignedOut;
pub use start::Start;
pub use withdraw::Withdraw;
pub use wrong_address::WrongAddress;

/// The name at the top of each page and in each title.
pub const SERVICE_NAME: &str = "Grantor";

/// A place to go on to.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The URL.
    pub href: &'a str,
    /// What the link says.
    pub text: &'a str,
}

/// What stands in the circle beside a person's name: its first letter or digit.
fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "·".to_owned(), |c| c.to_uppercase().collect())
}

/// How long to wait, as a person would say it; never shorter than it is.
fn wait_in_words(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    match seconds {
        0..=60 => "a minute".to_owned(),
        61..=3540 => format!("{} minutes", seconds.div_ceil(60)),
        3541..=3600 => "an hour".to_owned(),
        _ => format!("{} hours", seconds.div_ceil(3600)),
    }
}
