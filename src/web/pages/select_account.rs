use askama::Template;

/// The page on which a person chooses whose account an app gets (OpenID Connect Core §3.1.2.1 `prompt=select_account`).
///
/// The form posts `csrf` and `request` to `/select-account`.
#[derive(Debug, Template)]
#[template(path = "select_account.html")]
pub struct SelectAccount<'a> {
    /// The form's token against cross-site requests, bound to the session.
    pub csrf: &'a str,
    /// The sealed authorization request.
    pub request: &'a str,
    /// The app's registered name.
    pub app: &'a str,
    /// Whether the app registered itself, so that its name is its own word.
    pub is_unverified: bool,
    /// Who is signed in.
    pub username: &'a str,
    /// Where another account can be signed in for the same request.
    pub switch_account_url: &'a str,
}
