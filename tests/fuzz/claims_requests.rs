//! The parameter `claims`.

use grantor::protocol::ClaimsRequest;
use serde_json::Value;

use super::{Pieces, assemble};

const WORDS: [&str; 30] = [
    "{",
    "}",
    "{\"userinfo\":{",
    ",\"id_token\":{",
    "}}",
    "\"name\":",
    "\"sub\":",
    "\"email\":",
    "\"a#b\":",
    "null",
    "{\"essential\":true}",
    "{\"essential\":",
    "\"value\":",
    "\"values\":",
    "[",
    "]",
    ",",
    ":",
    "\"x\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\u00e4\"",
    "true",
    "false",
    "0",
    "-1e300",
    "1e999",
    " ",
    "\"userinfo\":null",
    "\"other\":",
];

fn parse(beginning: &str, pieces: &Pieces) -> Option<(String, ClaimsRequest)> {
    let text = [beginning.as_bytes(), &assemble(pieces, &WORDS)].concat();
    let text = String::from_utf8(text).ok()?;
    let request = ClaimsRequest::parse(&text).ok()?;
    Some((text, request))
}

/// Every text in it, names of members among them.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(members) => {
            for (name, value) in members {
                found.push(name.clone());
                texts(value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn what_is_read_is_what_everybody_reads() {
    bolero::check!().with_type::<(bool, Pieces)>().for_each(|(begun, pieces)| {
        let Some((text, request)) = parse(if *begun { "{\"userinfo\":{\"name\":" } else { "" }, pieces)
        else {
            return;
        };
        let lenient: Value = serde_json::from_str(&text).unwrap();
        let names = |member: &str| -> Vec<String> {
            let claims = lenient[member].as_object().cloned().unwrap_or_default();
            let mut names: Vec<_> = claims.into_iter().map(|(name, _)| name).collect();
            names.sort();
            names
        };
        assert_eq!(request.userinfo.keys().cloned().collect::<Vec<_>>(), names("userinfo"));
        assert_eq!(request.id_token.keys().cloned().collect::<Vec<_>>(), names("id_token"));
        for (member, claims) in [("userinfo", &request.userinfo), ("id_token", &request.id_token)] {
            for (name, claim) in claims {
                let asked = &lenient[member][name.as_str()];
                assert_eq!(claim.essential, asked["essential"] == true);
                assert_eq!(claim.value.as_ref().unwrap_or(&Value::Null), &asked["value"]);
            }
        }
        // Nothing is in it that PostgreSQL could not keep.
        let mut found = Vec::new();
        texts(&serde_json::to_value(&request).unwrap(), &mut found);
        assert!(found.iter().all(|text| !text.chars().any(char::is_control)));
    });
}

#[test]
fn written_and_read_again_it_is_the_same() {
    bolero::check!().with_type::<Pieces>().for_each(|pieces| {
        let Some((_, request)) = parse("{\"id_token\":{\"sub\":", pieces) else { return };
        let written = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<ClaimsRequest>(&written).unwrap(), request);
        assert_eq!(ClaimsRequest::parse(&written), Ok(request));
    });
}
