//! The suite at work: an installation that speaks TLS, a person's browser, and what the suite does in every module.

use jsonwebtoken::Header;
use jsonwebtoken::jwk::JwkSet;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::authorization::Callback;
use super::{Client, Request, ResponseMode, checks};
use crate::harness::{Answer, Browser, Certificate, Server, Settings, jwt, password_of};

/// The type of a form as the suite's HTTP client writes it.
pub const FORM: &str = "application/x-www-form-urlencoded;charset=UTF-8";

/// The person who signs in.
pub const PERSON: &str = "buffy";

/// All that can be known of the person, so that no claim of a standard scope is missing.
const CLAIMS: [&str; 13] = [
    "name=Buffy Summers",
    "given_name=Buffy",
    "family_name=Summers",
    "middle_name=Anne",
    "nickname=Buff",
    "profile=https://people.example/buffy",
    "picture=https://people.example/buffy.png",
    "website=https://buffy.example",
    "gender=female",
    "birthdate=1981-01-19",
    "zoneinfo=America/Los_Angeles",
    "locale=en-US",
    "phone_number=+1 555 0100",
];
const ADDRESS: &str =
    r#"address={"street_address":"1630 Revello Drive","locality":"Sunnydale","country":"US"}"#;

/// An installation and its visitors.
pub struct Suite {
    pub server: Server,
    certificate: Certificate,
    /// The person's browser. A module begins without cookies.
    pub browser: Browser,
    pub metadata: Value,
    mode: ResponseMode,
}

/// A flow that succeeded, checked as the suite checks every one.
pub struct SignedIn {
    pub tokens: Value,
    /// The ID token as it came.
    pub hint: String,
    pub header: Header,
    pub id_token: Value,
    pub userinfo: Value,
}

impl SignedIn {
    pub fn access_token(&self) -> &str {
        self.tokens["access_token"].as_str().unwrap()
    }

    pub fn auth_time(&self) -> i64 {
        self.id_token["auth_time"].as_i64().expect("an auth_time")
    }
}

impl Suite {
    pub async fn start(mode: ResponseMode) -> Self {
        Self::start_with(mode, |settings| settings).await
    }

    pub async fn start_with(mode: ResponseMode, more: impl FnOnce(Settings) -> Settings) -> Self {
        let certificate = Certificate::new();
        let server = Server::start_with(more(certificate.settings())).await;
        let email = format!("{PERSON}@example.com");
        let mut arguments = vec!["user", "create", "--username", PERSON, "--email", &email];
        arguments.extend(["--email-verified", "--password-stdin", "--claim", ADDRESS]);
        for claim in CLAIMS.iter().chain(&["phone_number_verified=true"]) {
            arguments.extend(["--claim", claim]);
        }
        let made = server.cli_output(&arguments, &format!("{}\n", password_of(PERSON)));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let browser = certificate.browser(&server);
        // OpenID Connect Discovery §4.2.
        let answer = browser.get("/.well-known/openid-configuration").await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/json")));
        let metadata = answer.json();
        Self { server, certificate, browser, metadata, mode }
    }

    pub fn issuer(&self) -> &str {
        &self.server.issuer
    }

    /// An address that the metadata names.
    #[track_caller]
    pub fn endpoint(&self, name: &str) -> &str {
        self.metadata[name].as_str().unwrap_or_else(|| panic!("the metadata names no {name}"))
    }

    /// A client without cookies of its own.
    pub fn http(&self) -> Browser {
        self.certificate.browser(&self.server)
    }

    /// A request of the suite's own to an endpoint, with the headers that its HTTP client always sends.
    pub fn ask(&self, method: Method, endpoint: &str) -> RequestBuilder {
        let request = self.http().request(method, self.endpoint(endpoint));
        request.header("accept", "application/json;charset=UTF-8").header("accept-charset", "utf-8")
    }

    /// The usual request of this client.
    pub fn request(&self, client: &Client) -> Request {
        Request::new(client, self.mode)
    }

    /// Where a request leads without anybody doing anything: to a page, or back to the client.
    pub async fn open(&self, request: &Request) -> Answer {
        let url = format!("{}?{}", self.endpoint("authorization_endpoint"), request.query());
        self.browser.follow(self.browser.get(&url).await).await
    }

    /// Goes through whatever pages come, allowing.
    pub async fn allow(&self, page: Answer) -> Answer {
        let mut answer = page;
        if answer.has_id("login-submit") {
            answer = self.browser.sign_in_on(&answer, PERSON).await;
        }
        if answer.has_id("consent-allow") {
            let allowed = self.browser.submit(&answer, &[("decision", "allow")]).await;
            answer = self.browser.follow(allowed).await;
        }
        answer
    }

    /// What a request is answered with in the end.
    pub async fn authorize(&self, request: &Request) -> Callback {
        let page = self.open(request).await;
        request.callback(&self.allow(page).await)
    }

    /// What a request is answered with where no page may be shown.
    pub async fn answered_at_once(&self, request: &Request) -> Callback {
        request.callback(&self.open(request).await)
    }

    /// A request to the token endpoint.
    pub async fn token(&self, client: &Client, form: &[(&str, &str)]) -> Answer {
        let request = self.ask(Method::POST, "token_endpoint").header("content-type", FORM);
        Answer::read(client.authenticate(request, form, self.issuer()).send().await.unwrap()).await
    }

    /// A code as the suite redeems it.
    pub async fn redeem(&self, client: &Client, code: &str) -> Answer {
        let form =
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", &client.redirect_uri)];
        self.token(client, &form).await
    }

    /// The whole flow.
    pub async fn sign_in(&self, client: &Client, request: &Request) -> SignedIn {
        self.finish(client, request, self.authorize(request).await).await
    }

    /// The rest of the flow from the answer to the request on.
    pub async fn finish(&self, client: &Client, request: &Request, callback: Callback) -> SignedIn {
        let answer = self.redeem(client, callback.code(self.issuer())).await;
        let tokens = answer.tokens().0;
        assert!(tokens["expires_in"].as_i64().is_some_and(|seconds| seconds > 0), "{tokens}");
        let (header, id_token) = self.checked(client, &tokens, request.get("nonce")).await;
        let answer = self.userinfo(tokens["access_token"].as_str().unwrap()).await;
        let userinfo = checks::userinfo(&answer, &id_token);
        let hint = tokens["id_token"].as_str().unwrap().to_owned();
        SignedIn { tokens, hint, header, id_token, userinfo }
    }

    /// The ID token of a token response, checked.
    pub async fn checked(&self, client: &Client, tokens: &Value, nonce: Option<&str>) -> (Header, Value) {
        let token = tokens["id_token"].as_str().expect("an ID token");
        let verified = jwt::verify_by(&self.keys().await, self.issuer(), token, &client.id);
        checks::id_token(&verified.claims);
        assert_eq!(verified.claims.get("nonce"), nonce.map(|nonce| json!(nonce)).as_ref());
        (verified.header, verified.claims)
    }

    /// The published keys.
    pub async fn keys(&self) -> JwkSet {
        let answer = self.http().get(self.endpoint("jwks_uri")).await;
        checks::key_set(&answer.json());
        serde_json::from_str(&answer.body).unwrap()
    }

    /// UserInfo, by GET and with the token in the header.
    pub async fn userinfo(&self, access_token: &str) -> Answer {
        let request = self.ask(Method::GET, "userinfo_endpoint");
        Answer::read(request.bearer_auth(access_token).send().await.unwrap()).await
    }

    /// The values that a field of the metadata lists.
    pub fn supported(&self, name: &str) -> Vec<&str> {
        let values = self.metadata[name].as_array().map(Vec::as_slice).unwrap_or_default();
        values.iter().map(|value| value.as_str().unwrap()).collect()
    }
}
