use askama::Template;

/// `GET /sign-out`: asks before the session ends, so that no other site can end it.
///
/// The form posts `csrf` to `/sign-out`.
#[derive(Debug, Template)]
#[template(path = "sign_out.html")]
pub struct SignOut<'a> {
    /// The form's token against cross-site requests, bound to the session.
    pub csrf: &'a str,
    /// Who is signed in.
    pub username: &'a str,
}
