//! Clients that authenticate with an assertion for each token (RFC 7523).

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use grantor::secret::{base64url, random_bytes};
use grantor::time::Timestamp;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::load::{Answer, Progress, RequestSource, request};
use crate::rows::sources::Supply;
use crate::site::{HOST, ISSUER, Site};

/// One connection's assertions.
pub struct Assertions {
    /// How many there are still to be, of all connections.
    due: Supply<()>,
    client_id: String,
    key: Arc<EcdsaKeyPair>,
    offset: File,
}

impl Assertions {
    /// A client for so many connections.
    pub fn register(site: &Site, clock: &Clock, due: &Supply<()>, connections: usize) -> Vec<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key can be made");
        let point = key.public_key().as_ref();
        let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "one", "x": base64url(&point[1..33]),
            "y": base64url(&point[33..])});
        let jwks = site.directory().join("client-jwks.json");
        fs::write(&jwks, json!({"keys": [jwk]}).to_string()).expect("the directory is ours");
        let jwks = jwks.display().to_string();
        let what = ["client", "create", "--name", "Asserting", "--grant", "client_credentials", "--json"];
        let how = ["--auth-method", "private_key_jwt", "--jwks", &jwks];
        let client = site.run(&[&what[..], &how].concat(), "");
        let client: Value = serde_json::from_slice(&client).expect("it answers in JSON");
        let client_id = client["client_id"].as_str().expect("it has an identifier");
        let key = Arc::new(key);
        let one = |_| Self {
            due: due.clone(),
            client_id: client_id.to_owned(),
            key: Arc::clone(&key),
            offset: File::open(clock.offset()).expect("the clock is there"),
        };
        (0..connections).map(one).collect()
    }

    /// Seconds since 1970 by the moved clock.
    fn now(&self) -> i64 {
        let mut ahead = [0; 8];
        self.offset.read_exact_at(&mut ahead, 0).expect("the clock is there");
        Timestamp::now().unix_seconds() + i64::from_ne_bytes(ahead)
    }

    fn signed(&self) -> String {
        let (id, now) = (&self.client_id, self.now());
        let jti = base64url(&random_bytes::<16>());
        let header = json!({"alg": "ES256", "typ": "client-authentication+jwt", "kid": "one"});
        let claims = json!({"iss": id, "sub": id, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": jti});
        let encode = |part: &Value| base64url(part.to_string().as_bytes());
        let input = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(&SystemRandom::new(), input.as_bytes()).expect("it can sign");
        format!("{input}.{}", base64url(signature.as_ref()))
    }
}

impl RequestSource for Assertions {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        if self.due.take().is_none() {
            return false;
        }
        let assertion = self.signed();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        request.extend_from_slice(&request::post(HOST, "/token", &[], &form));
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        answer.expect(200)
    }
}
