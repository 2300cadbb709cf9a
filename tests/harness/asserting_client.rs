//! A client that signs assertions (RFC 7523 §2.2), and the server that it publishes its keys on.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use grantor::secret::{base64url, random_bytes};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::browser::Answer;
use super::relying_party::RelyingParty;
use super::server::Server;

pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client signs with.
pub enum ClientKey {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
    Secret(String),
}

impl ClientKey {
    pub fn rsa(bits: KeySize) -> Self {
        Self::Rsa(Box::new(RsaKeyPair::generate(bits).unwrap()))
    }

    pub fn p256() -> Self {
        Self::P256(Box::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()))
    }

    pub fn ed25519() -> Self {
        Self::Ed25519(Box::new(Ed25519KeyPair::generate().unwrap()))
    }

    /// The public key as a JWK with this `kid`.
    pub fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Rsa(pair) => {
                let key: &rsa::PublicKey = pair.public_key();
                let big = |number: &[u8]| {
                    let zeros = number.iter().take_while(|byte| **byte == 0).count();
                    base64url(&number[zeros..])
                };
                let (n, e) = (
                    big(key.modulus().big_endian_without_leading_zero()),
                    big(key.exponent().big_endian_without_leading_zero()),
                );
                json!({"kty": "RSA", "kid": kid, "n": n, "e": e})
            }
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": base64url(&point[1..33]), "y": base64url(&point[33..])})
            }
            Self::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64url(pair.public_key().as_ref())})
            }
            Self::Secret(_) => panic!("a secret has no public key"),
        }
    }

    fn usual_alg(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "Ed25519",
            Self::Secret(_) => "HS256",
        }
    }

    fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(pair) => {
                let encoding: &dyn RsaEncoding =
                    if alg == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Self::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Secret(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
                hmac::sign(&key, message).as_ref().to_vec()
            }
        }
    }
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a client has a clock of its own")]
pub fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}

/// A registered client with a key.
pub struct AssertingClient {
    pub party: RelyingParty,
    pub key: ClientKey,
    issuer: String,
}

/// An assertion before it is signed.
#[derive(Clone)]
pub struct Assertion {
    pub header: Value,
    pub claims: Value,
}

impl Assertion {
    /// With another claim; null: without it.
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        set(&mut self.claims, name, value);
        self
    }

    /// With another member of the header; null: without it.
    pub fn header(mut self, name: &str, value: Value) -> Self {
        set(&mut self.header, name, value);
        self
    }

    pub fn signed_by(&self, key: &ClientKey) -> String {
        let encode = |part: &Value| base64url(part.to_string().as_bytes());
        let input = format!("{}.{}", encode(&self.header), encode(&self.claims));
        let signature = key.sign(self.header["alg"].as_str().unwrap_or_default(), input.as_bytes());
        format!("{input}.{}", base64url(&signature))
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}

const GRANTS: [&str; 4] = ["--grant", "client_credentials", "--grant", "authorization_code"];

impl AssertingClient {
    /// Registers a client with this key by value, and whatever else is given.
    pub fn register(server: &Server, key: ClientKey, arguments: &[&str]) -> Self {
        let jwks = server.state.path().join(format!("jwks-{}", base64url(&random_bytes::<9>())));
        std::fs::write(&jwks, json!({"keys": [key.jwk("one")]}).to_string()).unwrap();
        let by_value = ["--auth-method", "private_key_jwt", "--jwks", jwks.to_str().unwrap()];
        Self::of(server, key, &[&by_value, arguments].concat())
    }

    /// Registers a client whose keys lie at this address.
    pub fn register_at(server: &Server, key: ClientKey, uri: &str) -> Self {
        Self::of(server, key, &["--auth-method", "private_key_jwt", "--jwks-uri", uri])
    }

    /// Registers a client that signs with its secret.
    pub fn register_with_secret(server: &Server) -> Self {
        let party =
            RelyingParty::register(server, &[&GRANTS[..], &["--auth-method", "client_secret_jwt"]].concat());
        let key = ClientKey::Secret(party.client_secret.clone().unwrap());
        Self { party: party.with_secret(None), key, issuer: server.issuer.clone() }
    }

    fn of(server: &Server, key: ClientKey, arguments: &[&str]) -> Self {
        let party = RelyingParty::register(server, &[&GRANTS[..], arguments].concat());
        assert_eq!(party.client_secret, None, "a client with keys has no secret");
        Self { party, key, issuer: server.issuer.clone() }
    }

    /// An assertion as it should be.
    pub fn assertion(&self) -> Assertion {
        let (id, now) = (&self.party.client_id, unix_now());
        let mut header =
            json!({"alg": self.key.usual_alg(), "typ": "client-authentication+jwt", "kid": "one"});
        if matches!(self.key, ClientKey::Secret(_)) {
            set(&mut header, "kid", Value::Null);
        }
        let jti = base64url(&random_bytes::<16>());
        let claims =
            json!({"iss": id, "sub": id, "aud": self.issuer, "iat": now, "exp": now + 60, "jti": jti});
        Assertion { header, claims }
    }

    /// A fresh assertion, signed.
    pub fn signed(&self) -> String {
        self.assertion().signed_by(&self.key)
    }

    /// Asks for a token with this assertion.
    pub async fn token_with(&self, assertion: &str) -> Answer {
        self.post_with("/token", assertion, &[("grant_type", "client_credentials")]).await
    }

    /// A form with this assertion.
    pub async fn post_with(&self, path: &str, assertion: &str, form: &[(&str, &str)]) -> Answer {
        let authentication = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
        self.party.post(path, &[&authentication, form].concat()).await
    }

    /// Asks for a token as it should.
    pub async fn token(&self) -> Answer {
        self.token_with(&self.signed()).await
    }
}

/// A server on this machine from which keys can be fetched. What it answers can be changed.
pub struct KeyServer {
    pub address: SocketAddr,
    visits: Arc<AtomicUsize>,
    answer: Arc<Mutex<(String, Duration)>>,
}

impl KeyServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (visits, answer) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let (counted, given): (_, Arc<Mutex<(String, Duration)>>) =
            (Arc::clone(&visits), Arc::clone(&answer));
        tokio::spawn(async move {
            while let Ok((mut visitor, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (answer, delay) = given.lock().unwrap().clone();
                tokio::spawn(async move {
                    let _ = visitor.read(&mut [0; 4096]).await;
                    tokio::time::sleep(delay).await;
                    let _ = visitor.write_all(answer.as_bytes()).await;
                    let _ = visitor.shutdown().await;
                });
            }
        });
        Self { address, visits, answer }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn uri(&self) -> String {
        format!("{}/jwks.json", self.origin())
    }

    /// How often somebody came.
    pub fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }

    /// From now on it answers so: status line and headers, then the body, after a while.
    pub fn answers(&self, head: &str, body: &str, delay: Duration) {
        let answer =
            format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        *self.answer.lock().unwrap() = (answer, delay);
    }

    /// From now on it publishes these keys.
    pub fn publishes(&self, keys: &[Value]) {
        self.answers("200 OK", &json!({ "keys": keys }).to_string(), Duration::ZERO);
    }
}
