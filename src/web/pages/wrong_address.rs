use askama::Template;

/// The page was asked for under a host name that is not the issuer's, where no sign-in could work.
#[derive(Debug, Template)]
#[template(path = "wrong_address.html")]
pub struct WrongAddress<'a> {
    /// The issuer, from the configuration.
    pub address: &'a str,
}
