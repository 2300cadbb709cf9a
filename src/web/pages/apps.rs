use askama::Template;

use super::Moment;
use crate::model::AppAccess;

/// `GET /account/apps`: the apps that the person has let use the account.
#[derive(Debug, Template)]
#[template(path = "apps.html")]
pub struct Apps<'a> {
    /// The apps, those first to which the person agreed last.
    pub apps: &'a [App<'a>],
    /// Whether there are more than these.
    pub are_more: bool,
}

/// An app that the person has let use the account.
#[derive(Debug)]
pub struct App<'a> {
    /// Its registered name.
    pub name: &'a str,
    /// Where its access is taken back.
    pub withdraw_url: String,
    /// Whether nobody has looked at what it says of itself.
    pub is_unverified: bool,
    /// Whether it is switched off.
    pub is_disabled: bool,
    /// Whether it asks nobody for consent.
    pub skips_consent: bool,
    /// Where it sends people: hosts, private-use schemes.
    pub hosts: Vec<&'a str>,
    /// What it may do, in words.
    pub scopes: Vec<String>,
    /// What it can do at present.
    pub access: AppAccess,
    /// Since when the person has let it.
    pub since: Moment,
    /// When the person last agreed to something, if it was more than once.
    pub agreed_again: Option<Moment>,
}

impl App<'_> {
    fn access_in_words(&self) -> &'static str {
        match self.access {
            _ if self.is_disabled => "Switched off at present, so that it has no access.",
            AppAccess::Lasting => "Has access now, also while you are away.",
            AppAccess::WhileSignedIn => {
                "Has access now, until you sign out in the browser where you opened it."
            }
            AppAccess::None => "Has no access now, but may get it when you go back to it.",
        }
    }
}
