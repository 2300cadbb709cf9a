use askama::Template;

use super::Link;

/// An error that is shown here and not to the client.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// What happened, in plain words.
    pub title: &'a str,
    /// Why.
    pub message: &'a str,
    /// What to do now.
    pub next_step: &'a str,
    /// The error code of the specification, for whoever has to help (RFC 6749 §4.1.2.1).
    pub code: Option<&'a str>,
    /// Finds the request in the log.
    pub request_id: Option<&'a str>,
    /// Where to go on.
    pub link: Option<Link<'a>>,
}
