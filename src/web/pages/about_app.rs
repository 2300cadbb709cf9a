use url::Url;

use crate::model::Client;

/// What a person is told of an app beside its name.
#[derive(Debug, Clone, Default)]
pub struct AboutApp<'a> {
    /// It registered itself: name, picture and links are its own words, and nobody has looked at them.
    pub is_unverified: bool,
    /// Its picture, where pages show any.
    pub logo: Option<Logo<'a>>,
    /// Its home page.
    pub home: Option<&'a str>,
    /// How it deals with people's data.
    pub policy: Option<&'a str>,
    /// Its terms of service.
    pub terms: Option<&'a str>,
}

/// An app's picture. The browser fetches it from where the app keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo<'a> {
    /// Its address.
    pub uri: &'a str,
    /// The origin (RFC 6454 §6.2) of that, which is safe within a Content-Security-Policy.
    pub origin: String,
}

impl<'a> Logo<'a> {
    /// Only https, so that nobody on the way sees or changes it, and no host that could say more in a header than a
    /// host: the URL standard lets one hold a semicolon.
    fn at(uri: &'a str) -> Option<Self> {
        let url = Url::parse(uri).ok().filter(|url| url.scheme() == "https")?;
        let origin = url.origin().ascii_serialization();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.:/[]".contains(c);
        origin.chars().all(is_plain).then_some(Self { uri, origin })
    }
}

impl<'a> AboutApp<'a> {
    /// What is told of this client; its picture only where the operator wants that
    /// ([`crate::config::Registration::show_logos`]).
    pub fn of(client: &'a Client, show_logos: bool) -> Self {
        let about = client.about();
        Self {
            is_unverified: client.self_registered,
            logo: about.logo_uri.as_deref().filter(|_| show_logos).and_then(Logo::at),
            home: about.client_uri.as_deref(),
            policy: about.policy_uri.as_deref(),
            terms: about.tos_uri.as_deref(),
        }
    }

    /// Each link that there is, with what it says.
    pub(super) fn links(&self) -> impl Iterator<Item = (&'a str, &'static str)> {
        [(self.home, "Website"), (self.policy, "Privacy policy"), (self.terms, "Terms of service")]
            .into_iter()
            .filter_map(|(href, text)| Some((href?, text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_https_and_its_origin_says_nothing_but_where_it_is() {
        for (uri, origin) in [
            ("https://app.example/logo.png?v=2", Some("https://app.example")),
            ("https://app.example:8443/logo.png", Some("https://app.example:8443")),
            ("https://bücher.example/logo.png", Some("https://xn--bcher-kva.example")),
            ("https://[2001:db8::1]/logo.png", Some("https://[2001:db8::1]")),
            ("https://a;script-src/logo.png", None),
            ("https://a,b/logo.png", None),
            ("https://a'b/logo.png", None),
            ("http://127.0.0.1/logo.png", None),
            ("data:image/png;base64,AA", None),
            ("javascript:alert(1)", None),
            ("/logo.png", None),
        ] {
            assert_eq!(Logo::at(uri).map(|logo| logo.origin).as_deref(), origin, "{uri}");
        }
    }
}
