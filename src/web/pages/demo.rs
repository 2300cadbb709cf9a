use askama::Template;

/// What the demo app got, and what can be done with it.
#[derive(Template)]
#[template(path = "demo.html")]
pub struct Demo<'a> {
    /// Who signed in.
    pub username: &'a str,
    /// The claims of the access token, as readable JSON.
    pub access_token_claims: &'a str,
    /// The claims of the ID token, as readable JSON.
    pub id_token_claims: Option<&'a str>,
    /// The server's address.
    pub issuer: &'a str,
    /// The demo app's identifier.
    pub client_id: &'a str,
    /// The demo app's secret.
    pub client_secret: &'a str,
    /// The access token.
    pub access_token: &'a str,
    /// The refresh token, if there is one.
    pub refresh_token: Option<&'a str>,
}
