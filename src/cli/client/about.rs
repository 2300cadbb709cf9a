//! What a client says of itself beyond what the token endpoint asks.

use clap::Args;

use super::arguments::{replace, replace_list};
use crate::clients::ClientMetadata;
use crate::jose::Algorithm;

/// Links for people, OpenID Connect and logout.
#[derive(Debug, Args)]
pub struct About {
    /// Its home page; "" takes it away
    #[arg(long, value_name = "URI")]
    client_uri: Option<String>,
    /// Its picture; "" takes it away
    #[arg(long, value_name = "URI")]
    logo_uri: Option<String>,
    /// How it deals with people's data: a link on the consent page; "" takes it away
    #[arg(long, value_name = "URI")]
    policy_uri: Option<String>,
    /// Its terms of service: a link on the consent page; "" takes it away
    #[arg(long, value_name = "URI")]
    tos_uri: Option<String>,
    /// Who answers for it, such as an e-mail address; may be repeated
    #[arg(long = "contact", value_name = "TEXT")]
    contacts: Vec<String>,
    /// What its UserInfo answers are signed with, or "none" for plain JSON [default: none]
    #[arg(long, value_name = "ALG", value_parser = algorithm_or_none)]
    userinfo_signed_response_alg: Option<AlgorithmOrNone>,
    /// Where the browser may go after a logout, exactly; may be repeated
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// Where it is told that somebody has signed out; "" takes it away
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
    /// Whether it must be told which session has ended [default: false]
    #[arg(long, value_name = "BOOL")]
    backchannel_logout_session_required: Option<bool>,
    /// Whether the end of a session ends its offline access too that was begun there [default: false]
    #[arg(long, value_name = "BOOL")]
    end_offline_grants_with_session: Option<bool>,
}

/// An algorithm, or that nothing is signed.
#[derive(Debug, Clone, Copy)]
struct AlgorithmOrNone(Option<Algorithm>);

fn algorithm_or_none(text: &str) -> Result<AlgorithmOrNone, String> {
    match text {
        "none" => Ok(AlgorithmOrNone(None)),
        text => text.parse().map(|alg| AlgorithmOrNone(Some(alg))),
    }
}

impl About {
    /// The algorithm that a key is needed for.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.userinfo_signed_response_alg.and_then(|given| given.0)
    }

    /// Whether it names an address that Grantor sends something to.
    pub fn is_sent_to(&self) -> bool {
        self.backchannel_logout_uri.is_some()
    }

    /// Whether anything is given.
    pub fn is_given(&self) -> bool {
        let uris =
            [&self.client_uri, &self.logo_uri, &self.policy_uri, &self.tos_uri, &self.backchannel_logout_uri];
        uris.iter().any(|uri| uri.is_some())
            || !self.contacts.is_empty()
            || !self.post_logout_redirect_uris.is_empty()
            || self.userinfo_signed_response_alg.is_some()
            || self.backchannel_logout_session_required.is_some()
            || self.end_offline_grants_with_session.is_some()
    }

    /// Puts what was given over what is registered.
    pub fn apply(&self, metadata: &mut ClientMetadata) {
        let ClientMetadata { about, openid, logout, .. } = metadata;
        replace_or_clear(&mut about.client_uri, self.client_uri.as_ref());
        replace_or_clear(&mut about.logo_uri, self.logo_uri.as_ref());
        replace_or_clear(&mut about.policy_uri, self.policy_uri.as_ref());
        replace_or_clear(&mut about.tos_uri, self.tos_uri.as_ref());
        replace_list(&mut about.contacts, &self.contacts);
        replace(
            &mut openid.userinfo_signed_response_alg,
            self.userinfo_signed_response_alg.map(|given| given.0),
        );
        replace_list(&mut logout.post_logout_redirect_uris, &self.post_logout_redirect_uris);
        replace_or_clear(&mut logout.backchannel_logout_uri, self.backchannel_logout_uri.as_ref());
        replace(&mut logout.backchannel_logout_session_required, self.backchannel_logout_session_required);
        replace(&mut logout.end_offline_grants_with_session, self.end_offline_grants_with_session);
    }
}

/// An empty text clears.
fn replace_or_clear(target: &mut Option<String>, given: Option<&String>) {
    if let Some(given) = given {
        *target = Some(given.clone()).filter(|given| !given.is_empty());
    }
}
