use askama::Template;

use super::Moment;

/// `GET /account/sessions`, and the answer to a `POST /account/sessions`.
///
/// The form posts `csrf` and either `session`, the identifier of the session to end, or `everywhere_else`.
#[derive(Debug, Template)]
#[template(path = "sessions.html")]
pub struct Sessions<'a> {
    /// The form's token against cross-site requests, bound to the session.
    pub csrf: &'a str,
    /// The living sessions: this one, then those used last.
    pub sessions: &'a [Session<'a>],
    /// Whether there are more than these.
    pub are_more: bool,
    /// What has just come of the form.
    pub outcome: Option<SessionsOutcome>,
}

/// A browser in which the person is signed in.
#[derive(Debug)]
pub struct Session<'a> {
    /// Its session's identifier.
    pub id: String,
    /// Browser and system, in plain words.
    pub device: String,
    /// Where the sign-in came from.
    pub address: Option<&'a str>,
    /// When the person signed in.
    pub signed_in: Moment,
    /// When it was last used.
    pub last_used: Moment,
    /// Whether it is the one that shows the page.
    pub is_this: bool,
}

/// What has come of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionsOutcome {
    /// The session ended.
    Ended,
    /// It had ended before.
    HadEnded,
    /// All sessions but this one ended.
    EndedOthers,
    /// The form was too old, and nothing was done.
    FormExpired,
}

impl SessionsOutcome {
    fn words(self) -> &'static str {
        match self {
            Self::Ended => "Done: that browser is signed out.",
            Self::HadEnded => "That browser had been signed out already.",
            Self::EndedOthers => "Done: you are signed out everywhere else.",
            Self::FormExpired => {
                "This page had been open for a while, so nothing was changed. Please try again."
            }
        }
    }
}

impl Sessions<'_> {
    fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.is_this)
    }
}
