//! What a client asks for at the logout endpoint (OpenID Connect RP-Initiated Logout §2), and where the browser goes
//! afterwards.

use std::sync::Arc;

use crate::clients::Registry;
use crate::keys::Pseudonyms;
use crate::model::{Client, ClientId, SessionId};
use crate::protocol::{Parameters, ParametersError, redirect_uri};
use crate::store::{Store, StoreError};
use crate::tokens::IdTokenHint;

/// The parameters, read and not yet believed. `logout_hint` and `ui_locales` may be given and change nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostLogoutRequest {
    /// An ID token of the client.
    pub id_token_hint: Option<String>,
    /// The client, where there is no ID token, or in addition to it.
    pub client_id: Option<ClientId>,
    /// Where the browser is to go.
    pub post_logout_redirect_uri: Option<String>,
    /// What the client gets back there.
    pub state: Option<String>,
}

/// Why a request is refused. Nothing of it is followed then, above all no redirect URI.
#[derive(Debug, thiserror::Error)]
pub enum LogoutRefused {
    /// The parameters themselves.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
    /// The hint is none of ours.
    #[error("the id_token_hint is not an ID token of this service")]
    Hint,
    /// Hint and client contradict each other.
    #[error("the id_token_hint was issued to another app than client_id says")]
    OtherClient,
    /// The client does not exist or is switched off.
    #[error("the app that asks is not known here")]
    UnknownClient,
    /// A redirect URI of nobody.
    #[error("post_logout_redirect_uri needs an id_token_hint or a client_id")]
    WhoseUri,
    /// A redirect URI that this client has not registered, to the letter.
    #[error("post_logout_redirect_uri is not registered for this app")]
    UriNotRegistered,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A request that may be followed: where it leads is registered for the client that asks.
#[derive(Debug)]
pub struct PostLogout {
    client: Option<Arc<Client>>,
    hint: Option<IdTokenHint>,
    redirect_uri: Option<String>,
    state: Option<String>,
}

impl PostLogoutRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// If one stands more than once.
    pub fn parse(parameters: &Parameters) -> Result<Self, ParametersError> {
        parameters.refuse_repeated(&[])?;
        let get = |name| parameters.get(name).map(|value| value.map(str::to_owned));
        Ok(Self {
            id_token_hint: get("id_token_hint")?,
            client_id: get("client_id")?.map(ClientId::from),
            post_logout_redirect_uri: get("post_logout_redirect_uri")?,
            state: get("state")?,
        })
    }

    /// Judges the request; `read_hint` reads an ID token of this server.
    ///
    /// # Errors
    /// See [`LogoutRefused`].
    pub async fn judge(
        self,
        registry: &Registry,
        store: &Store,
        read_hint: impl FnOnce(&str) -> Option<IdTokenHint>,
    ) -> Result<PostLogout, LogoutRefused> {
        let hint = match &self.id_token_hint {
            Some(text) => Some(read_hint(text).ok_or(LogoutRefused::Hint)?),
            None => None,
        };
        let client = match client_id(self.client_id.as_ref(), hint.as_ref())? {
            Some(id) => {
                let client = registry.client(store, id).await?.filter(|client| client.disabled_at.is_none());
                Some(client.ok_or(LogoutRefused::UnknownClient)?)
            }
            None => None,
        };
        let redirect_uri = checked(self.post_logout_redirect_uri, client.as_deref())?;
        Ok(PostLogout { client, hint, redirect_uri, state: self.state })
    }
}

impl PostLogout {
    /// The app that asks, if it says who it is.
    pub fn client(&self) -> Option<&Client> {
        self.client.as_deref()
    }

    /// Whether the client says by an ID token whom it means.
    pub fn has_hint(&self) -> bool {
        self.hint.is_some()
    }

    /// Whether the client has shown that it means this very session: nobody needs to be asked then. Without that
    /// any site could sign people out by a link.
    pub fn is_of_session(&self, session: SessionId, pseudonyms: &Pseudonyms) -> bool {
        self.hint.as_ref().is_some_and(|hint| hint.is_of_session(session, pseudonyms))
    }

    /// Where the browser goes afterwards, with the client's `state`; `None`: it stays here.
    pub fn destination(&self) -> Option<String> {
        let uri = self.redirect_uri.as_deref()?;
        Some(match &self.state {
            Some(state) => redirect_uri::append_query(uri, &[("state", state)]),
            None => uri.to_owned(),
        })
    }

    /// The same where no person was asked: then an app that nobody has looked at must have shown by an ID token that
    /// somebody has used it (§3). Otherwise whoever may register could send people from here to anywhere.
    pub fn destination_unasked(&self) -> Option<String> {
        let is_a_stranger = self.client().is_some_and(|client| client.self_registered) && self.hint.is_none();
        if is_a_stranger { None } else { self.destination() }
    }

    /// The parameters with which the request can be judged again; the ID token, which is no longer needed, is not
    /// among them.
    pub fn parameters(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("client_id", self.client().map(|client| client.id.as_str())),
            ("post_logout_redirect_uri", self.redirect_uri.as_deref()),
            ("state", self.state.as_deref()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// §2: `client_id` must be the client that the ID token was issued to.
fn client_id<'a>(
    given: Option<&'a ClientId>,
    hint: Option<&'a IdTokenHint>,
) -> Result<Option<&'a ClientId>, LogoutRefused> {
    match (given, hint.map(|hint| &hint.aud)) {
        (Some(given), Some(aud)) if given != aud => Err(LogoutRefused::OtherClient),
        (given, aud) => Ok(given.or(aud)),
    }
}

/// §3: exactly one of those that the client registered, compared as strings.
fn checked(uri: Option<String>, client: Option<&Client>) -> Result<Option<String>, LogoutRefused> {
    let Some(uri) = uri else { return Ok(None) };
    let client = client.ok_or(LogoutRefused::WhoseUri)?;
    if client.logout().post_logout_redirect_uris.contains(&uri) {
        Ok(Some(uri))
    } else {
        Err(LogoutRefused::UriNotRegistered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn hint_for(client: &str) -> IdTokenHint {
        let (iat, exp) = (Timestamp::from_unix_seconds(0), Timestamp::from_unix_seconds(600));
        IdTokenHint { sub: "alice".to_owned(), aud: id(client), sid: None, iat, exp }
    }

    fn id(client: &str) -> ClientId {
        ClientId::from(client.to_owned())
    }

    #[test]
    fn the_client_is_whom_the_id_token_was_issued_to() {
        for (given, aud, expected) in [
            (None, None, Ok(None)),
            (Some("a"), None, Ok(Some("a"))),
            (None, Some("a"), Ok(Some("a"))),
            (Some("a"), Some("a"), Ok(Some("a"))),
            (Some("a"), Some("b"), Err(())),
        ] {
            let (given_id, hint) = (given.map(id), aud.map(hint_for));
            let found = client_id(given_id.as_ref(), hint.as_ref()).map_err(drop);
            assert_eq!(found.map(|id| id.map(ClientId::as_str)), expected, "{given:?} {aud:?}");
        }
    }

    #[test]
    fn the_state_goes_along_and_the_id_token_does_not_come_again() {
        let parameters = Parameters::parse(
            b"id_token_hint=x&client_id=a&post_logout_redirect_uri=https%3A%2F%2Fa%2F%3Fb&state=c+d&ui_locales=de",
        );
        let request = PostLogoutRequest::parse(&parameters.unwrap()).unwrap();
        assert_eq!(request.id_token_hint.as_deref(), Some("x"));
        let mut asked = PostLogout {
            client: None,
            hint: None,
            redirect_uri: request.post_logout_redirect_uri,
            state: request.state,
        };
        assert_eq!(asked.destination().as_deref(), Some("https://a/?b&state=c+d"));
        assert_eq!(asked.parameters(), [("post_logout_redirect_uri", "https://a/?b"), ("state", "c d")]);
        asked.redirect_uri = None;
        assert_eq!(asked.destination(), None, "a state alone leads nowhere");
    }

    #[test]
    fn a_parameter_stands_once() {
        let twice = Parameters::parse(b"state=a&state=b").unwrap();
        assert!(PostLogoutRequest::parse(&twice).is_err());
    }

    #[test]
    fn a_uri_without_a_client_is_nobodys() {
        let uri = || Some("https://a".to_owned());
        assert!(matches!(checked(uri(), None), Err(LogoutRefused::WhoseUri)));
        assert!(matches!(checked(None, None), Ok(None)));
    }
}
