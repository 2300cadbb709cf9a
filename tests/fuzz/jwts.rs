//! JWTs as our verifier sees them.

use std::sync::{Arc, LazyLock};

use grantor::jose::{AccessToken, IdToken, PublicJwk, UnverifiedJwt, VerificationKey, VerificationKeys};
use grantor::secret::{base64url, sha256};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use super::{Edits, Pieces, assemble, edited, further_members};

struct Genuine {
    token: String,
    kid: String,
    key: EncodingKey,
    published: VerificationKeys,
}

static GENUINE: LazyLock<Genuine> = LazyLock::new(|| {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let (n, e) = (base64url(&key.n().to_bytes_be()), base64url(&key.e().to_bytes_be()));
    let kid = base64url(&sha256(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes()));
    let jwk = json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e});
    let jwk = VerificationKey::new(&PublicJwk::from_json(&jwk).unwrap()).unwrap();
    let key = EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes());
    let header =
        Header { typ: Some("at+jwt".to_owned()), kid: Some(kid.clone()), ..Header::new(Algorithm::RS256) };
    let token = encode(&header, &json!({"sub": "alice", "exp": 4_000_000_000_u64}), &key).unwrap();
    Genuine { token, published: [(kid.clone(), Arc::new(jwk))].into_iter().collect(), kid, key }
});

fn is_access_token(token: &str) -> bool {
    UnverifiedJwt::parse(token).is_ok_and(|jwt| jwt.verify::<AccessToken>(&GENUINE.published).is_ok())
}

#[test]
fn only_the_token_that_was_signed_is_accepted() {
    assert!(is_access_token(&GENUINE.token));
    bolero::check!().with_type::<Edits>().for_each(|edits| {
        let Some(changed) = edited(&GENUINE.token, edits) else { return };
        assert!(!is_access_token(&changed), "{changed}");
    });
}

#[test]
fn a_header_that_we_do_not_write_is_refused_though_truly_signed() {
    const WORDS: [&str; 26] = [
        "{",
        "}",
        ",",
        ":",
        "\"",
        "[",
        "]",
        "null",
        "true",
        "\"alg\":\"RS256\"",
        "\"typ\":\"at+jwt\"",
        "\"typ\":\"JWT\"",
        "\"alg\":\"none\"",
        "\"alg\":\"HS256\"",
        "\"jwk\":{}",
        "\"jku\":\"http://x\"",
        "\"x5u\":\"http://x\"",
        "\"crit\":[\"exp\"]",
        "\"b64\":false",
        "\"kid\":\"../x\"",
        "KID",
        " ",
        "\\u0061",
        "\"zip\":\"DEF\"",
        "\"cty\":\"JWT\"",
        "\"alg\"",
    ];
    let kid = format!("\"kid\":\"{}\"", GENUINE.kid);
    let exact = json!({"alg": "RS256", "typ": "at+jwt", "kid": GENUINE.kid});
    bolero::check!().with_type::<(bool, Pieces)>().for_each(|(is_begun, pieces)| {
        let words = WORDS.map(|word| if word == "KID" { kid.as_str() } else { word });
        let header = if *is_begun {
            let more = further_members(pieces, &words);
            [b"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",", kid.as_bytes(), &more, b"}"].concat()
        } else {
            assemble(pieces, &words)
        };
        let input = format!("{}.{}", base64url(&header), base64url(b"{}"));
        let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &GENUINE.key, Algorithm::RS256).unwrap();
        let token = format!("{input}.{signature}");
        if is_access_token(&token) {
            assert_eq!(serde_json::from_slice::<Value>(&header).unwrap(), exact);
        }
        // Nor is one kind of token ever the other.
        let Ok(jwt) = UnverifiedJwt::parse(&token) else { return };
        let kinds = (
            jwt.verify::<AccessToken>(&GENUINE.published).is_ok(),
            jwt.verify::<IdToken>(&GENUINE.published).is_ok(),
        );
        assert!(kinds != (true, true));
    });
}

#[test]
fn junk_is_refused_without_harm() {
    const WORDS: [&str; 8] = [".", ".", "eyJ", "e30", "=", "-", "_", "eyJhbGciOiJub25lIn0"];
    bolero::check!().with_type::<Pieces>().for_each(|pieces| {
        assert!(!is_access_token(&String::from_utf8_lossy(&assemble(pieces, &WORDS))));
    });
}
