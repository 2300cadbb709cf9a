//! How a client says who it is at the token, introspection and revocation endpoints (RFC 6749 §2.3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::TokenError;
use super::parameters::{Parameters, form_decode};
use crate::secret::{Secret, from_base64url};

/// Longest `client_id` in bytes: one may be a URL.
pub const LONGEST_CLIENT_ID: usize = 2048;
/// Longest client secret in bytes.
pub const LONGEST_CLIENT_SECRET: usize = 1024;
/// The one `client_assertion_type` (RFC 7523 §2.2).
pub const JWT_BEARER_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client presented. Nothing of it has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCredentials {
    /// `client_secret_basic`: HTTP Basic (RFC 6749 §2.3.1).
    Basic {
        /// The identifier.
        client_id: String,
        /// The secret.
        client_secret: Secret<String>,
    },
    /// `client_secret_post`: parameters of the form (RFC 6749 §2.3.1).
    Post {
        /// The identifier.
        client_id: String,
        /// The secret.
        client_secret: Secret<String>,
    },
    /// `client_secret_jwt` or `private_key_jwt`: a signed JWT (RFC 7523 §2.2).
    Assertion {
        /// The identifier, as the request has it or as the assertion claims.
        client_id: String,
        /// The JWT.
        assertion: Secret<String>,
    },
    /// `none`: a public client names itself (RFC 6749 §3.2.1).
    None {
        /// The identifier.
        client_id: String,
    },
}

impl ClientCredentials {
    /// Reads the `Authorization` header and the form.
    ///
    /// # Errors
    /// `invalid_request` where two ways are mixed or a parameter is repeated, else `invalid_client`.
    pub fn from_request(authorization: Option<&str>, parameters: &Parameters) -> Result<Self, TokenError> {
        let client_id = parameters.get("client_id")?;
        let client_secret = parameters.get("client_secret")?;
        let assertion = parameters.get("client_assertion")?;
        let assertion_type = parameters.get("client_assertion_type")?;
        if assertion.is_some() || assertion_type.is_some() {
            // RFC 6749 §2.3, RFC 7521 §4.2: no more than one authentication method in a request.
            if authorization.is_some() || client_secret.is_some() {
                return Err(TokenError::invalid_request(
                    "the client authenticates twice: send 'client_assertion' or a secret, not both",
                ));
            }
            return by_assertion(client_id, assertion, assertion_type)?.within_bounds();
        }
        let credentials = match (authorization, client_secret) {
            // RFC 6749 §2.3: no more than one authentication method in a request.
            (Some(_), Some(_)) => {
                return Err(TokenError::invalid_request(
                    "the client authenticates twice: send either the Authorization header or 'client_secret'",
                ));
            }
            (Some(header), None) => basic(header, client_id)?,
            (None, Some(secret)) => {
                Self::Post { client_id: require(client_id)?, client_secret: Secret::new(secret.to_owned()) }
            }
            (None, None) => Self::None { client_id: require(client_id)? },
        };
        credentials.within_bounds()
    }

    /// The identifier that was presented.
    pub fn client_id(&self) -> &str {
        match self {
            Self::Basic { client_id, .. }
            | Self::Post { client_id, .. }
            | Self::Assertion { client_id, .. }
            | Self::None { client_id } => client_id,
        }
    }

    /// The secret that was presented.
    pub fn client_secret(&self) -> Option<&Secret<String>> {
        match self {
            Self::Basic { client_secret, .. } | Self::Post { client_secret, .. } => Some(client_secret),
            Self::Assertion { .. } | Self::None { .. } => None,
        }
    }

    fn within_bounds(self) -> Result<Self, TokenError> {
        let secret_length = self.client_secret().map_or(0, |secret| secret.expose().len());
        if self.client_id().len() > LONGEST_CLIENT_ID || secret_length > LONGEST_CLIENT_SECRET {
            return Err(TokenError::invalid_client("the client's identifier or secret is too long"));
        }
        Ok(self)
    }
}

fn require(client_id: Option<&str>) -> Result<String, TokenError> {
    client_id.map(str::to_owned).ok_or_else(|| {
        TokenError::invalid_client(
            "the client does not say who it is: send HTTP Basic, or the parameter 'client_id', in the form",
        )
    })
}

/// RFC 7521 §4.2: the parameter `client_id` may be left out, since the assertion names the client. Whether the two are
/// the same is seen when the assertion has been verified.
fn by_assertion(
    client_id: Option<&str>,
    assertion: Option<&str>,
    assertion_type: Option<&str>,
) -> Result<ClientCredentials, TokenError> {
    let (Some(assertion), Some(JWT_BEARER_ASSERTION)) = (assertion, assertion_type) else {
        return Err(TokenError::invalid_client(format!(
            "a client assertion needs both 'client_assertion' and the 'client_assertion_type' {JWT_BEARER_ASSERTION}"
        )));
    };
    let client_id = client_id.map(str::to_owned).or_else(|| claimed_subject(assertion)).ok_or_else(|| {
        TokenError::invalid_client("the client assertion is not a JWT whose 'sub' is the client's identifier")
    })?;
    Ok(ClientCredentials::Assertion { client_id, assertion: Secret::new(assertion.to_owned()) })
}

/// The `sub` of a JWT that nobody has verified: enough to know whose keys to verify it with.
fn claimed_subject(jwt: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Claims {
        sub: String,
    }
    let claims = from_base64url(jwt.split('.').nth(1)?)?;
    serde_json::from_slice::<Claims>(&claims).ok().map(|claims| claims.sub).filter(|sub| !sub.is_empty())
}

fn basic(header: &str, client_id_parameter: Option<&str>) -> Result<ClientCredentials, TokenError> {
    let (client_id, client_secret) = decode_basic(header)?;
    // RFC 6749 §3.2.1: the parameter identifies the client too, so it cannot be another one.
    if client_id_parameter.is_some_and(|parameter| parameter != client_id) {
        return Err(TokenError::invalid_request(
            "the parameter 'client_id' differs from the client in the Authorization header",
        ));
    }
    Ok(ClientCredentials::Basic { client_id, client_secret })
}

fn decode_basic(header: &str) -> Result<(String, Secret<String>), TokenError> {
    let (scheme, encoded) = header.split_once(' ').unwrap_or((header, ""));
    // RFC 9110 §11.1: the name of a scheme has no case.
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(TokenError::invalid_client("the Authorization header must use the scheme Basic here"));
    }
    let malformed =
        || TokenError::invalid_client("the Authorization header is malformed: see RFC 6749 section 2.3.1");
    let decoded = Secret::new(STANDARD.decode(encoded.trim_matches(' ')).map_err(|_| malformed())?);
    let colon = decoded.expose().iter().position(|&byte| byte == b':').ok_or_else(malformed)?;
    let (client_id, client_secret) = decoded.expose().split_at(colon);
    // RFC 6749 §2.3.1: identifier and secret are each form-encoded before they become Basic credentials.
    let client_id = form_decode(client_id).map_err(|_| malformed())?;
    let client_secret = form_decode(&client_secret[1..]).map(Secret::new).map_err(|_| malformed())?;
    if client_id.is_empty() {
        return Err(malformed());
    }
    Ok((client_id, client_secret))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn read(authorization: Option<&str>, form: &str) -> Result<ClientCredentials, TokenError> {
        ClientCredentials::from_request(authorization, &Parameters::parse(form.as_bytes()).unwrap())
    }

    fn header(credentials: impl AsRef<[u8]>) -> String {
        format!("Basic {}", STANDARD.encode(credentials))
    }

    fn refusal(authorization: Option<&str>, form: &str) -> &'static str {
        read(authorization, form).unwrap_err().code().as_str()
    }

    #[rstest]
    #[case("app:s3cret", "app", "s3cret")]
    #[case("app:a:b", "app", "a:b")]
    #[case("a%3Ab:100%25+%2B", "a:b", "100% +")]
    // RFC 6749 §2.3.1 lets a client leave an empty secret out; some libraries send it for public clients.
    #[case::empty_secret("app:", "app", "")]
    #[case("https%3A%2F%2Fapp.example:%C3%A4", "https://app.example", "\u{e4}")]
    fn basic_is_form_decoded(#[case] credentials: &str, #[case] id: &str, #[case] secret: &str) {
        let read = read(Some(&header(credentials)), "").unwrap();
        assert!(matches!(read, ClientCredentials::Basic { .. }));
        assert_eq!((read.client_id(), read.client_secret().unwrap().expose().as_str()), (id, secret));
    }

    #[test]
    fn the_scheme_has_no_case() {
        let header = header("app:s").replace("Basic ", "bAsIc  ");
        assert_eq!(read(Some(&header), "client_id=app").unwrap().client_id(), "app");
    }

    #[test]
    fn a_form_carries_a_secret_or_only_a_name() {
        let post = read(None, "client_id=app&client_secret=s").unwrap();
        assert!(matches!(&post, ClientCredentials::Post { client_id, .. } if client_id == "app"));
        for form in ["client_id=app", "client_id=app&client_secret="] {
            assert_eq!(read(None, form).unwrap(), ClientCredentials::None { client_id: "app".into() });
        }
    }

    #[test]
    fn an_assertion_names_the_client_or_the_form_does() {
        let kind = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let jwt = format!("e30.{}.c2ln", crate::secret::base64url(br#"{"sub":"app"}"#));
        for form in [
            format!("{kind}&client_assertion={jwt}"),
            format!("{kind}&client_assertion={jwt}&client_id=app"),
            format!("{kind}&client_assertion=junk&client_id=app"),
        ] {
            let read = read(None, &form).unwrap();
            assert!(
                matches!(&read, ClientCredentials::Assertion { client_id, .. } if client_id == "app"),
                "{form}"
            );
        }
        // Case 52: another or no type, no assertion, nobody named.
        for form in [
            format!("client_assertion={jwt}"),
            format!(
                "client_assertion={jwt}&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
            ),
            format!("{kind}&client_id=app"),
            format!("{kind}&client_assertion=junk"),
            format!("{kind}&client_assertion=e30.e30.c2ln"),
        ] {
            assert_eq!(refusal(None, &form), "invalid_client", "{form}");
        }
        let basic = header("app:s");
        assert_eq!(refusal(Some(&basic), &format!("{kind}&client_assertion={jwt}")), "invalid_request");
        let both = format!("{kind}&client_assertion={jwt}&client_id=app&client_secret=s");
        assert_eq!(refusal(None, &both), "invalid_request");
    }

    #[rstest]
    #[case::nothing(None, "")]
    #[case::empty_name(None, "client_id=")]
    #[case::secret_without_name(None, "client_secret=s")]
    #[case::bearer(Some("Bearer abc".into()), "client_id=app")]
    #[case::negotiate(Some("Negotiate abc".into()), "client_id=app")]
    #[case::no_scheme(Some("".into()), "client_id=app")]
    #[case::no_credentials(Some("Basic".into()), "client_id=app")]
    #[case::not_base64(Some("Basic !!!!".into()), "client_id=app")]
    #[case::base64url(Some("Basic _-8=".into()), "")]
    #[case::no_colon(Some(header("app")), "client_id=app")]
    #[case::no_name(Some(header(":s")), "")]
    #[case::bad_escape(Some(header("app:100%")), "")]
    #[case::not_utf8(Some(header(b"app:\xff")), "")]
    #[case::escaped_not_utf8(Some(header("app:%ff")), "")]
    #[case::nul_in_name(Some(header("a%00:s")), "")]
    #[case::nul_in_secret(Some(header(b"app:\0")), "")]
    #[case::line_break(Some(header("app:a\r\nb")), "")]
    #[case::long_name(Some(header(format!("{}:s", "a".repeat(2049)))), "")]
    #[case::long_secret(Some(header(format!("app:{}", "a".repeat(1025)))), "")]
    fn these_are_no_credentials(#[case] authorization: Option<String>, #[case] form: &str) {
        assert_eq!(refusal(authorization.as_deref(), form), "invalid_client");
    }

    #[rstest]
    #[case::basic_and_post(true, "client_id=app&client_secret=s")]
    #[case::basic_and_a_secret(true, "client_secret=s")]
    #[case::another_client(true, "client_id=other")]
    #[case::other_case(true, "client_id=APP")]
    #[case::repeated_name(false, "client_id=app&client_id=app")]
    #[case::repeated_secret(false, "client_id=app&client_secret=s&client_secret=")]
    fn contradictions_are_malformed_requests(#[case] with_basic: bool, #[case] form: &str) {
        let basic = header("app:s");
        assert_eq!(refusal(with_basic.then_some(basic.as_str()), form), "invalid_request");
    }

    #[test]
    fn debug_output_and_errors_hide_the_secret() {
        let header = header("app:hunter2");
        assert!(!format!("{:?}", read(Some(&header), "").unwrap()).contains("hunter2"));
        assert!(
            !format!("{:?}", read(None, "client_id=app&client_secret=hunter2").unwrap()).contains("hunter2")
        );
        assert!(
            !format!("{:?}", read(Some(&header), "client_secret=hunter2").unwrap_err()).contains("hunter2")
        );
    }

    proptest! {
        #[test]
        fn what_a_client_encodes_is_read_back(id in "\\PC{1,20}", secret in "\\PC{1,20}") {
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let read = read(Some(&header(format!("{}:{}", encode(&id), encode(&secret)))), "").unwrap();
            prop_assert_eq!(read.client_id(), id);
            prop_assert_eq!(read.client_secret().unwrap().expose(), &secret);
        }

        #[test]
        fn junk_is_refused_without_harm(junk in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = read(Some(&junk), "");
            let _ = read(Some(&header(bytes)), "");
        }
    }
}
