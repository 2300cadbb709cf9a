use rstest::rstest;
use serde_json::json;

use super::*;

fn refused(json: &Value) -> String {
    RegistrationRequest::parse(json.to_string().as_bytes()).unwrap_err().to_string()
}

#[test]
fn what_is_known_is_read_and_what_is_not_is_left_out() {
    let request = RegistrationRequest::parse(
        json!({
            "redirect_uris": ["https://app.example/cb"],
            "client_name": "App",
            "client_name#de": "Anwendung",
            "client_secret": "chosen",
            "default_max_age": 3600,
            "require_auth_time": true,
            "backchannel_logout_session_required": "true",
            "frontchannel_logout_uri": "https://app.example/out",
            "request_uris": ["https://127.0.0.1/request"],
            "dpop_bound_access_tokens": false,
            "unheard_of": [1, {"a": null}],
        })
        .to_string()
        .as_bytes(),
    );
    let expected = RegistrationRequest {
        redirect_uris: vec!["https://app.example/cb".to_owned()],
        client_name: Some("App".to_owned()),
        default_max_age: Some(3600),
        require_auth_time: true,
        backchannel_logout_session_required: true,
        ..RegistrationRequest::default()
    };
    assert_eq!(request.unwrap(), expected);
}

#[test]
fn null_and_an_empty_text_say_nothing() {
    let json = json!({
        "redirect_uris": null, "grant_types": null, "client_name": "", "client_uri": "", "jwks": null,
        "default_max_age": null, "require_auth_time": null, "software_statement": null,
        "id_token_encrypted_response_alg": null,
    });
    let request = RegistrationRequest::parse(json.to_string().as_bytes()).unwrap();
    assert_eq!(request, RegistrationRequest::default());
}

#[rstest]
#[case("redirect_uris", json!("https://app.example/cb"), "not an array of strings")]
#[case("redirect_uris", json!([1]), "not an array of strings")]
#[case("redirect_uris", json!(vec!["https://app.example/cb"; 101]), "more than 100 entries")]
#[case("grant_types", json!({}), "not an array of strings")]
#[case("contacts", json!([["a"]]), "not an array of strings")]
#[case("contacts", json!(["a".repeat(5000)]), "more than 4096 bytes")]
#[case("client_name", json!(["App"]), "not a string")]
#[case("client_name", json!("n".repeat(5000)), "longer than 4096 bytes")]
#[case("scope", json!(["openid"]), "not a string")]
#[case("jwks_uri", json!(true), "not a string")]
#[case("default_max_age", json!(-1), "whole number")]
#[case("default_max_age", json!("3600"), "whole number")]
#[case("default_max_age", json!(1.5), "whole number")]
#[case("default_max_age", json!(2_147_483_648_u64), "whole number")]
#[case("require_auth_time", json!("yes"), "neither true nor false")]
#[case("require_auth_time", json!(1), "neither true nor false")]
#[case("default_acr_values", json!("1"), "not an array of strings")]
#[case("initiate_login_uri", json!("http://app.example/login"), "not https")]
#[case("initiate_login_uri", json!("javascript:alert(1)"), "not https")]
#[case("require_signed_request_object", json!(true), "not supported")]
#[case("dpop_bound_access_tokens", json!(true), "not supported")]
#[case("tls_client_certificate_bound_access_tokens", json!(true), "not supported")]
#[case("id_token_encrypted_response_alg", json!("RSA-OAEP"), "not supported")]
#[case("userinfo_encrypted_response_enc", json!("A256GCM"), "not supported")]
fn a_refusal_names_the_member(#[case] name: &str, #[case] value: Value, #[case] problem: &str) {
    let words = refused(&json!({ name: value }));
    assert!(words.starts_with(&format!("invalid_client_metadata: '{name}' ")), "{words}");
    assert!(words.contains(problem), "{words}");
}

#[test]
fn a_software_statement_is_refused_by_its_own_code() {
    for statement in [json!("eyJhbGciOiJub25lIn0.e30."), json!(1), json!("")] {
        let words = refused(&json!({ "software_statement": statement }));
        assert!(words.starts_with("unapproved_software_statement: "), "{words}");
    }
}

#[rstest]
#[case(br#"{"client_name": "A", "client_name": "B"}"#, "stands twice")]
#[case(br#"{"jwks": {"keys": [{"kty": "RSA", "kty": "EC"}]}}"#, "stands twice")]
#[case(br#"{"unheard_of": {"a": 1, "\u0061": 1}}"#, "stands twice")]
#[case(br#"["client_name"]"#, "JSON object")]
#[case(b"client_name=App", "not JSON")]
#[case(b"", "not JSON")]
#[case(b"{\"client_name\": \"\xff\"}", "not JSON")]
#[case(br#"{"client_name": "\ud800"}"#, "not JSON")]
#[case(br#"{} {}"#, "not JSON")]
fn only_an_object_whose_members_stand_once_is_read(#[case] body: &[u8], #[case] problem: &str) {
    let words = RegistrationRequest::parse(body).unwrap_err().to_string();
    assert!(words.contains(problem), "{words}");
}
