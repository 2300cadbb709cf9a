use askama::Template;

/// `GET /sign-out` and `GET /logout/confirm`: asks before the session ends, so that no other site can end it.
///
/// The form posts `csrf` and the hidden fields to where the page is.
#[derive(Debug, Template)]
#[template(path = "sign_out.html")]
pub struct SignOut<'a> {
    /// The form's token against cross-site requests, bound to the session.
    pub csrf: &'a str,
    /// Who is signed in.
    pub username: &'a str,
    /// Where the form goes.
    pub action: &'a str,
    /// The app that asks for it, if one does.
    pub app: Option<&'a str>,
    /// Whether that app registered itself, so that its name is its own word.
    pub is_unverified: bool,
    /// The host that the browser is led to afterwards, if any.
    pub destination: Option<&'a str>,
    /// What the app has asked for, by names of parameters.
    pub hidden: &'a [(&'static str, &'a str)],
}
