//! Proof Key for Code Exchange (RFC 7636), with `S256` only.

use serde::{Deserialize, Deserializer, Serialize};

use crate::secret::{Secret, base64url, constant_time_eq, from_base64url, sha256};

/// A `code_challenge` by the method `S256` (RFC 7636 §4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Checks `code_challenge` and `code_challenge_method`.
    ///
    /// # Errors
    /// Another method than `S256` (absent means `plain`), or a challenge that is no SHA-256.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, PkceError> {
        match method {
            Some("S256") => Self::from_stored(challenge).ok_or(PkceError::MalformedChallenge),
            // RFC 7636 §4.3: absent means `plain`, which RFC 9700 §2.1.1 advises against.
            None => Err(PkceError::MethodMissing),
            // RFC 7636 §4.4.1: the transformation is not supported.
            Some(_) => Err(PkceError::MethodNotSupported),
        }
    }

    /// A challenge that was accepted earlier; `None` where the text is none.
    pub fn from_stored(challenge: &str) -> Option<Self> {
        // RFC 7636 §4.2: base64url of the 32 bytes of a SHA-256.
        let is_sha256 = from_base64url(challenge).is_some_and(|hash| hash.len() == 32);
        is_sha256.then(|| Self(challenge.to_owned()))
    }

    /// As it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for CodeChallenge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_stored(&text).ok_or_else(|| serde::de::Error::custom(PkceError::MalformedChallenge))
    }
}

/// A `code_verifier` (RFC 7636 §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeVerifier(Secret<String>);

impl CodeVerifier {
    /// Checks the form: 43 to 128 unreserved characters.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(Secret::new(text.to_owned())))
        } else {
            Err(PkceError::MalformedVerifier)
        }
    }
}

/// RFC 7636 §4.6: whether the challenge was made from this verifier, in constant time.
pub fn verify(verifier: &CodeVerifier, challenge: &CodeChallenge) -> bool {
    let expected = base64url(&sha256(verifier.0.expose().as_bytes()));
    constant_time_eq(expected.as_bytes(), challenge.0.as_bytes())
}

/// Why PKCE parameters cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// `code_challenge` without a method, which means `plain`.
    #[error("the parameter 'code_challenge_method' is missing, which means plain: send S256")]
    MethodMissing,
    /// Another method than `S256`.
    #[error("this 'code_challenge_method' is not supported: send S256, in this spelling")]
    MethodNotSupported,
    /// `code_challenge_method` without a challenge.
    #[error("the parameter 'code_challenge_method' stands without a 'code_challenge'")]
    ChallengeMissing,
    /// The challenge is no SHA-256 in base64url.
    #[error(
        "the parameter 'code_challenge' is malformed: send the 43 characters of base64url(SHA-256(code_verifier))"
    )]
    MalformedChallenge,
    /// The verifier is not of the form of RFC 7636 §4.1.
    #[error("the parameter 'code_verifier' is malformed: it has 43 to 128 letters, digits and - . _ ~")]
    MalformedVerifier,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    // The example of RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn fits(verifier: &str) -> bool {
        let challenge = CodeChallenge::parse(CHALLENGE, Some("S256")).unwrap();
        CodeVerifier::parse(verifier).is_ok_and(|verifier| verify(&verifier, &challenge))
    }

    #[test]
    fn the_example_of_the_rfc_fits() {
        assert!(fits(VERIFIER));
    }

    #[rstest]
    #[case::empty("".into())]
    #[case::truncated(VERIFIER[..42].into())]
    #[case::lengthened(format!("{VERIFIER}A"))]
    #[case::padded(format!("{VERIFIER}="))]
    #[case::other_case(VERIFIER.to_lowercase())]
    #[case::the_challenge_itself(CHALLENGE.into())]
    #[case::too_long("a".repeat(129))]
    #[case::blank(format!(" {VERIFIER}"))]
    fn no_other_verifier_fits(#[case] verifier: String) {
        assert!(!fits(&verifier));
    }

    #[rstest]
    #[case(42, false)]
    #[case(43, true)]
    #[case(128, true)]
    #[case(129, false)]
    fn the_length_of_a_verifier_is_bounded(#[case] length: usize, #[case] expected: bool) {
        assert_eq!(CodeVerifier::parse(&"~".repeat(length)).is_ok(), expected);
    }

    #[rstest]
    #[case(None, PkceError::MethodMissing)]
    #[case(Some("plain"), PkceError::MethodNotSupported)]
    #[case(Some("s256"), PkceError::MethodNotSupported)]
    #[case(Some("S512"), PkceError::MethodNotSupported)]
    fn only_s256_is_supported(#[case] method: Option<&str>, #[case] expected: PkceError) {
        assert_eq!(CodeChallenge::parse(CHALLENGE, method), Err(expected));
    }

    #[rstest]
    #[case::short(CHALLENGE[..42].into())]
    #[case::long(format!("{CHALLENGE}A"))]
    #[case::padded(format!("{}=", &CHALLENGE[..42]))]
    #[case::plain_base64(CHALLENGE.replace('-', "+"))]
    #[case::bits_left_over(format!("{}N", &CHALLENGE[..42]))]
    #[case::not_ascii("\u{e4}".repeat(22)[..43 - 1].to_owned())]
    fn a_challenge_is_a_sha256(#[case] challenge: String) {
        assert_eq!(CodeChallenge::parse(&challenge, Some("S256")), Err(PkceError::MalformedChallenge));
    }

    #[test]
    fn debug_output_hides_the_verifier() {
        assert!(!format!("{:?}", CodeVerifier::parse(VERIFIER).unwrap()).contains(VERIFIER));
    }

    proptest! {
        #[test]
        fn a_verifier_fits_its_own_challenge_only(one in "[A-Za-z0-9._~-]{43,128}", other in "[A-Za-z0-9._~-]{43,128}") {
            let challenge = CodeChallenge::from_stored(&base64url(&sha256(one.as_bytes()))).unwrap();
            prop_assert!(verify(&CodeVerifier::parse(&one).unwrap(), &challenge));
            prop_assert_eq!(verify(&CodeVerifier::parse(&other).unwrap(), &challenge), one == other);
        }

        #[test]
        fn junk_is_read_without_harm(challenge in any::<String>(), method in any::<Option<String>>()) {
            let _ = CodeChallenge::parse(&challenge, method.as_deref());
            let _ = CodeChallenge::parse(&challenge, Some("S256"));
            let _ = CodeVerifier::parse(&challenge);
        }
    }
}
