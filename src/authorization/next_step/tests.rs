use std::sync::Arc;

use rstest::rstest;

use super::*;
use crate::authorization::RedirectTarget;
use crate::model::{
    AboutClient, AssertionKeys, Client, ClientAuthentication, ClientId, ClientKeys, GrantType,
    LogoutMetadata, OpenIdMetadata, Scope, Session, SessionId, UserId,
};
use crate::protocol::{AuthorizationRequest, PromptSet};

const REQUESTED_AT: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// Who asks, by what the redirect URI can prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum App {
    Confidential,
    PublicHttps,
    PublicLoopback,
    NativePrivateUse,
    NativeHttps,
}

impl App {
    const ALL: [Self; 5] = [
        Self::Confidential,
        Self::PublicHttps,
        Self::PublicLoopback,
        Self::NativePrivateUse,
        Self::NativeHttps,
    ];

    fn redirect_uri(self) -> &'static str {
        match self {
            Self::Confidential | Self::PublicHttps | Self::NativeHttps => "https://app.example/cb",
            Self::PublicLoopback => "http://127.0.0.1:3000/cb",
            Self::NativePrivateUse => "com.example.app:/cb",
        }
    }

    fn client(self) -> Client {
        let keys = ClientKeys::Uri("https://app.example/jwks".to_owned());
        let confidential = ClientAuthentication::KeyAssertion(AssertionKeys { keys, signing_alg: None });
        let native = matches!(self, Self::NativePrivateUse | Self::NativeHttps);
        Client {
            id: ClientId::from("app".to_owned()),
            name: "App".to_owned(),
            authentication: if self == Self::Confidential {
                confidential
            } else {
                ClientAuthentication::Public
            },
            application_type: if native { ApplicationType::Native } else { ApplicationType::Web },
            redirect_uris: vec![self.redirect_uri().to_owned()],
            grant_types: vec![GrantType::AuthorizationCode],
            scopes: vec!["openid".to_owned(), "read".to_owned(), "admin".to_owned()],
            audiences: Vec::new(),
            resource_servers: Vec::new(),
            access_token_lifetime: None,
            refresh_idle_lifetime: None,
            refresh_absolute_lifetime: None,
            rotate_refresh_tokens: true,
            require_pkce: true,
            access_token_signing_alg: None,
            id_token_signed_response_alg: None,
            introspection_signed_response_alg: None,
            about: AboutClient::default(),
            openid: OpenIdMetadata::default(),
            logout: LogoutMetadata::default(),
            skip_consent: false,
            self_registered: false,
            registration_token_hash: None,
            disabled_at: None,
            created_at: REQUESTED_AT,
        }
    }
}

/// One row: the request, and the person in front of it.
#[derive(Debug, Clone, Copy)]
struct Row {
    app: App,
    prompt: &'static str,
    max_age: Option<u64>,
    scope: &'static str,
    /// Seconds from the sign-in to the request; negative: signed in since.
    signed_in: Option<i64>,
    /// What the person has agreed to before.
    consent: Option<&'static str>,
}

/// A confidential client asks somebody who signed in long ago and agreed to everything.
const USUAL: Row = Row {
    app: App::Confidential,
    prompt: "",
    max_age: None,
    scope: "openid read",
    signed_in: Some(3_600),
    consent: Some("openid read"),
};

impl Row {
    fn pending(&self) -> Pending {
        let client = self.app.client();
        let scopes = ScopeSet::parse(self.scope).unwrap();
        let request = AuthorizationRequest {
            client_id: "app".to_owned(),
            redirect_uri: self.app.redirect_uri().to_owned(),
            redirect_uri_given: true,
            scope: Some(scopes.clone()),
            state: None,
            nonce: None,
            code_challenge: None,
            resources: Default::default(),
            prompt: PromptSet::parse(self.prompt).unwrap(),
            max_age: self.max_age,
            login_hint: None,
        };
        let target = RedirectTarget::new(&client, self.app.redirect_uri(), None, "https://id.example");
        Pending { request, client: Arc::new(client), target: target.unwrap(), scopes }
    }

    fn person(&self) -> Option<SignedIn> {
        let auth_time = Timestamp::from_unix_seconds(REQUESTED_AT.unix_seconds() - self.signed_in?);
        Some(SignedIn {
            session: Session {
                id: SessionId::random(),
                user_id: UserId::random(),
                username: "alice".to_owned(),
                auth_time,
                last_seen_at: auth_time,
            },
            roles: Vec::new(),
            consented_scopes: self
                .consent
                .map(|scopes| scopes.split_whitespace().map(str::to_owned).collect()),
        })
    }

    /// Nobody here has a role, so that `admin` is always left out.
    fn scopes(&self) -> RequestedScopes {
        let scope = |name: &str, restricted| Scope {
            name: name.to_owned(),
            description: String::new(),
            restricted,
            built_in: false,
        };
        let catalogue =
            ScopeCatalogue::new(vec![scope("openid", false), scope("read", false), scope("admin", true)]);
        RequestedScopes::divide(&ScopeSet::parse(self.scope).unwrap(), &catalogue, &[])
    }

    fn decide(&self) -> String {
        match next_step(&self.pending(), self.person().as_ref(), &self.scopes(), REQUESTED_AT) {
            NextStep::SignIn => "sign in".to_owned(),
            NextStep::Consent => "consent".to_owned(),
            NextStep::Issue => "issue".to_owned(),
            NextStep::Refuse(error) => error.code().as_str().to_owned(),
        }
    }
}

#[rstest]
// Nothing is left to ask.
#[case("issue", USUAL)]
#[case("issue", Row { prompt: "none", ..USUAL })]
#[case("issue", Row { consent: Some("admin openid other read"), ..USUAL })]
#[case("issue", Row { app: App::PublicHttps, ..USUAL })]
// Nobody is signed in.
#[case("sign in", Row { signed_in: None, ..USUAL })]
#[case("sign in", Row { signed_in: None, prompt: "consent", ..USUAL })]
#[case("login_required", Row { signed_in: None, prompt: "none", ..USUAL })]
// The client wants a fresh sign-in: one that came after its request.
#[case("sign in", Row { prompt: "login", ..USUAL })]
#[case("sign in", Row { prompt: "login", signed_in: Some(1), ..USUAL })]
#[case("issue", Row { prompt: "login", signed_in: Some(0), ..USUAL })]
#[case("issue", Row { prompt: "login", signed_in: Some(-5), ..USUAL })]
#[case("sign in", Row { prompt: "select_account", ..USUAL })]
#[case("issue", Row { prompt: "select_account", signed_in: Some(-5), ..USUAL })]
#[case("sign in", Row { max_age: Some(0), ..USUAL })]
#[case("issue", Row { max_age: Some(0), signed_in: Some(-5), ..USUAL })]
#[case("sign in", Row { max_age: Some(3_599), ..USUAL })]
#[case("issue", Row { max_age: Some(3_600), ..USUAL })]
#[case("issue", Row { max_age: Some(u64::MAX), ..USUAL })]
#[case("sign in", Row { max_age: Some(7_200), prompt: "login", ..USUAL })]
#[case("login_required", Row { max_age: Some(60), prompt: "none", ..USUAL })]
// The person has not agreed, or not to all of it.
#[case("consent", Row { consent: None, ..USUAL })]
#[case("consent", Row { consent: Some(""), ..USUAL })]
#[case("consent", Row { consent: Some("openid"), ..USUAL })]
#[case("consent_required", Row { consent: None, prompt: "none", ..USUAL })]
#[case("consent_required", Row { consent: Some("openid"), prompt: "none", ..USUAL })]
#[case("consent", Row { prompt: "consent", ..USUAL })]
#[case("sign in", Row { prompt: "login consent", ..USUAL })]
#[case("consent", Row { prompt: "login consent", signed_in: Some(-5), ..USUAL })]
// Who cannot prove to be the right app asks every time.
#[case("consent", Row { app: App::PublicLoopback, ..USUAL })]
#[case("consent", Row { app: App::NativePrivateUse, ..USUAL })]
#[case("consent", Row { app: App::NativeHttps, ..USUAL })]
#[case("consent_required", Row { app: App::PublicLoopback, prompt: "none", ..USUAL })]
#[case("consent_required", Row { app: App::NativePrivateUse, prompt: "none", ..USUAL })]
// What the person may not grant is left out, and needs no consent; but somebody must be told when nothing is left.
#[case("issue", Row { scope: "openid read admin", ..USUAL })]
#[case("consent", Row { scope: "openid read admin", consent: Some("openid"), ..USUAL })]
#[case("consent", Row { scope: "admin", ..USUAL })]
#[case("consent", Row { scope: "admin", consent: Some("admin"), ..USUAL })]
#[case("consent_required", Row { scope: "admin", prompt: "none", ..USUAL })]
fn decision_table(#[case] expected: &str, #[case] row: Row) {
    assert_eq!(row.decide(), expected);
}

/// Every combination of everything that the decision looks at.
fn all_rows() -> impl Iterator<Item = Row> {
    const PROMPTS: [&str; 6] = ["", "none", "login", "consent", "select_account", "login consent"];
    const MAX_AGES: [Option<u64>; 3] = [None, Some(0), Some(60)];
    const SCOPES: [&str; 3] = ["openid read", "openid read admin", "admin"];
    const SIGNED_IN: [Option<i64>; 4] = [None, Some(3_600), Some(30), Some(-5)];
    const CONSENTS: [Option<&str>; 3] = [None, Some("openid"), Some("openid read")];
    let combinations = PROMPTS.len() * MAX_AGES.len() * SCOPES.len() * SIGNED_IN.len() * CONSENTS.len();
    (0..combinations * App::ALL.len()).map(|mut index| {
        let mut pick = |count: usize| {
            let picked = index % count;
            index /= count;
            picked
        };
        Row {
            app: App::ALL[pick(App::ALL.len())],
            prompt: PROMPTS[pick(PROMPTS.len())],
            max_age: MAX_AGES[pick(MAX_AGES.len())],
            scope: SCOPES[pick(SCOPES.len())],
            signed_in: SIGNED_IN[pick(SIGNED_IN.len())],
            consent: CONSENTS[pick(CONSENTS.len())],
        }
    })
}

#[test]
fn prompt_none_shows_no_page_and_only_it_refuses() {
    for row in all_rows() {
        let shows_a_page = ["sign in", "consent"].contains(&row.decide().as_str());
        let refuses = row.decide().ends_with("_required");
        assert!(if row.prompt == "none" { !shows_a_page } else { !refuses }, "{row:?}");
    }
}

#[test]
fn a_code_needs_a_recent_sign_in_and_an_agreement_that_covers_it() {
    for row in all_rows().filter(|row| row.decide() == "issue") {
        let age = row.signed_in.expect("somebody is signed in");
        assert!(row.max_age.is_none_or(|max_age| age <= max_age.cast_signed()), "{row:?}");
        let again = row.prompt.contains("login") || row.prompt == "select_account";
        assert!(!again || age <= 0, "{row:?}");
        assert!(!row.prompt.contains("consent"), "{row:?}");
        assert_eq!(row.consent, Some("openid read"), "{row:?}");
        assert!(row.scopes().grantable.len() == 2, "{row:?}");
        assert!(matches!(row.app, App::Confidential | App::PublicHttps), "{row:?}");
    }
}

#[test]
fn whoever_is_not_signed_in_is_never_asked_for_consent() {
    for row in all_rows().filter(|row| row.signed_in.is_none()) {
        let expected = if row.prompt == "none" { "login_required" } else { "sign in" };
        assert_eq!(row.decide(), expected, "{row:?}");
    }
}
