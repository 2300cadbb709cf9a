use std::time::Duration;

use askama::Template;

use super::{AboutApp, wait_in_words};

/// `GET /sign-in`, and the answer to a `POST /sign-in` that did not sign anybody in.
///
/// The form posts `csrf`, `request`, `return_to`, `username` and `password` to `/sign-in`.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn<'a> {
    /// The form's token against cross-site requests.
    pub csrf: &'a str,
    /// The sealed authorization request that waits for the sign-in.
    pub request: Option<&'a str>,
    /// The name of the app that asked for the sign-in.
    pub app: Option<&'a str>,
    /// What else is known of the app.
    pub about: &'a AboutApp<'a>,
    /// The name of the own page to go on to, where no app has asked.
    pub return_to: Option<&'a str>,
    /// What stands in the field already; empty: nothing.
    pub username: &'a str,
    /// Why somebody who is signed in sees the form.
    pub reason: Option<SignInReason>,
    /// Why the person sees the form again.
    pub problem: Option<SignInProblem>,
}

/// Why an app has somebody sign in who is signed in already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInReason {
    /// It wants to be sure that it is still the same person.
    StillYou,
    /// It asks for another person's account. The page names neither of the two.
    AnotherAccount,
}

/// Why nobody was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInProblem {
    /// No such account, a wrong password or a disabled account: one text, so that nobody learns which.
    NotRecognized,
    /// Too many attempts; the next one counts after this long.
    TooManyAttempts {
        /// From now on.
        wait: Duration,
    },
    /// The form or its cookie was too old or absent.
    FormExpired,
}

impl SignInProblem {
    fn title(self) -> &'static str {
        match self {
            Self::NotRecognized => "That username and password did not match.",
            Self::TooManyAttempts { .. } => "Sign-in is paused for a moment.",
            Self::FormExpired => "This page had been open for a while.",
        }
    }

    fn advice(self) -> String {
        match self {
            Self::NotRecognized => {
                "Please check both and try again. Capital letters matter in the password.".to_owned()
            }
            Self::TooManyAttempts { wait } => format!(
                "There were many attempts in a short time. To keep the account safe, the next one is possible in {}.",
                wait_in_words(wait)
            ),
            Self::FormExpired => {
                "Nothing is lost: please sign in now. If you see this again, allow cookies for \
                                  this site."
                    .to_owned()
            }
        }
    }

    /// Whether the values of the fields were the reason.
    fn is_about_fields(self) -> bool {
        self == Self::NotRecognized
    }
}

impl SignIn<'_> {
    fn fields_are_invalid(&self) -> bool {
        self.problem.is_some_and(SignInProblem::is_about_fields)
    }
}
