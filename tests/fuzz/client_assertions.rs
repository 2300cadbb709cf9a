//! Client assertions and the keys that verify them.

use std::sync::LazyLock;

use grantor::jose::{AssertionAlgorithm, ClientJwks, SignedClaims, UnverifiedAssertion};
use grantor::secret::base64url;
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use super::{Edits, Pieces, assemble, edited, further_members};

const SECRET: &[u8] = b"a secret that a client and its server share";
const HEADER: &str = r#"{"alg":"RS256","typ":"client-authentication+jwt","kid":"one"}"#;
const CLAIMS: &str = r#"{"iss":"app","sub":"app","aud":"https://issuer.example","exp":4000000000,"jti":"x"}"#;

struct Key {
    private: EncodingKey,
    public_der: Vec<u8>,
    published: ClientJwks,
    jwk: Value,
}

static KEY: LazyLock<Key> = LazyLock::new(|| {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let (n, e) = (base64url(&key.n().to_bytes_be()), base64url(&key.e().to_bytes_be()));
    let jwk = json!({"kty": "RSA", "kid": "one", "n": n, "e": e});
    Key {
        private: EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes()),
        public_der: key.to_public_key().to_pkcs1_der().unwrap().into_vec(),
        published: ClientJwks::registered(&json!({"keys": [jwk]})).unwrap(),
        jwk,
    }
});

fn signed(header: &[u8], claims: &[u8], alg: Algorithm, key: &EncodingKey) -> String {
    let input = format!("{}.{}", base64url(header), base64url(claims));
    format!("{input}.{}", jsonwebtoken::crypto::sign(input.as_bytes(), key, alg).unwrap())
}

fn claims_of(assertion: &str) -> Option<SignedClaims> {
    UnverifiedAssertion::parse(assertion).ok()?.verify_by_keys(&KEY.published)
}

#[test]
fn only_the_assertion_that_was_signed_is_accepted() {
    let by_key = signed(HEADER.as_bytes(), CLAIMS.as_bytes(), Algorithm::RS256, &KEY.private);
    let by_secret =
        signed(br#"{"alg":"HS256"}"#, CLAIMS.as_bytes(), Algorithm::HS256, &EncodingKey::from_secret(SECRET));
    let is_by_secret = |text: &str| {
        UnverifiedAssertion::parse(text).is_ok_and(|assertion| assertion.verify_by_secret(SECRET).is_some())
    };
    assert!(claims_of(&by_key).is_some() && is_by_secret(&by_secret));
    assert!(claims_of(&by_secret).is_none() && !is_by_secret(&by_key));
    bolero::check!().with_type::<Edits>().for_each(|edits| {
        if let Some(changed) = edited(&by_key, edits) {
            assert!(claims_of(&changed).is_none(), "{changed}");
        }
        if let Some(changed) = edited(&by_secret, edits) {
            assert!(!is_by_secret(&changed), "{changed}");
        }
    });
}

#[test]
fn no_header_leads_to_another_key_algorithm_or_kind() {
    const WORDS: [&str; 24] = [
        "{",
        "}",
        ",",
        "\"",
        "\"alg\":\"RS256\"",
        "\"alg\":\"none\"",
        "\"alg\":\"HS256\"",
        "\"alg\":\"PS256\"",
        "\"typ\":\"JWT\"",
        "\"typ\":\"at+jwt\"",
        "\"typ\":\"application/jwt\"",
        "\"typ\":null",
        "\"kid\":\"two\"",
        "\"jwk\":{}",
        "\"jwk\":null",
        "\"jku\":\"http://x\"",
        "\"x5u\":\"http://x\"",
        "\"x5c\":[]",
        "\"crit\":[\"exp\"]",
        "\"crit\":null",
        "\\u006a",
        ":",
        "1",
        "[]",
    ];
    const REFUSED: [&str; 5] = ["crit", "jwk", "jku", "x5c", "x5u"];
    let confused = EncodingKey::from_secret(&KEY.public_der);
    bolero::check!().with_type::<(bool, Pieces)>().for_each(|(is_begun, pieces)| {
        let header = if *is_begun {
            [b"{\"alg\":\"RS256\"", further_members(pieces, &WORDS).as_slice(), b"}"].concat()
        } else {
            assemble(pieces, &WORDS)
        };
        let genuine = signed(&header, CLAIMS.as_bytes(), Algorithm::RS256, &KEY.private);
        if claims_of(&genuine).is_some() {
            let header: Value = serde_json::from_slice(&header).unwrap();
            assert_eq!(header["alg"], "RS256");
            assert!(REFUSED.iter().all(|name| header.get(name).is_none()), "{header}");
            let typ = header["typ"].as_str().map(str::to_ascii_lowercase);
            let typ = typ.as_deref().map(|typ| typ.trim_start_matches("application/"));
            assert!([None, Some("jwt"), Some("client-authentication+jwt")].contains(&typ), "{header}");
        }
        // RFC 8725 §2.1: a public key is no shared secret.
        assert!(claims_of(&signed(&header, CLAIMS.as_bytes(), Algorithm::HS256, &confused)).is_none());
    });
}

#[test]
fn claims_say_what_is_written_or_nothing() {
    const WORDS: [&str; 22] = [
        "{",
        "}",
        ",",
        ":",
        "[",
        "]",
        "\"iss\":\"app\"",
        "\"sub\":\"app\"",
        "\"aud\":\"a\"",
        "\"aud\":[\"a\"]",
        "\"aud\":[\"a\",\"b\"]",
        "\"aud\":[]",
        "\"aud\":null",
        "\"exp\":",
        "\"exp\":1e400",
        "\"nbf\":-1",
        "\"iat\":0.5",
        "4000000000",
        "1e9",
        "\"jti\":\"x\"",
        "null",
        "\"exp\":4000000000",
    ];
    bolero::check!().with_type::<Pieces>().for_each(|pieces| {
        let json = [b"{\"scope\":\"x\"", further_members(pieces, &WORDS).as_slice(), b"}"].concat();
        let claims = claims_of(&signed(HEADER.as_bytes(), &json, Algorithm::RS256, &KEY.private)).unwrap();
        let Ok(claims) = claims else { return };
        let written: Value = serde_json::from_slice(&json).unwrap();
        let sole = match &written["aud"] {
            Value::Array(several) if several.len() == 1 => several[0].as_str(),
            one => one.as_str(),
        };
        assert_eq!(claims.aud.sole(), sole);
        for (claim, name) in [(&claims.iss, "iss"), (&claims.sub, "sub"), (&claims.jti, "jti")] {
            assert_eq!(claim.as_deref(), written[name].as_str());
        }
        for (time, name) in [(claims.exp, "exp"), (claims.nbf, "nbf"), (claims.iat, "iat")] {
            let difference = |seconds: f64| (seconds - written[name].as_f64().unwrap()).abs();
            assert!(time.is_none_or(|time| difference(time.unix_seconds() as f64) <= 1.0));
        }
    });
}

#[test]
fn a_key_set_holds_public_keys_that_verify_or_is_refused() {
    const MEMBERS: [(&str, &str); 12] = [
        ("d", "\"AQAB\""),
        ("k", "\"AQAB\""),
        ("use", "\"enc\""),
        ("use", "\"sig\""),
        ("alg", "\"RS256\""),
        ("alg", "\"none\""),
        ("alg", "\"HS256\""),
        ("kty", "\"oct\""),
        ("kty", "\"EC\""),
        ("key_ops", "[\"sign\"]"),
        ("e", "\"AQ\""),
        ("n", "\"AQAB\""),
    ];
    bolero::check!().with_type::<Vec<u8>>().for_each(|changes| {
        let mut jwk = KEY.jwk.clone();
        for change in changes.iter().take(4) {
            let (name, value) = MEMBERS[usize::from(*change) % MEMBERS.len()];
            jwk[name] = serde_json::from_str(value).unwrap();
        }
        let set = json!({"keys": [jwk]});
        let registered = ClientJwks::registered(&set);
        assert_eq!(registered.is_ok(), ClientJwks::usable(&set).is_ok());
        let Ok(keys) = registered else { return };
        assert!(jwk.get("d").is_none() && jwk.get("k").is_none(), "{jwk}");
        assert!(jwk["use"] != "enc" && jwk["kty"] == "RSA", "{jwk}");
        assert!(!keys.has_key_for(AssertionAlgorithm::Hs256));
    });
}
