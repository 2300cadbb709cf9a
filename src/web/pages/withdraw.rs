use askama::Template;

/// `GET /account/apps/withdraw`: asks before an app loses its access.
///
/// The form posts `csrf` and `client_id` to `/account/apps/withdraw`.
#[derive(Debug, Template)]
#[template(path = "withdraw.html")]
pub struct Withdraw<'a> {
    /// The form's token against cross-site requests, bound to the session.
    pub csrf: &'a str,
    /// Which client.
    pub client_id: &'a str,
    /// Its registered name.
    pub app: &'a str,
    /// Whether it asks nobody for consent.
    pub skips_consent: bool,
}
