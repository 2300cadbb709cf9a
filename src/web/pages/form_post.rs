use askama::Template;

use crate::protocol::redirect_uri;
use crate::secret::Secret;

/// The script of the page, the only one there is. Its hash stands in the page's policy.
#[cfg(test)]
pub const SUBMIT_SCRIPT: &str = "document.forms[0].submit()";

/// The page that posts an answer to the client (Form Post Response Mode §2): at once by its script, or by its button
/// where there are no scripts.
#[derive(Template)]
#[template(path = "form_post.html")]
pub struct FormPost<'a> {
    /// The redirect URI.
    pub uri: &'a str,
    /// What is posted.
    pub fields: &'a [(&'static str, Secret<String>)],
}

impl FormPost<'_> {
    fn host(&self) -> &str {
        redirect_uri::host_for_display(self.uri)
    }
}
