//! What clients say of themselves: read without a panic, refused by name, and each member as any reader has it.

use grantor::protocol::RegistrationRequest;
use serde_json::Value;

use super::{Pieces, assemble};

const WORDS: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1e9",
    "\"redirect_uris\":",
    "\"client_name\":",
    "\"jwks\":",
    "\"jwks_uri\":",
    "\"grant_types\":",
    "\"response_types\":",
    "\"scope\":",
    "\"contacts\":",
    "\"default_max_age\":",
    "\"require_auth_time\":",
    "\"software_statement\":",
    "\"token_endpoint_auth_method\":",
    "\"post_logout_redirect_uris\":",
    "\"client_name#de\":",
    "\"https://app.example/callback\"",
    "\"javascript:alert(1)\"",
    "\"none\"",
    "\"openid\"",
    "\"code\"",
    "{\"keys\":[]}",
    "{\"keys\":[{\"kty\":\"oct\"}]}",
    "[\"https://app.example/callback\"]",
    "[[[[[[[[",
    " ",
    "\n",
    "\u{0}",
    "\u{feff}",
    "#",
];

#[test]
fn what_is_read_is_what_any_reader_finds_there() {
    bolero::check!().with_type::<(bool, Pieces)>().for_each(|(is_begun, pieces)| {
        let mut body = if *is_begun { b"{".to_vec() } else { Vec::new() };
        body.extend(assemble(pieces, &WORDS));
        if *is_begun {
            body.push(b'}');
        }
        let Ok(request) = RegistrationRequest::parse(&body) else { return };
        let json: Value = serde_json::from_slice(&body).expect("what was read is JSON");
        let members = json.as_object().expect("an object");
        let texts =
            |name: &str| members.get(name).and_then(Value::as_array).map(Vec::len).unwrap_or_default();
        assert_eq!(request.redirect_uris.len(), texts("redirect_uris"));
        assert_eq!(request.contacts.len(), texts("contacts"));
        let name = members.get("client_name").and_then(Value::as_str).filter(|name| !name.is_empty());
        assert_eq!(request.client_name.as_deref(), name);
        assert_eq!(request.jwks.as_ref(), members.get("jwks").filter(|jwks| !jwks.is_null()));
        assert!(members.get("software_statement").is_none_or(Value::is_null));
    });
}

#[test]
fn an_object_is_read_or_refused_by_one_of_the_codes_there_are() {
    bolero::check!().with_type::<Vec<(u8, Pieces)>>().for_each(|pairs| {
        let names = &WORDS[16..30];
        let members = pairs.iter().take(6).map(|(name, pieces)| {
            let name = names[usize::from(*name) % names.len()].as_bytes();
            [name, &assemble(&pieces[..pieces.len().min(3)], &WORDS)].concat()
        });
        let body = [b"{".to_vec(), members.collect::<Vec<_>>().join(&b','), b"}".to_vec()].concat();
        if let Err(refused) = RegistrationRequest::parse(&body) {
            let code = refused.code().as_str();
            assert!(["invalid_client_metadata", "unapproved_software_statement"].contains(&code), "{code}");
            assert!(refused.description().bytes().all(|byte| (0x20..0x7F).contains(&byte)));
        }
    });
}
