//! The suite as a registered client.

use serde_json::{Value, json};

use crate::harness::{Assertion, ClientKey, JWT_BEARER, Server, unix_now};
use grantor::secret::{base64url, random_bytes};

/// Where the suite's own container receives codes. Nothing listens there.
pub const CALLBACK: &str = "https://localhost.emobix.co.uk:8443/test/a/grantor/callback";

/// Where the suite wants the browser back after a logout.
pub const POST_LOGOUT: &str = "https://localhost.emobix.co.uk:8443/test/a/grantor/post_logout_redirect";

/// A registered client.
pub struct Client {
    pub id: String,
    pub redirect_uri: String,
    pub authentication: Authentication,
}

/// How it authenticates at the token endpoint.
pub enum Authentication {
    /// `client_secret_basic`.
    Basic(String),
    /// `client_secret_post`.
    Post(String),
    /// `private_key_jwt`, with a `kid` or without.
    Key(ClientKey, Option<&'static str>),
}

impl Client {
    /// Registers one as `docs/conformance.md` says, with whatever else is given.
    pub fn register(server: &Server, arguments: &[&str]) -> Self {
        let usual = [
            &["client", "create", "--name", "Conformance suite", "--redirect-uri", CALLBACK][..],
            &["--scope", "openid profile email address phone offline_access", "--require-pkce", "false"],
            &["--post-logout-redirect-uri", POST_LOGOUT],
        ]
        .concat();
        let registered = server.cli(&[&usual, arguments].concat());
        let text = |name: &str| registered[name].as_str().unwrap().to_owned();
        Self {
            id: text("client_id"),
            redirect_uri: CALLBACK.to_owned(),
            authentication: Authentication::Basic(text("client_secret")),
        }
    }

    /// The same client as it authenticates by `client_secret_post`.
    pub fn by_post(self) -> Self {
        let authentication = match self.authentication {
            Authentication::Basic(secret) => Authentication::Post(secret),
            other => other,
        };
        Self { authentication, ..self }
    }

    /// The request with the client's authentication.
    pub fn authenticate(
        &self,
        request: reqwest::RequestBuilder,
        form: &[(&str, &str)],
        issuer: &str,
    ) -> reqwest::RequestBuilder {
        let id = self.id.as_str();
        match &self.authentication {
            Authentication::Basic(secret) => request.basic_auth(id, Some(secret)).form(form),
            Authentication::Post(secret) => {
                request.form(&[form, &[("client_id", id), ("client_secret", secret)]].concat())
            }
            Authentication::Key(key, kid) => {
                let assertion = self.assertion(*kid, issuer).signed_by(key);
                let with = [("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)];
                request.form(&[form, &with].concat())
            }
        }
    }

    /// What the suite claims, for this issuer alone.
    fn assertion(&self, kid: Option<&str>, issuer: &str) -> Assertion {
        let (id, now) = (&self.id, unix_now());
        let jti = base64url(&random_bytes::<15>());
        let claims = json!({
            "iss": id, "sub": id, "aud": issuer, "jti": jti, "nbf": now, "iat": now, "exp": now + 60,
        });
        let header = kid.map_or(json!({"alg": "RS256"}), |kid| json!({"alg": "RS256", "kid": kid}));
        Assertion { header, claims }
    }
}

/// The public part of a key as the suite registers it: with its algorithm, and with a `kid` or without.
pub fn public_jwk(key: &ClientKey, kid: Option<&str>) -> Value {
    let mut jwk = key.jwk(kid.unwrap_or_default());
    jwk["alg"] = json!("RS256");
    if kid.is_none() {
        jwk.as_object_mut().unwrap().remove("kid");
    }
    jwk
}
