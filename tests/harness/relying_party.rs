//! A client that does the authorization-code flow.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::secret::{base64url, random_bytes, sha256};
use reqwest::Method;
use serde_json::Value;

use super::browser::{Answer, Browser};
use super::server::Server;

/// Where the tests' clients receive their codes. Nothing listens there.
pub const REDIRECT_URI: &str = "https://app.example/callback";

/// A registered client.
#[derive(Clone)]
pub struct RelyingParty {
    pub client_id: String,
    /// `None` for a public client.
    pub client_secret: Option<String>,
    pub redirect_uri: String,
    http: Browser,
}

/// What the token endpoint gave.
#[derive(Debug, Clone)]
pub struct Tokens(pub Value);

impl Tokens {
    pub fn access_token(&self) -> &str {
        self.0["access_token"].as_str().unwrap()
    }

    pub fn refresh_token(&self) -> &str {
        self.0["refresh_token"].as_str().unwrap()
    }

    pub fn scope(&self) -> &str {
        self.0["scope"].as_str().unwrap()
    }

    /// The claims of the access token, unverified.
    pub fn claims(&self) -> Value {
        claims_of(self.access_token())
    }
}

/// The claims of a JWT, unverified.
pub fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// A code verifier and its challenge.
pub fn pkce() -> (String, String) {
    let verifier = base64url(&random_bytes::<32>());
    let challenge = base64url(&sha256(verifier.as_bytes()));
    (verifier, challenge)
}

impl RelyingParty {
    /// Registers a confidential client with [`REDIRECT_URI`] and whatever else is given.
    pub fn register(server: &Server, arguments: &[&str]) -> Self {
        let mut all = vec!["client", "create"];
        if !arguments.contains(&"--name") {
            all.extend(["--name", "Test app"]);
        }
        if !arguments.contains(&"--redirect-uri") {
            all.extend(["--redirect-uri", REDIRECT_URI]);
        }
        all.extend(arguments);
        let registered = server.cli(&all);
        let redirect_uri = arguments
            .iter()
            .position(|argument| *argument == "--redirect-uri")
            .map_or(REDIRECT_URI, |position| arguments[position + 1]);
        Self {
            client_id: registered["client_id"].as_str().unwrap().to_owned(),
            client_secret: registered["client_secret"].as_str().map(str::to_owned),
            redirect_uri: redirect_uri.to_owned(),
            http: Browser::new(server),
        }
    }

    /// A client that has registered itself, by what it was told.
    pub fn registered(server: &Server, registered: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            client_id: text(&registered["client_id"]).unwrap(),
            client_secret: text(&registered["client_secret"]),
            redirect_uri: text(&registered["redirect_uris"][0]).unwrap_or_default(),
            http: Browser::new(server),
        }
    }

    /// The same client, speaking to another server on the same database.
    pub fn at(&self, server: &Server) -> Self {
        Self { http: Browser::new(server), ..self.clone() }
    }

    /// The same client as it presents another secret, or none.
    pub fn with_secret(&self, secret: Option<&str>) -> Self {
        Self { client_secret: secret.map(str::to_owned), ..self.clone() }
    }

    /// Where the server is that this client speaks to, without the scheme.
    pub fn address(&self) -> &str {
        self.http.address()
    }

    /// An authorization URL's path with these parameters beyond the usual ones; a parameter given here
    /// replaces the usual one, and with an empty value it is left out.
    pub fn authorize_path(&self, challenge: &str, more: &[(&str, &str)]) -> String {
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", "openid profile"),
            ("state", "st4te"),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ];
        parameters.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        parameters.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("/authorize?{query}")
    }

    /// The whole flow in this browser, for this person; the tokens.
    pub async fn sign_in(&self, browser: &Browser, name: &str, more: &[(&str, &str)]) -> Tokens {
        let (code, verifier) = self.code(browser, name, more).await;
        let answer = self.redeem(&code, &verifier, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Tokens(answer.json())
    }

    /// The flow up to the code; the code and its verifier.
    pub async fn code(&self, browser: &Browser, name: &str, more: &[(&str, &str)]) -> (String, String) {
        let (verifier, challenge) = pkce();
        let answer = browser.authorize(&self.authorize_path(&challenge, more), name).await;
        let code = answer.parameter("code");
        (code.unwrap_or_else(|| panic!("no code: {:?} {}", answer.location(), answer.body)), verifier)
    }

    /// Redeems a code.
    pub async fn redeem(&self, code: &str, verifier: &str, more: &[(&str, &str)]) -> Answer {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", verifier),
            ("redirect_uri", &self.redirect_uri),
        ];
        form.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        form.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        self.token(&form).await
    }

    /// Uses a refresh token.
    pub async fn refresh(&self, refresh_token: &str, more: &[(&str, &str)]) -> Answer {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        form.extend(more);
        self.token(&form).await
    }

    /// A request to the token endpoint, authenticated as the client is registered.
    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.post("/token", form).await
    }

    /// What introspection says of a token.
    pub async fn introspect(&self, token: &str) -> Value {
        let answer = self.post("/introspect", &[("token", token)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    pub async fn revoke(&self, token: &str) -> Answer {
        self.post("/revoke", &[("token", token)]).await
    }

    /// A form, authenticated by Basic, or by naming the public client.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut form = form.to_vec();
        let request = self.http.request(Method::POST, path);
        let request = match &self.client_secret {
            Some(secret) => request.basic_auth(&self.client_id, Some(secret)),
            None => {
                form.push(("client_id", &self.client_id));
                request
            }
        };
        Answer::read(request.form(&form).send().await.unwrap()).await
    }
}
