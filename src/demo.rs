//! The demo app of a first run: a client inside the server, which does what any app does.
//!
//! It keeps nothing between its two requests. The PKCE verifier travels sealed in `state`, bound to a cookie of
//! the browser that began: an answer that another browser obtained is refused (RFC 6749 §10.12).

use std::time::Duration;

use crate::keys::{MasterKeys, Purpose};
use crate::model::ClientId;
use crate::protocol::{AuthorizationCodeRequest, ClientCredentials, CodeVerifier, ResourceSet, TokenRequest};
use crate::secret::{Secret, base64url, from_base64url, random_bytes, sha256};
use crate::time::Timestamp;

/// How long a sign-in may take.
pub const LIFETIME: Duration = Duration::from_secs(3_600);

/// Where the access tokens of the demo app count: the example APIs.
pub const AUDIENCE: &str = "https://orders.example";

const KEY_ID: usize = 8;

/// The demo app, as any app knows itself: by its registration. `Debug` hides the secret.
#[derive(Debug, Clone)]
pub struct DemoApp {
    client_id: ClientId,
    client_secret: Secret<String>,
    redirect_uri: String,
}

impl DemoApp {
    /// The app with this registration.
    pub fn new(client_id: ClientId, client_secret: Secret<String>, redirect_uri: String) -> Self {
        Self { client_id, client_secret, redirect_uri }
    }

    /// Its identifier.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Its secret.
    pub fn client_secret(&self) -> &Secret<String> {
        &self.client_secret
    }

    /// The query of an authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3), bound to this browser.
    pub fn authorization_query(
        &self,
        scopes: &[String],
        browser: &str,
        keys: &MasterKeys,
        now: Timestamp,
    ) -> String {
        let verifier = random_bytes::<32>();
        let challenge = base64url(&sha256(base64url(&verifier).as_bytes()));
        form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", self.client_id.as_str())
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &seal(&verifier, browser, keys, now))
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish()
    }

    /// The request for tokens (RFC 6749 §4.1.3).
    pub fn redemption(&self, code: &str, verifier: CodeVerifier) -> TokenRequest {
        TokenRequest::AuthorizationCode(AuthorizationCodeRequest {
            code: Secret::new(code.to_owned()),
            redirect_uri: Some(self.redirect_uri.clone()),
            code_verifier: Some(verifier),
            resources: ResourceSet::default(),
        })
    }

    /// How it authenticates (RFC 6749 §2.3.1).
    pub fn credentials(&self) -> ClientCredentials {
        ClientCredentials::Basic {
            client_id: self.client_id.to_string(),
            client_secret: self.client_secret.clone(),
        }
    }
}

/// The verifier of the sign-in that this browser began with that `state`; `None` if another browser did, or
/// longer than [`LIFETIME`] ago.
pub fn open(state: &str, browser: &str, keys: &MasterKeys, now: Timestamp) -> Option<CodeVerifier> {
    let bytes = from_base64url(state)?;
    let (key_id, sealed) = bytes.split_first_chunk::<KEY_ID>()?;
    let opened = keys.by_id(key_id)?.open(Purpose::DemoApp, &[], sealed, browser.as_bytes())?;
    let (begun_at, verifier) = opened.split_first_chunk::<8>()?;
    let begun_at = Timestamp::from_unix_micros(i64::from_be_bytes(*begun_at));
    let verifier = CodeVerifier::parse(&base64url(verifier)).ok()?;
    (now < begun_at + LIFETIME).then_some(verifier)
}

fn seal(verifier: &[u8; 32], browser: &str, keys: &MasterKeys, now: Timestamp) -> String {
    let plaintext = [now.unix_micros().to_be_bytes().as_slice(), verifier].concat();
    let key = keys.current();
    base64url(&[&key.id()[..], &key.seal(Purpose::DemoApp, &[], &plaintext, browser.as_bytes())].concat())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::protocol::{CodeChallenge, Parameters, pkce};

    const NOW: Timestamp = Timestamp::from_unix_micros(1_800_000_000_000_000);

    fn keys(byte: &str) -> MasterKeys {
        let text = base64url(byte.repeat(32).as_bytes());
        MasterKeys::load(&[("the test".to_owned(), Secret::new(text))]).unwrap()
    }

    fn app() -> DemoApp {
        let secret = Secret::new("hunter2".to_owned());
        DemoApp::new("demo".to_owned().into(), secret, "http://localhost:8080/demo/callback".to_owned())
    }

    fn begin(browser: &str) -> Parameters {
        let query = app().authorization_query(&["openid".into(), "email".into()], browser, &keys("k"), NOW);
        Parameters::parse(query.as_bytes()).unwrap()
    }

    #[test]
    fn the_challenge_is_that_of_the_verifier_in_state() {
        let query = begin("browser");
        let get = |name| query.get(name).unwrap().unwrap();
        assert_eq!(get("scope"), "openid email");
        let challenge = CodeChallenge::parse(get("code_challenge"), Some("S256")).unwrap();
        let verifier = open(get("state"), "browser", &keys("k"), NOW).unwrap();
        assert!(pkce::verify(&verifier, &challenge));
    }

    #[test]
    fn each_sign_in_has_its_own_verifier() {
        let (a, b) = (begin("browser"), begin("browser"));
        assert_ne!(a.get("code_challenge").unwrap(), b.get("code_challenge").unwrap());
    }

    #[rstest]
    #[case::same("browser", "k", 0, true)]
    #[case::just_in_time("browser", "k", 3_599, true)]
    #[case::late("browser", "k", 3_600, false)]
    #[case::another_browser("browsers", "k", 0, false)]
    #[case::no_cookie("", "k", 0, false)]
    #[case::another_installation("browser", "x", 0, false)]
    fn state_opens_in_its_own_browser_for_an_hour(
        #[case] browser: &str,
        #[case] key: &str,
        #[case] seconds: u64,
        #[case] opens: bool,
    ) {
        let query = begin("browser");
        let state = query.get("state").unwrap().unwrap();
        let then = NOW + Duration::from_secs(seconds);
        assert_eq!(open(state, browser, &keys(key), then).is_some(), opens);
    }

    #[test]
    fn junk_opens_nothing() {
        for junk in ["", "x", "AAAAAAAAAAAAAAAA", "%00", &"A".repeat(9_000)] {
            assert!(open(junk, "browser", &keys("k"), NOW).is_none());
        }
    }

    #[test]
    fn debug_output_hides_the_secret() {
        assert!(!format!("{:?} {:?}", app(), app().credentials()).contains("hunter2"));
    }
}
