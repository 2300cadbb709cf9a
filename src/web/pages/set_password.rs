use askama::Template;

/// `GET /password/set`: a one-time link lets a person choose a password.
///
/// The form posts `csrf`, `token`, `new_password` and `new_password_again` to `/password/set`. The field `username`
/// only tells password managers whose password this is: a handler takes the account from the token.
#[derive(Debug, Template)]
#[template(path = "set_password.html")]
pub struct SetPassword<'a> {
    /// The form's token against cross-site requests.
    pub csrf: &'a str,
    /// The one-time token of the link.
    pub token: &'a str,
    /// Whose password is set.
    pub username: &'a str,
    /// The least number of characters of a password.
    pub min_length: usize,
    /// Why the password was not set.
    pub problem: Option<SetPasswordProblem>,
}

/// Why a password was not set; the link still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetPasswordProblem {
    /// The password has fewer characters than it needs.
    TooShort,
    /// The password has more characters than are accepted.
    TooLong,
    /// The password is the person's name or address.
    IsTheName,
    /// The password was not written the same twice.
    NotTheSame,
    /// The form was too old.
    FormExpired,
}

impl SetPasswordProblem {
    fn title(self) -> &'static str {
        match self {
            Self::TooShort => "The password needs a few more characters.",
            Self::TooLong => "The password is longer than we can keep.",
            Self::IsTheName => "The password is easy to guess: it is your name or address.",
            Self::NotTheSame => "The two passwords differ.",
            Self::FormExpired => "This page had been open for a while.",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::TooShort | Self::TooLong | Self::IsTheName => {
                "Please choose another one; your link still works."
            }
            Self::NotTheSame => "Please write the same one twice; your link still works.",
            Self::FormExpired => "Nothing is lost: please fill in the form once more.",
        }
    }
}

impl SetPassword<'_> {
    fn new_is_invalid(&self) -> bool {
        self.problem.is_some_and(|problem| problem != SetPasswordProblem::FormExpired)
    }
}
