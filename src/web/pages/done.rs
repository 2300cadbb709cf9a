use askama::Template;

use super::Link;

/// Something was done, for example a password set.
#[derive(Debug, Template)]
#[template(path = "done.html")]
pub struct Done<'a> {
    /// What was done.
    pub title: &'a str,
    /// What that means for the person.
    pub message: &'a str,
    /// Where to go on.
    pub link: Option<Link<'a>>,
}
