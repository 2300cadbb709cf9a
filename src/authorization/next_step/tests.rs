use std::sync::Arc;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::authorization::RedirectTarget;
use crate::model::{
    ApplicationType, AssertionKeys, Client, ClientAuthentication, ClientKeys, GrantType, Scope, Session,
    SessionId, UserId, samples,
};
use crate::protocol::{AuthorizationRequest, ClientAndRedirect, Parameters};

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
            authentication: if self == Self::Confidential {
                confidential
            } else {
                ClientAuthentication::Public
            },
            application_type: if native { ApplicationType::Native } else { ApplicationType::Web },
            redirect_uris: vec![self.redirect_uri().to_owned()],
            grant_types: vec![GrantType::AuthorizationCode],
            scopes: vec!["openid".to_owned(), "read".to_owned(), "admin".to_owned()],
            ..samples::client()
        }
    }
}

/// One row: the registration, the request, and the person in front of it.
#[derive(Debug, Clone, Copy)]
struct Row {
    app: App,
    skip_consent: bool,
    self_registered: bool,
    default_max_age: Option<u64>,
    prompt: &'static str,
    max_age: Option<u64>,
    scope: &'static str,
    /// Seconds from the sign-in to the request; negative: signed in since.
    signed_in: Option<i64>,
    /// Whether the request may be for this person, by its `id_token_hint`.
    is_expected: bool,
    /// Whether this account was chosen for this request.
    has_chosen: bool,
    /// What is on file.
    consent: Option<&'static str>,
    /// What of it the person was not asked for.
    unasked: &'static str,
}

/// A confidential client asks somebody who signed in long ago and agreed to everything.
const USUAL: Row = Row {
    app: App::Confidential,
    skip_consent: false,
    self_registered: false,
    default_max_age: None,
    prompt: "",
    max_age: None,
    scope: "openid read",
    signed_in: Some(3_600),
    is_expected: true,
    has_chosen: false,
    consent: Some("openid read"),
    unasked: "",
};

/// The operator's own app asks somebody of whom nothing is on file.
const FIRST_PARTY: Row = Row { skip_consent: true, consent: None, ..USUAL };

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

impl Row {
    fn pending(&self) -> Pending {
        let mut client = self.app.client();
        client.skip_consent = self.skip_consent;
        client.self_registered = self.self_registered;
        client.openid.default_max_age = self.default_max_age.map(Duration::from_secs);
        let max_age = self.max_age.map(|seconds| seconds.to_string()).unwrap_or_default();
        let uri = self.app.redirect_uri();
        let query = form_urlencoded::Serializer::new("response_type=code&client_id=app".to_owned())
            .extend_pairs([("redirect_uri", uri), ("scope", self.scope), ("prompt", self.prompt)])
            .append_pair("max_age", &max_age)
            .finish();
        let parameters = Parameters::parse(query.as_bytes()).unwrap();
        let asked = ClientAndRedirect::parse(&parameters).unwrap();
        let request = AuthorizationRequest::parse(&parameters, asked, uri.to_owned()).unwrap();
        let target = RedirectTarget::new(&client, uri, None, "https://id.example").unwrap();
        Pending { request, client: Arc::new(client), target, scopes: ScopeSet::parse(self.scope).unwrap() }
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
            consented_scopes: self.consent.map(words),
            unasked_scopes: words(self.unasked),
            consented_claims: Vec::new(),
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
        let person = self.person();
        let visitor = person.as_ref().map(|signed_in| Visitor {
            signed_in,
            is_expected: self.is_expected,
            has_chosen: self.has_chosen,
        });
        match next_step(&self.pending(), visitor, &self.scopes(), REQUESTED_AT) {
            NextStep::SignIn => "sign in".to_owned(),
            NextStep::SignInAgain => "sign in again".to_owned(),
            NextStep::SelectAccount => "select account".to_owned(),
            NextStep::Consent => "consent".to_owned(),
            NextStep::Issue(Agreement::OnFile) => "issue".to_owned(),
            NextStep::Issue(Agreement::Operator) => "issue unasked".to_owned(),
            NextStep::Issue(Agreement::Person) => "issue as if asked just now".to_owned(),
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
#[case("sign in", Row { signed_in: None, prompt: "select_account", ..USUAL })]
#[case("login_required", Row { signed_in: None, prompt: "none", ..USUAL })]
// The client wants a fresh sign-in: one that came after its request.
#[case("sign in again", Row { prompt: "login", ..USUAL })]
#[case("sign in again", Row { prompt: "login", signed_in: Some(1), ..USUAL })]
#[case("issue", Row { prompt: "login", signed_in: Some(0), ..USUAL })]
#[case("issue", Row { prompt: "login", signed_in: Some(-5), ..USUAL })]
// Or one that is not too long ago, by the request or else by its registration.
#[case("sign in again", Row { max_age: Some(0), ..USUAL })]
#[case("issue", Row { max_age: Some(0), signed_in: Some(-5), ..USUAL })]
#[case("sign in again", Row { max_age: Some(3_599), ..USUAL })]
#[case("issue", Row { max_age: Some(3_600), ..USUAL })]
#[case("issue", Row { max_age: Some(u64::MAX), ..USUAL })]
#[case("sign in again", Row { max_age: Some(7_200), prompt: "login", ..USUAL })]
#[case("login_required", Row { max_age: Some(60), prompt: "none", ..USUAL })]
#[case("sign in again", Row { default_max_age: Some(60), ..USUAL })]
#[case("issue", Row { default_max_age: Some(3_600), ..USUAL })]
#[case("login_required", Row { default_max_age: Some(60), prompt: "none", ..USUAL })]
#[case("issue", Row { default_max_age: Some(60), max_age: Some(7_200), ..USUAL })]
#[case("sign in again", Row { default_max_age: Some(7_200), max_age: Some(60), ..USUAL })]
// The person is to choose an account: on the page, or by signing in.
#[case("select account", Row { prompt: "select_account", ..USUAL })]
#[case("issue", Row { prompt: "select_account", has_chosen: true, ..USUAL })]
#[case("issue", Row { prompt: "select_account", signed_in: Some(-5), ..USUAL })]
#[case("sign in again", Row { prompt: "select_account login", ..USUAL })]
#[case("sign in again", Row { prompt: "select_account login", has_chosen: true, ..USUAL })]
#[case("issue", Row { prompt: "select_account login", signed_in: Some(-5), ..USUAL })]
#[case("sign in again", Row { prompt: "select_account", max_age: Some(60), ..USUAL })]
#[case("sign in again", Row { prompt: "select_account", max_age: Some(60), has_chosen: true, ..USUAL })]
#[case("select account", Row { prompt: "select_account consent", ..USUAL })]
#[case("consent", Row { prompt: "select_account consent", has_chosen: true, ..USUAL })]
#[case("consent", Row { prompt: "select_account", has_chosen: true, consent: None, ..USUAL })]
#[case("select account", Row { prompt: "select_account", ..FIRST_PARTY })]
// The request is for one person, and another is signed in.
#[case("sign in", Row { is_expected: false, ..USUAL })]
#[case("sign in", Row { is_expected: false, prompt: "login", ..USUAL })]
#[case("sign in", Row { is_expected: false, prompt: "select_account", has_chosen: true, ..USUAL })]
#[case("sign in", Row { is_expected: false, ..FIRST_PARTY })]
#[case("login_required", Row { is_expected: false, prompt: "none", ..USUAL })]
#[case("login_required", Row { is_expected: false, signed_in: Some(-5), ..USUAL })]
#[case("login_required", Row { is_expected: false, signed_in: Some(-5), prompt: "login", ..USUAL })]
// The person has not agreed, or not to all of it.
#[case("consent", Row { consent: None, ..USUAL })]
#[case("consent", Row { consent: Some(""), ..USUAL })]
#[case("consent", Row { consent: Some("openid"), ..USUAL })]
#[case("consent_required", Row { consent: None, prompt: "none", ..USUAL })]
#[case("consent_required", Row { consent: Some("openid"), prompt: "none", ..USUAL })]
#[case("consent", Row { prompt: "consent", ..USUAL })]
#[case("sign in again", Row { prompt: "login consent", ..USUAL })]
#[case("consent", Row { prompt: "login consent", signed_in: Some(-5), ..USUAL })]
// Who cannot prove to be the right app asks every time.
#[case("consent", Row { app: App::PublicLoopback, ..USUAL })]
#[case("consent", Row { app: App::NativePrivateUse, ..USUAL })]
#[case("consent", Row { app: App::NativeHttps, ..USUAL })]
#[case("consent_required", Row { app: App::PublicLoopback, prompt: "none", ..USUAL })]
#[case("consent_required", Row { app: App::NativePrivateUse, prompt: "none", ..USUAL })]
// The operator's own app asks nobody, unless it wants to or nobody can tell that it is the one.
#[case("issue unasked", FIRST_PARTY)]
#[case("issue unasked", Row { prompt: "none", ..FIRST_PARTY })]
#[case("issue unasked", Row { consent: Some("openid"), ..FIRST_PARTY })]
#[case("issue unasked", Row { app: App::PublicHttps, ..FIRST_PARTY })]
#[case("issue", Row { consent: Some("openid read"), unasked: "read", ..FIRST_PARTY })]
#[case("sign in", Row { signed_in: None, ..FIRST_PARTY })]
#[case("sign in again", Row { prompt: "login", ..FIRST_PARTY })]
#[case("consent", Row { prompt: "consent", ..FIRST_PARTY })]
#[case("consent", Row { app: App::PublicLoopback, ..FIRST_PARTY })]
#[case("consent", Row { app: App::NativePrivateUse, ..FIRST_PARTY })]
#[case("consent", Row { app: App::NativeHttps, ..FIRST_PARTY })]
#[case("consent", Row { self_registered: true, ..FIRST_PARTY })]
#[case("consent_required", Row { self_registered: true, prompt: "none", ..FIRST_PARTY })]
// What nobody was asked for counts only as long as the operator vouches for the app.
#[case("consent", Row { unasked: "read", ..USUAL })]
#[case("consent_required", Row { unasked: "read", prompt: "none", ..USUAL })]
// What the person may not grant is left out, and needs no consent; but somebody must be told when nothing is left.
#[case("issue", Row { scope: "openid read admin", ..USUAL })]
#[case("issue unasked", Row { scope: "openid read admin", ..FIRST_PARTY })]
#[case("consent", Row { scope: "openid read admin", consent: Some("openid"), ..USUAL })]
#[case("consent", Row { scope: "admin", ..USUAL })]
#[case("consent", Row { scope: "admin", consent: Some("admin"), ..USUAL })]
#[case("consent", Row { scope: "admin", ..FIRST_PARTY })]
#[case("consent_required", Row { scope: "admin", prompt: "none", ..USUAL })]
#[case("consent_required", Row { scope: "admin", prompt: "none", ..FIRST_PARTY })]
fn decision_table(#[case] expected: &str, #[case] row: Row) {
    assert_eq!(row.decide(), expected);
}

prop_compose! {
    /// Any combination of everything that the decision looks at.
    fn any_row()(
        app in prop::sample::select(App::ALL.to_vec()),
        (skip_consent, self_registered, is_expected, has_chosen) in any::<(bool, bool, bool, bool)>(),
        default_max_age in prop::sample::select(vec![None, Some(0), Some(60), Some(7_200)]),
        max_age in prop::sample::select(vec![None, Some(0), Some(60), Some(7_200), Some(u64::MAX)]),
        prompt in prop::sample::select(vec![
            "", "none", "login", "consent", "select_account", "login consent", "login select_account",
            "consent select_account", "select_account consent login",
        ]),
        scope in prop::sample::select(vec!["openid read", "openid read admin", "read", "admin", ""]),
        signed_in in prop::sample::select(vec![None, Some(3_600), Some(30), Some(0), Some(-5)]),
        consent in prop::sample::select(vec![None, Some(""), Some("openid"), Some("openid read")]),
        unasked in prop::sample::select(vec!["", "read", "openid read"]),
    ) -> Row {
        Row {
            app, skip_consent, self_registered, default_max_age, prompt, max_age, scope, signed_in, is_expected,
            has_chosen, consent, unasked,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn prompt_none_shows_no_page_and_without_it_only_the_wrong_person_is_refused(row in any_row()) {
        let step = row.decide();
        let issues = step.starts_with("issue");
        if row.prompt == "none" {
            prop_assert!(issues || step.ends_with("_required"), "{}", step);
        } else if step.ends_with("_required") {
            prop_assert_eq!(&step, "login_required");
            prop_assert!(!row.is_expected && row.signed_in.is_some_and(|age| age <= 0));
        }
    }

    #[test]
    fn a_code_is_for_the_expected_person_who_signed_in_recently_enough(row in any_row()) {
        if row.decide().starts_with("issue") {
            let age = row.signed_in.expect("somebody is signed in");
            prop_assert!(row.is_expected);
            prop_assert!(row.max_age.or(row.default_max_age).is_none_or(|max_age| i128::from(age) <= i128::from(max_age)));
            prop_assert!(!row.prompt.contains("login") || age <= 0);
            prop_assert!(!row.prompt.contains("select_account") || age <= 0 || row.has_chosen);
        }
    }

    #[test]
    fn a_code_needs_an_agreement_that_covers_it(row in any_row()) {
        let step = row.decide();
        if step.starts_with("issue") {
            prop_assert!(!row.prompt.contains("consent"));
            prop_assert!(row.scope != "admin");
            prop_assert!(matches!(row.app, App::Confidential | App::PublicHttps));
            let vouched = row.skip_consent && !row.self_registered;
            let asked = |scope: &String| {
                row.consent.is_some_and(|consent| words(consent).contains(scope))
                    && !words(row.unasked).contains(scope)
            };
            let agreed = row.consent.is_some() && row.scopes().grantable.iter().all(asked);
            prop_assert!(agreed || vouched);
            prop_assert!(step == "issue" || step == "issue unasked" && vouched);
        }
    }

    #[test]
    fn whoever_is_not_signed_in_or_not_recently_is_never_asked_for_anything_else(row in any_row()) {
        let step = row.decide();
        let silent = row.prompt == "none";
        if row.signed_in.is_none() {
            prop_assert_eq!(&step, if silent { "login_required" } else { "sign in" });
        }
        // Signing in for the request is asked for once, so that nobody goes in circles.
        if row.signed_in.is_some_and(|age| age <= 0) {
            prop_assert!(!step.starts_with("sign in") && step != "select account", "{}", step);
        }
    }

    #[test]
    fn what_the_operator_vouches_for_changes_nothing_but_consent(row in any_row()) {
        let (with, without) = (Row { skip_consent: true, ..row }, Row { skip_consent: false, ..row });
        if with.decide() != without.decide() {
            prop_assert!(without.decide().starts_with("consent") && with.decide().starts_with("issue"));
        }
    }
}
