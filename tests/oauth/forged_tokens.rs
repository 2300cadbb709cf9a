//! Access tokens that Grantor did not make, or not so (RFC 8725): inactive, whoever asks.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use grantor::secret::{base64url, from_base64url};
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use rsa::{BigUint, RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};

use crate::harness::{Browser, RelyingParty, Server, claims_of, jwt};

/// A genuine token, taken apart.
struct Genuine {
    head: String,
    header: Value,
    payload: String,
    signature: String,
    id_token: String,
    public_key: RsaPublicKey,
    client_secret: String,
}

impl Genuine {
    fn token(&self) -> String {
        format!("{}.{}.{}", self.head, self.payload, self.signature)
    }

    /// With other header members; `null` takes one away.
    fn header_with(&self, members: &Value) -> String {
        let mut header = self.header.clone();
        for (name, value) in members.as_object().unwrap() {
            header[name] = value.clone();
        }
        header.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        encode(&header)
    }

    /// With this header and the genuine signature.
    fn reheaded(&self, members: &Value) -> String {
        format!("{}.{}.{}", self.header_with(members), self.payload, self.signature)
    }

    fn signed_by(&self, members: &Value, algorithm: Algorithm, key: &EncodingKey) -> String {
        let input = format!("{}.{}", self.header_with(members), self.payload);
        let signature = sign(input.as_bytes(), key, algorithm).unwrap();
        format!("{input}.{signature}")
    }
}

fn encode(json: &Value) -> String {
    base64url(json.to_string().as_bytes())
}

async fn genuine(server: &Server, app: &RelyingParty, browser: &Browser) -> Genuine {
    let tokens = app.sign_in(browser, "alice", &[]).await;
    let parts: Vec<&str> = tokens.access_token().split('.').collect();
    let key = serde_json::to_value(jwt::key_of(server, tokens.access_token()).await).unwrap();
    let number = |name: &str| BigUint::from_bytes_be(&from_base64url(key[name].as_str().unwrap()).unwrap());
    Genuine {
        head: parts[0].to_owned(),
        header: serde_json::from_slice(&from_base64url(parts[0]).unwrap()).unwrap(),
        payload: parts[1].to_owned(),
        signature: parts[2].to_owned(),
        id_token: tokens.0["id_token"].as_str().unwrap().to_owned(),
        public_key: RsaPublicKey::new(number("n"), number("e")).unwrap(),
        client_secret: app.client_secret.clone().unwrap(),
    }
}

/// Case 49: no algorithm, in five spellings.
fn without_algorithm(genuine: &Genuine) -> Vec<String> {
    let spellings = ["none", "None", "NONE", "nOnE", "", "none "];
    let heads =
        spellings.map(|alg| format!("{}.{}", genuine.header_with(&json!({"alg": alg})), genuine.payload));
    heads.iter().flat_map(|head| [format!("{head}."), format!("{head}.{}", genuine.signature)]).collect()
}

/// Case 49: the public key, in whatever form, taken for a shared secret.
fn with_a_public_key_as_secret(genuine: &Genuine) -> Vec<String> {
    let key = &genuine.public_key;
    let secrets: [Vec<u8>; 8] = [
        key.to_public_key_pem(LineEnding::LF).unwrap().into_bytes(),
        key.to_public_key_pem(LineEnding::LF).unwrap().trim_end().as_bytes().to_vec(),
        key.to_pkcs1_pem(LineEnding::LF).unwrap().into_bytes(),
        key.to_public_key_der().unwrap().into_vec(),
        key.to_pkcs1_der().unwrap().into_vec(),
        Vec::new(),
        genuine.client_secret.clone().into_bytes(),
        genuine.header["kid"].as_str().unwrap().as_bytes().to_vec(),
    ];
    let algorithms = [("HS256", Algorithm::HS256), ("HS512", Algorithm::HS512)];
    let pairs = secrets.iter().flat_map(|secret| algorithms.map(|algorithm| (secret, algorithm)));
    pairs
        .map(|(secret, (name, algorithm))| {
            genuine.signed_by(&json!({"alg": name}), algorithm, &EncodingKey::from_secret(secret))
        })
        .collect()
}

/// Case 49: headers that point to a key of the attacker's, or to nothing.
fn with_an_own_key(genuine: &Genuine) -> Vec<String> {
    let own = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let key = EncodingKey::from_rsa_der(own.to_pkcs1_der().unwrap().as_bytes());
    let number = |number: &BigUint| base64url(&number.to_bytes_be());
    let jwk = json!({"kty": "RSA", "n": number(rsa::traits::PublicKeyParts::n(&own)), "e": "AQAB"});
    let long = "a".repeat(9_000);
    let headers = [
        json!({}),
        json!({"jwk": jwk}),
        json!({"jwk": jwk, "kid": null}),
        json!({"jku": "http://127.0.0.1:9/keys"}),
        json!({"x5u": "http://127.0.0.1:9/cert"}),
        json!({"x5c": ["MIIB"]}),
        json!({"kid": null}),
        json!({"kid": "../../../../dev/null"}),
        json!({"kid": "' UNION SELECT 'key' --"}),
        json!({"kid": "a\u{0}b"}),
        json!({"kid": long}),
        json!({"kid": "http://127.0.0.1:9/key"}),
        json!({"kid": ["x"]}),
    ];
    headers.iter().map(|header| genuine.signed_by(header, Algorithm::RS256, &key)).collect()
}

/// The genuine signature under another header: what is signed is no longer what is said.
fn with_another_header(genuine: &Genuine) -> Vec<String> {
    let headers = [
        json!({"typ": "JWT"}),
        json!({"typ": "AT+JWT"}),
        json!({"typ": "application/at+jwt"}),
        json!({"typ": null}),
        json!({"alg": "RS512"}),
        json!({"alg": "PS256"}),
        json!({"alg": "rs256"}),
        json!({"crit": ["exp"], "exp": 1}),
        json!({"crit": []}),
        json!({"b64": false, "crit": ["b64"]}),
        json!({"zip": "DEF"}),
        json!({"cty": "JWT"}),
    ];
    let mut tokens: Vec<String> = headers.iter().map(|header| genuine.reheaded(header)).collect();
    let id_token: Vec<&str> = genuine.id_token.split('.').collect();
    // An ID token is no access token, and the halves of two make none either.
    tokens.push(genuine.id_token.clone());
    tokens.push(format!("{}.{}.{}", genuine.head, id_token[1], id_token[2]));
    tokens.push(format!("{}.{}.{}", id_token[0], genuine.payload, genuine.signature));
    tokens
}

/// The genuine token with something changed on the way.
fn damaged(genuine: &Genuine) -> Vec<String> {
    let (token, head) = (genuine.token(), &genuine.head);
    let claims = |name: &str, value: Value| {
        let mut claims = claims_of(&genuine.token());
        claims[name] = value;
        format!("{head}.{}.{}", encode(&claims), genuine.signature)
    };
    let signature = from_base64url(&genuine.signature).unwrap();
    let mut zero = signature.clone();
    zero.fill(0);
    // The last letter of a signature of 256 bytes has four bits that stand for nothing.
    let last = if genuine.signature.ends_with('A') { 'B' } else { 'A' };
    let cut = &genuine.signature[..genuine.signature.len() - 1];
    vec![
        claims("sub", json!("somebody else")),
        claims("exp", json!(9_999_999_999_i64)),
        claims("scope", json!("openid profile admin")),
        claims("aud", json!("https://other.example")),
        format!("{head}.{}.{cut}{last}", genuine.payload),
        format!("{head}.{}.{cut}", genuine.payload),
        format!("{head}.{}.{}=", genuine.payload, genuine.signature),
        format!("{head}.{}.{}", genuine.payload, URL_SAFE.encode(&signature)),
        format!("{head}.{}.{}", genuine.payload, base64url(&zero)),
        format!("{head}.{}.{}", genuine.payload, base64url(&signature[..128])),
        format!("{head}.{}.", genuine.payload),
        format!("{head}.{}", genuine.payload),
        format!("{token}."),
        format!("{token}.x"),
        format!("{token} "),
        format!(" {token}"),
        format!("Bearer {token}"),
        token[..token.len() / 2].to_owned(),
        token.replace('.', ".."),
        token.to_lowercase(),
        format!("[{token}]"),
    ]
}

/// Case 46.
fn junk() -> Vec<String> {
    let long = "a".repeat(5_000);
    let junk = [
        "",
        " ",
        "x",
        "..",
        "...",
        "a.b.c",
        "e30.e30.e30",
        "{}",
        "null",
        "\u{202e}",
        "grr_",
        "grc_AAAA",
        "%00",
    ];
    let mut junk: Vec<String> = junk.map(str::to_owned).into();
    junk.extend([format!("{long}.{long}.{long}"), long]);
    junk
}

/// A way to forge tokens out of a genuine one.
type Forge = fn(&Genuine) -> Vec<String>;

#[tokio::test]
async fn none_of_them_is_active_or_can_be_revoked() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let genuine = genuine(&server, &app, &browser).await;
    // The pieces put together again are the token: what follows fails for its change alone.
    assert_eq!(app.introspect(&genuine.token()).await["active"], true);

    let kinds: [(&str, Forge); 6] = [
        ("no algorithm", without_algorithm),
        ("the public key as secret", with_a_public_key_as_secret),
        ("an own key", with_an_own_key),
        ("another header", with_another_header),
        ("damaged", damaged),
        ("junk", |_| junk()),
    ];
    for (kind, forge) in kinds {
        for token in forge(&genuine) {
            assert_eq!(app.introspect(&token).await, json!({"active": false}), "{kind}: {token}");
            let revoked = app.revoke(&token).await;
            assert_eq!(revoked.status, 200, "{kind}: {token} {}", revoked.body);
        }
    }
    assert_eq!(app.introspect(&genuine.token()).await["active"], true);
}
