use std::time::Duration;

use askama::Template;

use super::wait_in_words;

/// `GET /password`: a signed-in person changes the own password.
///
/// The form posts `csrf`, `current_password`, `new_password` and `new_password_again` to `/password`. The field
/// `username` only tells password managers whose password this is: a handler takes the name from the session.
#[derive(Debug, Template)]
#[template(path = "password.html")]
pub struct Password<'a> {
    /// The form's token against cross-site requests, bound to the session.
    pub csrf: &'a str,
    /// Who is signed in.
    pub username: &'a str,
    /// The least number of characters of a password.
    pub min_length: usize,
    /// Why the password is as it was.
    pub problem: Option<PasswordProblem>,
}

/// Why a password was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordProblem {
    /// The current password is another one.
    CurrentNotRecognized,
    /// The new password has fewer characters than it needs.
    TooShort,
    /// The new password has more characters than are accepted.
    TooLong,
    /// The new password is the person's name or address.
    IsTheName,
    /// The new password was not written the same twice.
    NotTheSame,
    /// Too many attempts; the next one counts after this long.
    TooManyAttempts {
        /// From now on.
        wait: Duration,
    },
    /// The form was too old.
    FormExpired,
}

impl PasswordProblem {
    fn title(self) -> &'static str {
        match self {
            Self::CurrentNotRecognized => "That is not the current password.",
            Self::TooShort => "The new password needs a few more characters.",
            Self::TooLong => "The new password is longer than we can keep.",
            Self::IsTheName => "The new password is easy to guess: it is your name or address.",
            Self::NotTheSame => "The two new passwords differ.",
            Self::TooManyAttempts { .. } => "Changing the password is paused for a moment.",
            Self::FormExpired => "This page had been open for a while.",
        }
    }

    fn advice(self) -> String {
        match self {
            Self::CurrentNotRecognized => "Your password is as it was. Please try again.".to_owned(),
            Self::TooShort | Self::TooLong | Self::IsTheName => {
                "Your password is as it was. Please choose another new one.".to_owned()
            }
            Self::NotTheSame => "Your password is as it was. Please write the new one twice.".to_owned(),
            Self::TooManyAttempts { wait } => format!(
                "There were many attempts in a short time. To keep the account safe, the next one is possible in {}.",
                wait_in_words(wait)
            ),
            Self::FormExpired => "Your password is as it was. Please fill in the form once more.".to_owned(),
        }
    }
}

impl Password<'_> {
    fn current_is_invalid(&self) -> bool {
        self.problem == Some(PasswordProblem::CurrentNotRecognized)
    }

    fn new_is_invalid(&self) -> bool {
        use PasswordProblem::{IsTheName, NotTheSame, TooLong, TooShort};
        matches!(self.problem, Some(TooShort | TooLong | IsTheName | NotTheSame))
    }
}
