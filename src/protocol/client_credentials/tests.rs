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
        format!("{kind}&client_assertion=e30.{}.c2ln", crate::secret::base64url(br#"{"sub":"a\u0000"}"#)),
        format!("{kind}&client_assertion=e30.{}.c2ln", crate::secret::base64url(br#"{"sub":""}"#)),
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
    assert!(!format!("{:?}", read(None, "client_id=app&client_secret=hunter2").unwrap()).contains("hunter2"));
    assert!(!format!("{:?}", read(Some(&header), "client_secret=hunter2").unwrap_err()).contains("hunter2"));
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
    fn a_junk_assertion_is_read_without_harm(junk in "[!-~]{0,80}", claims in "[ -~]{0,60}") {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        for assertion in [junk, format!("e30.{}.c2ln", crate::secret::base64url(claims.as_bytes()))] {
            let form = format!("client_assertion_type={JWT_BEARER_ASSERTION}&client_assertion={}", encode(&assertion));
            if let Ok(credentials) = read(None, &form) {
                prop_assert!(!credentials.client_id().is_empty());
            }
        }
    }

    #[test]
    fn junk_is_refused_without_harm(junk in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = read(Some(&junk), "");
        let _ = read(Some(&header(bytes)), "");
    }
}
