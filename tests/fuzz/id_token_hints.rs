//! What comes back as `id_token_hint`.

use std::sync::{Arc, LazyLock};

use grantor::jose::{PublicJwk, VerificationKey, VerificationKeys};
use grantor::secret::base64url;
use grantor::tokens::{IdTokenHint, IdTokenHintError};
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use super::{Edits, Pieces, assemble, edited, further_members};

const ISSUER: &str = "https://id.example";

struct Signer {
    kid: String,
    private: EncodingKey,
    public_der: Vec<u8>,
    jwk: PublicJwk,
}

impl Signer {
    fn generate() -> Self {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        let jwk =
            PublicJwk::rsa(grantor::jose::Algorithm::Rs256, &key.n().to_bytes_be(), &key.e().to_bytes_be());
        Self {
            kid: jwk.kid().to_owned(),
            private: EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes()),
            public_der: key.to_public_key().to_pkcs1_der().unwrap().into_vec(),
            jwk,
        }
    }

    fn header(&self, typ: &str) -> Value {
        json!({"alg": "RS256", "typ": typ, "kid": self.kid})
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        self.signed(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    fn signed(&self, header: &[u8], claims: &[u8]) -> String {
        let input = format!("{}.{}", base64url(header), base64url(claims));
        let signature =
            jsonwebtoken::crypto::sign(input.as_bytes(), &self.private, Algorithm::RS256).unwrap();
        format!("{input}.{signature}")
    }
}

static OURS: LazyLock<Signer> = LazyLock::new(Signer::generate);
static KEYS: LazyLock<VerificationKeys> = LazyLock::new(|| {
    [(OURS.kid.clone(), Arc::new(VerificationKey::new(&OURS.jwk).unwrap()))].into_iter().collect()
});

/// An ID token as every release has made it; `exp` is long past.
fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "alice", "aud": "app", "exp": 1_000_600, "iat": 1_000_000, "auth_time": 999_000,
        "at_hash": "x"
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn read(token: &str) -> Result<IdTokenHint, IdTokenHintError> {
    IdTokenHint::verify(token, &KEYS, ISSUER)
}

#[test]
fn an_id_token_of_ours_is_read_although_it_has_expired() {
    let hint = read(&OURS.token(&OURS.header("JWT"), &with(claims(), "sid", json!("s")))).unwrap();
    assert_eq!((hint.sub.as_str(), hint.aud.as_str(), hint.sid.as_deref()), ("alice", "app", Some("s")));
    assert_eq!((hint.iat.unix_seconds(), hint.exp.unix_seconds()), (1_000_000, 1_000_600));
    // Tokens of a release that wrote no `sid`.
    assert_eq!(read(&OURS.token(&OURS.header("JWT"), &claims())).unwrap().sid, None);
}

/// Case 49: whatever else claims to be an ID token.
#[test]
fn anything_else_is_refused() {
    let id_token = OURS.header("JWT");
    let other = Signer::generate();
    let (input, signature) = {
        let token = OURS.token(&id_token, &claims());
        let (input, signature) = token.rsplit_once('.').unwrap();
        (input.to_owned(), signature.to_owned())
    };
    let unsigned = |alg: &str| {
        let header = with(id_token.clone(), "alg", json!(alg)).to_string();
        format!("{}.{}.", base64url(header.as_bytes()), base64url(claims().to_string().as_bytes()))
    };
    let by_public_key = {
        let header = with(id_token.clone(), "alg", json!("HS256")).to_string();
        let input =
            format!("{}.{}", base64url(header.as_bytes()), base64url(claims().to_string().as_bytes()));
        let key = EncodingKey::from_secret(&OURS.public_der);
        format!("{input}.{}", jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::HS256).unwrap())
    };
    let mut refused = vec![
        ("forged", other.token(&id_token, &claims())),
        ("another key's kid", other.token(&other.header("JWT"), &claims())),
        ("no signature", format!("{input}.")),
        ("another token's signature", {
            let claims = with(claims(), "sub", json!("bob")).to_string();
            let header = base64url(id_token.to_string().as_bytes());
            format!("{header}.{}.{signature}", base64url(claims.as_bytes()))
        }),
        ("symmetric", by_public_key),
        ("another algorithm", OURS.token(&with(id_token.clone(), "alg", json!("PS256")), &claims())),
        ("another issuer", OURS.token(&id_token, &with(claims(), "iss", json!("https://evil.example")))),
        (
            "an issuer that begins like ours",
            OURS.token(&id_token, &with(claims(), "iss", json!("https://id.example.evil"))),
        ),
        ("several audiences", OURS.token(&id_token, &with(claims(), "aud", json!(["app"])))),
        ("no object", OURS.token(&id_token, &json!(["https://id.example", "alice", "app", 1, 1, 1, "x"]))),
        ("empty", String::new()),
        ("long", "a".repeat(20_000)),
    ];
    refused.extend(["none", "None", "NONE", "nOnE", ""].map(|alg| ("unsigned", unsigned(alg))));
    let types = ["at+jwt", "logout+jwt", "token-introspection+jwt", "jwt", "", "application/jwt"];
    refused.extend(types.map(|typ| ("another kind of token", OURS.token(&OURS.header(typ), &claims()))));
    for member in ["jwk", "jku", "x5u", "crit", "cty"] {
        refused
            .push(("more in the header", OURS.token(&with(id_token.clone(), member, json!("x")), &claims())));
    }
    for claim in ["iss", "sub", "aud", "exp", "iat", "auth_time", "at_hash"] {
        // Such as a signed UserInfo answer, which has neither times nor `at_hash`.
        refused.push(("a claim is missing", OURS.token(&id_token, &without(claims(), claim))));
        refused.push(("a claim of another form", OURS.token(&id_token, &with(claims(), claim, json!({})))));
    }
    for (what, token) in refused {
        assert!(read(&token).is_err(), "{what}: {token}");
    }
}

#[test]
fn no_change_of_an_id_token_is_accepted() {
    let genuine = OURS.token(&OURS.header("JWT"), &claims());
    bolero::check!().with_type::<Edits>().for_each(|edits| {
        let Some(changed) = edited(&genuine, edits) else { return };
        assert!(read(&changed).is_err(), "{changed}");
    });
}

#[test]
fn what_is_read_of_signed_claims_is_what_stands_in_them() {
    const WORDS: [&str; 24] = [
        "{",
        "}",
        ",",
        ":",
        "\"",
        "null",
        "1",
        "\"iss\":\"https://id.example\"",
        "\"iss\":\"https://evil.example\"",
        "\"sub\":\"alice\"",
        "\"sub\":\"bob\"",
        "\"aud\":\"app\"",
        "\"aud\":[\"app\",\"other\"]",
        "\"exp\":1",
        "\"iat\":2",
        "\"auth_time\":3",
        "\"at_hash\":\"x\"",
        "\"sid\":\"s\"",
        "\"sid\":null",
        "\"s\\u0075b\":\"eve\"",
        "\"scope\":\"openid\"",
        "\"events\":{}",
        " ",
        "[]",
    ];
    let begun = br#"{"iss":"https://id.example","sub":"alice","aud":"app","exp":1,"iat":2,"auth_time":3,"at_hash":"x""#;
    bolero::check!().with_type::<(bool, Pieces)>().for_each(|(is_begun, pieces)| {
        let claims = if *is_begun {
            [begun.as_slice(), &further_members(pieces, &WORDS), b"}"].concat()
        } else {
            assemble(pieces, &WORDS)
        };
        let token = OURS.signed(OURS.header("JWT").to_string().as_bytes(), &claims);
        let Ok(hint) = read(&token) else { return };
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["iss"], ISSUER);
        assert_eq!(claims["sub"], hint.sub.as_str());
        assert_eq!(claims["aud"], hint.aud.as_str());
        assert_eq!(claims["sid"].as_str(), hint.sid.as_deref());
        assert_eq!(claims["iat"], hint.iat.unix_seconds());
        assert_eq!(claims["exp"], hint.exp.unix_seconds());
    });
}
