use askama::Template;

/// `GET /account`: who is signed in, and what there is to do with the own account.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub struct Account<'a> {
    /// Who is signed in.
    pub username: &'a str,
    /// The account's e-mail address.
    pub email: &'a str,
}
