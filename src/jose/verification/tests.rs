use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::jose::{AccessToken, IdToken, UnsignedJwt};
use crate::secret::base64url;

struct Key {
    pair: KeyPair,
    jwk: PublicJwk,
}

impl Key {
    fn generate() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = pair.public_key();
        let jwk = PublicJwk::rsa(
            Algorithm::Rs256,
            public.modulus().big_endian_without_leading_zero(),
            public.exponent().big_endian_without_leading_zero(),
        );
        Self { pair, jwk }
    }

    fn sign(&self, signing_input: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signing_input, &mut signature).unwrap();
        signature
    }

    /// A token with any header and payload, truly signed.
    fn token(&self, header: &str, payload: &str) -> String {
        let input = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
        let signature = base64url(&self.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }

    fn access_token(&self) -> String {
        let unsigned =
            UnsignedJwt::new::<AccessToken>(Algorithm::Rs256, self.jwk.kid(), &json!({"sub": "alice"}))
                .unwrap();
        let signature = self.sign(unsigned.signing_input());
        unsigned.with_signature(&signature)
    }
}

/// Two keys, of which the first is published.
static KEYS: LazyLock<[Key; 2]> = LazyLock::new(|| [Key::generate(), Key::generate()]);
static PUBLISHED: LazyLock<VerificationKeys> = LazyLock::new(|| {
    let jwk = &KEYS[0].jwk;
    [(jwk.kid().to_owned(), Arc::new(VerificationKey::new(jwk).unwrap()))].into_iter().collect()
});

fn verify(token: &str) -> Result<Jwt<AccessToken>, JoseError> {
    UnverifiedJwt::parse(token)?.verify(&PUBLISHED)
}

fn kid() -> &'static str {
    KEYS[0].jwk.kid()
}

const PAYLOAD: &str = r#"{"sub":"alice"}"#;

#[test]
fn what_is_signed_is_accepted_and_read() {
    let token = KEYS[0].access_token();
    let header = from_base64url(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header, json!({"typ": "at+jwt", "alg": "RS256", "kid": kid()}));
    let claims: Value = verify(&token).unwrap().claims().unwrap();
    assert_eq!(claims, json!({"sub": "alice"}));
}

#[test]
fn an_independent_implementation_accepts_it() {
    let jwk = serde_json::from_value(serde_json::to_value(&KEYS[0].jwk).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.required_spec_claims.clear();
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let token = jsonwebtoken::decode::<Value>(KEYS[0].access_token(), &key, &validation).unwrap();
    assert_eq!(token.claims["sub"], "alice");
}

#[test]
fn kinds_of_tokens_are_not_taken_for_each_other() {
    let token = KEYS[0].access_token();
    let as_id_token = UnverifiedJwt::parse(&token).unwrap().verify::<IdToken>(&PUBLISHED);
    assert!(matches!(as_id_token, Err(JoseError::WrongType { expected: "JWT" })));
    for typ in ["JWT", "jwt", "AT+JWT", "application/at+jwt", "dpop+jwt", "logout+jwt", ""] {
        let header = json!({"alg": "RS256", "typ": typ, "kid": kid()}).to_string();
        assert!(
            matches!(verify(&KEYS[0].token(&header, PAYLOAD)), Err(JoseError::WrongType { .. })),
            "{typ}"
        );
    }
}

#[rstest]
fn another_alg_is_refused_with_and_without_a_signature(
    #[values("none", "None", "NONE", "nOnE", " none", "", "HS256", "RS384", "PS256", "rs256", "RS256 ")] alg: &str,
) {
    let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid()}).to_string();
    let signed = KEYS[0].token(&header, PAYLOAD);
    let unsigned = &signed[..=signed.rfind('.').unwrap()];
    for token in [signed.as_str(), unsigned] {
        assert!(matches!(verify(token), Err(JoseError::WrongAlgorithm)), "{token}");
    }
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let public = KEYS[0].pair.public_key();
    let spki = AsDer::as_der(public).unwrap();
    let jwk = serde_json::to_vec(&KEYS[0].jwk).unwrap();
    let secrets: [&[u8]; 5] = [spki.as_ref(), public.as_ref(), &jwk, b"", b"client secret"];
    for secret in secrets {
        for alg in ["HS256", "RS256"] {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid()}).to_string();
            let input = format!("{}.{}", base64url(header.as_bytes()), base64url(PAYLOAD.as_bytes()));
            let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
            assert!(verify(&format!("{input}.{}", base64url(mac.as_ref()))).is_err());
        }
    }
}

#[rstest]
#[case("jwk", serde_json::to_value(&KEYS[1].jwk).unwrap())]
#[case("jku", json!("https://attacker.example/jwks.json"))]
#[case("x5u", json!("https://attacker.example/cert.pem"))]
#[case("x5c", json!(["MIIB"]))]
#[case("x5t#S256", json!("AAAA"))]
#[case("crit", json!(["exp"]))]
#[case("crit", json!([]))]
#[case("b64", json!(false))]
#[case("zip", json!("DEF"))]
#[case("cty", json!("JWT"))]
fn a_further_header_parameter_is_refused(#[case] name: &str, #[case] value: Value) {
    for key in KEYS.iter() {
        let mut header = json!({"alg": "RS256", "typ": "at+jwt", "kid": kid()});
        header[name] = value.clone();
        assert!(matches!(verify(&key.token(&header.to_string(), PAYLOAD)), Err(JoseError::Header(_))));
    }
}

#[rstest]
fn an_unknown_kid_is_refused(
    #[values("", "../../../../dev/null", "' OR 1=1 --", "\0", "https://attacker.example/key", "*")] odd: &str,
) {
    let (long, padded) = ("k".repeat(9 * 1024), format!("{} ", kid()));
    for odd in [odd, &long, &padded, KEYS[1].jwk.kid()] {
        let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": odd}).to_string();
        for key in KEYS.iter() {
            assert!(matches!(verify(&key.token(&header, PAYLOAD)), Err(JoseError::UnknownKey)), "{odd:?}");
        }
    }
}

#[rstest]
#[case::no_kid(r#"{"alg":"RS256","typ":"at+jwt"}"#)]
#[case::no_typ(r#"{"alg":"RS256","kid":"KID"}"#)]
#[case::no_alg(r#"{"typ":"at+jwt","kid":"KID"}"#)]
#[case::doubled(r#"{"alg":"none","alg":"RS256","typ":"at+jwt","kid":"KID"}"#)]
#[case::kid_not_text(r#"{"alg":"RS256","typ":"at+jwt","kid":["KID"]}"#)]
#[case::alg_null(r#"{"alg":null,"typ":"at+jwt","kid":"KID"}"#)]
#[case::array(r#"["RS256","at+jwt","KID"]"#)]
#[case::trailing(r#"{"alg":"RS256","typ":"at+jwt","kid":"KID"}{}"#)]
#[case::leading(r#" {"alg":"RS256","typ":"at+jwt","kid":"KID"}"#)]
#[case::not_json("KID")]
#[case::empty("")]
fn a_header_that_is_not_ours_is_refused(#[case] header: &str) {
    let token = KEYS[0].token(&header.replace("KID", kid()), PAYLOAD);
    assert!(matches!(verify(&token), Err(JoseError::Header(_))), "{header}");
}

#[test]
fn parts_of_other_tokens_are_refused() {
    let token = KEYS[0].access_token();
    let parts: Vec<_> = token.split('.').collect();
    let other = base64url(br#"{"sub":"admin"}"#);
    let other_signature = base64url(&KEYS[1].sign(format!("{}.{}", parts[0], parts[1]).as_bytes()));
    // What is signed are the bytes, not their meaning.
    let header = base64url(format!(r#"{{"kid":"{}","typ":"at+jwt","alg":"RS256"}}"#, kid()).as_bytes());
    for changed in [
        format!("{}.{other}.{}", parts[0], parts[2]),
        format!("{}.{}.{other_signature}", parts[0], parts[1]),
        format!("{header}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}..{}", parts[0], parts[2]),
    ] {
        assert!(matches!(verify(&changed), Err(JoseError::Signature)), "{changed}");
    }
}

#[test]
fn a_token_cut_off_anywhere_is_refused() {
    let token = KEYS[0].access_token();
    assert!((0..token.len()).all(|length| verify(&token[..length]).is_err()));
}

#[test]
fn another_spelling_of_the_same_token_is_refused() {
    let token = KEYS[0].access_token();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let last = signature.chars().last().unwrap();
    let head = &signature[..signature.len() - 1];
    let other_last = ('A'..='z').filter(char::is_ascii_alphanumeric).filter(|other| *other != last);
    assert!(other_last.map(|other| format!("{input}.{head}{other}")).all(|token| verify(&token).is_err()));
    for token in [
        format!("{token}="),
        format!("{token}=="),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!(" {token}"),
        format!("{token}\n"),
        token.replace('.', ".."),
        token.replace('_', "/").replace('-', "+"),
        String::new(),
        "..".to_owned(),
        ".".to_owned(),
    ] {
        assert!(verify(&token).is_err(), "{token:?}");
    }
}

#[test]
fn a_longer_token_is_not_looked_at() {
    let payload = json!({"sub": "a".repeat(MAX_LENGTH)}).to_string();
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": kid()}).to_string();
    assert!(matches!(verify(&KEYS[0].token(&header, &payload)), Err(JoseError::TooLong { .. })));
}

#[test]
fn claims_are_one_object_without_doubles() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only whether it is read matters")]
    struct Claims {
        sub: String,
    }
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": kid()}).to_string();
    for payload in [r#"{"sub":"alice","sub":"admin"}"#, r#"["alice"]"#, "null", "{}", "", r#"{"sub":"a"} x"#]
    {
        let jwt = verify(&KEYS[0].token(&header, payload)).unwrap();
        assert!(matches!(jwt.claims::<Claims>(), Err(JoseError::Claims(_))), "{payload}");
    }
}

proptest! {
    #[test]
    fn junk_is_refused(junk in r"[A-Za-z0-9_=.-]{0,400}") {
        prop_assert!(verify(&junk).is_err());
    }

    #[test]
    fn a_changed_byte_is_noticed(at in 0usize..10_000, to in "[A-Za-z0-9_.-]") {
        let token = KEYS[0].access_token();
        let at = at % token.len();
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        prop_assert_eq!(verify(&changed).is_ok(), changed == token);
    }
}

fn accepts(jwk: &PublicJwk, message: &[u8], signature: &str) -> bool {
    VerificationKey::new(jwk).unwrap().verify(message, &from_base64url(signature).unwrap()).is_ok()
}

fn coordinate(text: &str) -> [u8; 32] {
    from_base64url(text).unwrap().try_into().unwrap()
}

/// The example of RFC 7515, appendix A.3: R and S in full length.
#[test]
fn es256_of_rfc_7515() {
    let key = PublicJwk::p256(
        &coordinate("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        &coordinate("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    );
    let message = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert!(accepts(&key, message, signature));
    assert!(!accepts(&key, b"another", signature));
    let mut swapped = from_base64url(signature).unwrap();
    swapped.rotate_left(32);
    assert!(!accepts(&key, message, &base64url(&swapped)));
    assert!(!accepts(&key, message, &base64url(&[0; 64])), "R and S of zero");
}

/// The example of RFC 8037, appendix A.4.
#[test]
fn ed25519_of_rfc_8037() {
    let key = PublicJwk::ed25519(&coordinate("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert!(accepts(&key, message, signature));
    assert!(!accepts(&key, b"another", signature));
    assert!(!accepts(&key, message, &base64url(&[0; 64])));
}

/// RFC 8725 §3.1: a signature of the other RSA scheme is not one, though the numbers of the key are the same.
#[test]
fn an_rsa_key_serves_one_scheme() {
    let public = KEYS[0].pair.public_key();
    let pss = PublicJwk::rsa(
        Algorithm::Ps256,
        public.modulus().big_endian_without_leading_zero(),
        public.exponent().big_endian_without_leading_zero(),
    );
    let mut signature = vec![0; KEYS[0].pair.public_modulus_len()];
    let encoding = &aws_lc_rs::signature::RSA_PSS_SHA256;
    KEYS[0].pair.sign(encoding, &SystemRandom::new(), b"message", &mut signature).unwrap();
    let verifies =
        |jwk, signature: &[u8]| VerificationKey::new(jwk).unwrap().verify(b"message", signature).is_ok();
    assert!(verifies(&pss, &signature) && !verifies(&KEYS[0].jwk, &signature));
    let pkcs1 = KEYS[0].sign(b"message");
    assert!(verifies(&KEYS[0].jwk, &pkcs1) && !verifies(&pss, &pkcs1));
}

#[test]
fn a_point_off_the_curve_is_no_key() {
    assert!(VerificationKey::new(&PublicJwk::p256(&[1; 32], &[2; 32])).is_err());
}

#[test]
fn what_was_verified_before_is_still_judged_by_its_key_and_its_every_byte() {
    let token = KEYS[0].access_token();
    let verified = |token: &str, keys: &VerificationKeys| {
        UnverifiedJwt::parse(token).and_then(|jwt| jwt.verify::<AccessToken>(keys)).map(drop)
    };
    for _ in 0..2 {
        verified(&token, &PUBLISHED).unwrap();
    }
    assert!(matches!(verified(&token, &VerificationKeys::default()), Err(JoseError::UnknownKey)));
    let as_id_token = UnverifiedJwt::parse(&token).unwrap().verify::<IdToken>(&PUBLISHED);
    assert!(matches!(as_id_token, Err(JoseError::WrongType { .. })));
    // Another key under the same name.
    let impostor: VerificationKeys =
        [(KEYS[0].jwk.kid().to_owned(), Arc::new(VerificationKey::new(&KEYS[1].jwk).unwrap()))]
            .into_iter()
            .collect();
    assert!(matches!(verified(&token, &impostor), Err(JoseError::Signature)));
    for at in (0..token.len()).step_by(7).filter(|at| token.as_bytes()[*at] != b'.') {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(bytes).unwrap();
        assert!(verified(&tampered, &PUBLISHED).is_err(), "{at}");
    }
}
