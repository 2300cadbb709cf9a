use crate::model::Client;

/// What a person is told of an app beside its name.
#[derive(Debug, Clone, Copy, Default)]
pub struct AboutApp<'a> {
    /// It registered itself: name and links are its own words, and nobody has looked at them.
    pub is_unverified: bool,
    /// Its home page.
    pub home: Option<&'a str>,
    /// How it deals with people's data.
    pub policy: Option<&'a str>,
    /// Its terms of service.
    pub terms: Option<&'a str>,
}

impl<'a> From<&'a Client> for AboutApp<'a> {
    /// Its picture is left out: whoever serves it would learn who is about to sign in, when, and from where.
    fn from(client: &'a Client) -> Self {
        Self {
            is_unverified: client.self_registered,
            home: client.about.client_uri.as_deref(),
            policy: client.about.policy_uri.as_deref(),
            terms: client.about.tos_uri.as_deref(),
        }
    }
}

impl<'a> AboutApp<'a> {
    /// Each link that there is, with what it says.
    pub(super) fn links(&self) -> impl Iterator<Item = (&'a str, &'static str)> {
        [(self.home, "Website"), (self.policy, "Privacy policy"), (self.terms, "Terms of service")]
            .into_iter()
            .filter_map(|(href, text)| Some((href?, text)))
    }
}
