//! Every page in every state, rendered with given texts: what the tests look through, and what
//! `target/pages/` shows to the eye.

use std::time::Duration;

use super::*;
use crate::model::AppAccess;
use crate::time::Timestamp;

/// The time at which the pages are shown, in seconds.
const NOON: i64 = 1_795_348_800;
use crate::secret::Secret;

/// A rendered page.
pub struct Sample {
    /// What a file of it is called.
    pub name: &'static str,
    /// The page.
    pub html: String,
    /// The element ids that it must have.
    pub ids: &'static [&'static str],
}

/// The texts that come from outside: from operators, people and requests.
pub struct Texts<'a> {
    pub app: &'a str,
    pub username: &'a str,
    pub scopes: [(&'a str, &'a str); 4],
    pub role: &'a str,
    pub resource: &'a str,
    pub host: &'a str,
    pub url: &'a str,
    pub token: &'a str,
    pub title: &'a str,
    pub message: &'a str,
    pub next_step: &'a str,
    pub code: &'a str,
}

impl<'a> Texts<'a> {
    /// As on a good day.
    pub fn natural() -> Texts<'static> {
        Texts {
            app: "Harbour Invoices",
            username: "ada",
            scopes: [
                ("openid", "Know which account is yours"),
                ("invoices:read", "See your invoices and who sent them"),
                ("offline_access", "Keep working while you are away"),
                ("invoices:approve", "Approve invoices in your name"),
            ],
            role: "bookkeeper",
            resource: "https://api.harbour.example/invoices",
            host: "invoices.harbour.example",
            url: "http://localhost:8080",
            token: "sealed",
            title: "This sign-in cannot go on",
            message: "The app named an address for the answer that is not registered for it, so nothing was sent there.",
            next_step: "Please go back to the app and try again. If it happens again, tell the people who make the app.",
            code: "invalid_request",
        }
    }

    /// The same text everywhere.
    pub fn all(text: &'a str) -> Self {
        Self {
            app: text,
            username: text,
            scopes: [(text, text); 4],
            role: text,
            resource: text,
            host: text,
            url: text,
            token: text,
            title: text,
            message: text,
            next_step: text,
            code: text,
        }
    }

    /// All pages in all their states.
    pub fn render(&self) -> Vec<Sample> {
        let mut samples = self.consents();
        samples.extend(self.sign_ins());
        samples.extend(self.passwords());
        samples.extend(self.accounts());
        samples.extend(self.others());
        samples
    }

    fn sign_ins(&self) -> Vec<Sample> {
        const IDS: &[&str] = &["username", "password", "login-submit"];
        let page = |name, username, app, request, problem| {
            let (about, return_to, reason) = (&AboutApp::default(), None, None);
            sample(
                name,
                IDS,
                &SignIn { csrf: self.token, request, app, about, return_to, username, reason, problem },
            )
        };
        let (app, request) = (Some(self.app), Some(self.token));
        let wait = Duration::from_secs(290);
        vec![
            page("sign-in", "", app, request, None),
            page("sign-in-alone", "", None, None, None),
            page("sign-in-no-match", self.username, app, request, Some(SignInProblem::NotRecognized)),
            page(
                "sign-in-paused",
                self.username,
                app,
                request,
                Some(SignInProblem::TooManyAttempts { wait }),
            ),
            sample(
                "sign-in-unverified",
                IDS,
                &SignIn {
                    csrf: self.token,
                    request,
                    app,
                    about: &self.about(true),
                    return_to: None,
                    username: "",
                    reason: Some(SignInReason::AnotherAccount),
                    problem: None,
                },
            ),
            page("sign-in-expired", self.username, app, request, Some(SignInProblem::FormExpired)),
            sample(
                "sign-in-again",
                IDS,
                &SignIn {
                    csrf: self.token,
                    request,
                    app,
                    about: &AboutApp::default(),
                    return_to: None,
                    username: self.username,
                    reason: Some(SignInReason::StillYou),
                    problem: None,
                },
            ),
            sample(
                "select-account",
                &["account-continue", "account-other"],
                &SelectAccount {
                    csrf: self.token,
                    request: self.token,
                    app: self.app,
                    is_unverified: true,
                    username: self.username,
                    switch_account_url: self.url,
                },
            ),
        ]
    }

    /// What an app says of itself.
    fn about(&self, is_unverified: bool) -> AboutApp<'a> {
        let url = Some(self.url);
        AboutApp { is_unverified, logo: None, home: url, policy: url, terms: url }
    }

    fn consents(&self) -> Vec<Sample> {
        let roles = [self.role];
        let scopes: Vec<_> = self.scopes[..3]
            .iter()
            .enumerate()
            .map(|(i, &(name, description))| RequestedScope {
                name,
                description,
                roles: if i == 1 { &roles } else { &[] },
            })
            .collect();
        let left_out = [LeftOutScope { name: self.scopes[3].0, description: self.scopes[3].1 }];
        let resources = [
            RequestedResource { name: None, identifier: self.resource },
            RequestedResource { name: Some(self.app), identifier: self.resource },
        ];
        let consent = Consent {
            scope: "openid profile",
            claims: "phone_number",
            csrf: self.token,
            request: self.token,
            app: self.app,
            about: &AboutApp::default(),
            username: self.username,
            switch_account_url: self.url,
            scopes: &scopes,
            known: &[],
            left_out: &left_out,
            resources: &resources,
            destination: Destination::Site(self.host),
        };
        let both: &[&str] = &["consent-allow", "consent-deny"];
        vec![
            sample("consent-some-left-out", both, &consent),
            sample("consent-more", both, &Consent { scopes: &scopes[2..], known: &scopes[..2], ..consent }),
            sample("consent", both, &Consent { left_out: &[], resources: &[], ..consent }),
            sample(
                "consent-device",
                both,
                &Consent { left_out: &[], destination: Destination::Device("127.0.0.1:53122"), ..consent },
            ),
            sample(
                "consent-with-links",
                both,
                &Consent { left_out: &[], about: &self.about(false), ..consent },
            ),
            sample(
                "consent-unverified",
                both,
                &Consent { left_out: &[], resources: &[], about: &self.about(true), ..consent },
            ),
            sample(
                "consent-unverified-device",
                both,
                &Consent {
                    left_out: &[],
                    resources: &[],
                    about: &AboutApp { is_unverified: true, ..AboutApp::default() },
                    destination: Destination::Device("127.0.0.1:53122"),
                    ..consent
                },
            ),
            sample("consent-no-scope", both, &Consent { scopes: &[], left_out: &[], ..consent }),
            sample("consent-nothing", &["consent-deny"], &Consent { scopes: &[], ..consent }),
        ]
    }

    /// The page that posts to a client: with a script, and a form that goes elsewhere.
    pub fn form_post(&self) -> Sample {
        let uri = format!("https://app.example/cb?tenant={}", self.title);
        let fields = [("code", self.token), ("state", self.message), ("iss", self.url)]
            .map(|(name, value)| (name, Secret::new(value.to_owned())));
        sample("form-post", &["form-post-continue"], &FormPost { uri: &uri, fields: &fields })
    }

    fn passwords(&self) -> Vec<Sample> {
        const CHANGE: &[&str] = &["username", "current-password", "new-password", "new-password-again"];
        const SET: &[&str] = &["username", "new-password", "new-password-again"];
        let wait = Duration::from_secs(30);
        let change = |name, problem| {
            let page = Password { csrf: self.token, username: self.username, min_length: 10, problem };
            sample(name, CHANGE, &page)
        };
        let set = |name, problem| {
            let (csrf, token, username) = (self.token, self.token, self.username);
            sample(name, SET, &SetPassword { csrf, token, username, min_length: 10, problem })
        };
        vec![
            change("password", None),
            change("password-current", Some(PasswordProblem::CurrentNotRecognized)),
            change("password-short", Some(PasswordProblem::TooShort)),
            change("password-long", Some(PasswordProblem::TooLong)),
            change("password-differ", Some(PasswordProblem::NotTheSame)),
            change("password-paused", Some(PasswordProblem::TooManyAttempts { wait })),
            change("password-expired", Some(PasswordProblem::FormExpired)),
            set("set-password", None),
            set("set-password-short", Some(SetPasswordProblem::TooShort)),
            set("set-password-long", Some(SetPasswordProblem::TooLong)),
            set("set-password-differ", Some(SetPasswordProblem::NotTheSame)),
            set("set-password-expired", Some(SetPasswordProblem::FormExpired)),
        ]
    }

    fn accounts(&self) -> Vec<Sample> {
        let moment =
            |seconds| Moment::new(Timestamp::from_unix_seconds(seconds), Timestamp::from_unix_seconds(NOON));
        let session = |minutes: i64, is_this| Session {
            id: format!("0199a3f2-7c1e-7b44-9a53-{minutes:012}"),
            device: if is_this { "Firefox on Linux".to_owned() } else { self.app.to_owned() },
            address: Some(self.host),
            signed_in: moment(NOON - minutes * 3_600),
            last_used: moment(NOON - minutes * 60),
            is_this,
        };
        let sessions = [session(1, true), session(50, false), session(90, false)];
        let list = |name, sessions, outcome| {
            let page = Sessions { csrf: self.token, sessions, are_more: sessions.len() > 2, outcome };
            sample(name, if sessions.len() > 1 { &["end-others", "back"] } else { &["back"] }, &page)
        };
        let app = |is_odd, access| App {
            name: self.app,
            withdraw_url: "/account/apps/withdraw?client_id=c".to_owned(),
            is_unverified: is_odd,
            is_disabled: is_odd,
            skips_consent: is_odd,
            hosts: vec![self.host, self.url],
            scopes: self.scopes[usize::from(is_odd) * 4..]
                .iter()
                .map(|(_, words)| (*words).to_owned())
                .collect(),
            access,
            since: moment(NOON - 40 * 86_400),
            agreed_again: (!is_odd).then(|| moment(NOON - 86_400)),
        };
        let apps = [
            app(false, AppAccess::Lasting),
            app(false, AppAccess::WhileSignedIn),
            app(false, AppAccess::None),
            app(true, AppAccess::None),
        ];
        let withdraw = |name, skips_consent| {
            let page = Withdraw { csrf: self.token, client_id: self.code, app: self.app, skips_consent };
            sample(name, &["withdraw-confirm"], &page)
        };
        vec![
            sample(
                "account",
                &["sessions", "apps", "password", "sign-out"],
                &Account { username: self.username, email: self.host },
            ),
            list("sessions", &sessions[..2], None),
            list("sessions-alone", &sessions[..1], Some(SessionsOutcome::EndedOthers)),
            list("sessions-ended", &sessions[..2], Some(SessionsOutcome::Ended)),
            list("sessions-had-ended", &sessions, Some(SessionsOutcome::HadEnded)),
            list("sessions-expired", &sessions, Some(SessionsOutcome::FormExpired)),
            sample("apps", &["back"], &Apps { apps: &apps, are_more: true }),
            sample("apps-none", &["back"], &Apps { apps: &[], are_more: false }),
            withdraw("withdraw", false),
            withdraw("withdraw-own", true),
        ]
    }

    fn demo(&self, name: &'static str, more: Option<&str>) -> Sample {
        let page = Demo {
            username: self.username,
            access_token_claims: self.message,
            id_token_claims: more,
            issuer: self.url,
            client_id: self.code,
            client_secret: self.token,
            access_token: self.token,
            refresh_token: more,
        };
        sample(name, &["demo-tokens"], &page)
    }

    fn others(&self) -> Vec<Sample> {
        let (title, message) = (self.title, self.message);
        let link = Some(Link { href: self.url, text: "Go to the start page" });
        let sign_out = SignOut {
            csrf: self.token,
            username: self.username,
            action: "/sign-out",
            app: None,
            is_unverified: false,
            destination: None,
            hidden: &[],
        };
        let error = ErrorPage {
            title,
            message,
            next_step: self.next_step,
            code: Some(self.code),
            request_id: Some("0199a3f2-7c1e-7b44-9a53-2f6d1c8e0b17"),
            link,
        };
        let done = Done {
            title: "Your password is changed",
            message: "You are still signed in here, and signed out everywhere else.",
            link,
        };
        vec![
            sample("start", &[], &Start { username: None, demo_url: Some(self.url) }),
            sample(
                "start-signed-in",
                &[],
                &Start { username: Some(self.username), demo_url: Some(self.url) },
            ),
            self.demo("demo", Some(self.token)),
            self.demo("demo-without-more", None),
            sample("sign-out", &["logout-confirm"], &sign_out),
            sample(
                "sign-out-for-an-app",
                &["logout-confirm"],
                &SignOut {
                    action: "/logout/confirm",
                    app: Some(self.app),
                    is_unverified: true,
                    destination: Some(self.host),
                    hidden: &[("client_id", self.token), ("state", self.token)],
                    ..sign_out
                },
            ),
            sample("signed-out", &["logout-done"], &SignedOut),
            sample("error", &["error-page"], &error),
            sample(
                "error-bare",
                &["error-page"],
                &ErrorPage { code: None, request_id: None, link: None, ..error },
            ),
            sample("wrong-address", &["error-page"], &WrongAddress { address: self.url }),
            sample("done", &[], &done),
            sample("done-other", &[], &Done { title, message, link }),
        ]
    }
}

fn sample(name: &'static str, ids: &'static [&'static str], page: &impl Template) -> Sample {
    Sample { name, html: page.render().unwrap(), ids }
}
