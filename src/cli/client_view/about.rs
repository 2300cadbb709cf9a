use std::time::Duration;

use serde::Serialize;

use crate::jose::Algorithm;
use crate::model::Client;

/// What a client says of itself beyond what the token endpoint asks; the names are the registered ones where there
/// are some.
#[derive(Serialize)]
pub struct AboutView<'a> {
    client_uri: Option<&'a str>,
    logo_uri: Option<&'a str>,
    policy_uri: Option<&'a str>,
    tos_uri: Option<&'a str>,
    contacts: &'a [String],
    software_id: Option<&'a str>,
    software_version: Option<&'a str>,
    userinfo_signed_response_alg: Option<Algorithm>,
    default_max_age: Option<u64>,
    require_auth_time: bool,
    post_logout_redirect_uris: &'a [String],
    backchannel_logout_uri: Option<&'a str>,
    backchannel_logout_session_required: bool,
    end_offline_grants_with_session: bool,
    self_registered: bool,
}

impl<'a> From<&'a Client> for AboutView<'a> {
    fn from(client: &'a Client) -> Self {
        let (about, openid, logout) = (client.about(), &client.openid, client.logout());
        Self {
            client_uri: about.client_uri.as_deref(),
            logo_uri: about.logo_uri.as_deref(),
            policy_uri: about.policy_uri.as_deref(),
            tos_uri: about.tos_uri.as_deref(),
            contacts: &about.contacts,
            software_id: about.software_id.as_deref(),
            software_version: about.software_version.as_deref(),
            userinfo_signed_response_alg: openid.userinfo_signed_response_alg,
            default_max_age: openid.default_max_age.map(|age| age.as_secs()),
            require_auth_time: openid.require_auth_time,
            post_logout_redirect_uris: &logout.post_logout_redirect_uris,
            backchannel_logout_uri: logout.backchannel_logout_uri.as_deref(),
            backchannel_logout_session_required: logout.backchannel_logout_session_required,
            end_offline_grants_with_session: logout.end_offline_grants_with_session,
            self_registered: client.self_registered,
        }
    }
}

/// The same for people.
pub fn lines(client: &Client) -> Vec<(&'static str, String)> {
    let (about, openid, logout) = (client.about(), &client.openid, client.logout());
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let age = |age: Duration| crate::config::format_duration(age.as_secs());
    let offline = if logout.end_offline_grants_with_session { "ends with the session" } else { "stays" };
    vec![
        ("UserInfo signed", openid.userinfo_signed_response_alg.map_or(String::new(), |alg| alg.to_string())),
        ("default max_age", openid.default_max_age.map_or(String::new(), age)),
        ("after a logout", logout.post_logout_redirect_uris.join("\n")),
        ("told of logouts at", text(&logout.backchannel_logout_uri)),
        ("offline access", offline.to_owned()),
        ("home page", text(&about.client_uri)),
        ("logo", text(&about.logo_uri)),
        ("privacy policy", text(&about.policy_uri)),
        ("terms of service", text(&about.tos_uri)),
        ("contacts", about.contacts.join("\n")),
        ("software", [text(&about.software_id), text(&about.software_version)].join(" ").trim().to_owned()),
    ]
}
