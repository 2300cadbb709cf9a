use askama::Template;

/// `GET /`: what this server is, and what a person can do here.
#[derive(Debug, Template)]
#[template(path = "start.html")]
pub struct Start<'a> {
    /// Who is signed in.
    pub username: Option<&'a str>,
    /// The demo app's way in, in demo mode.
    pub demo_url: Option<&'a str>,
}
