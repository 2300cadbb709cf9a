//! What the suite checks at every answer, whatever the module is about.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Answer, unix_now};

/// The claims of the standard scopes (OpenID Connect Core §5.4).
pub const OF_SCOPES: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// An ID token: times, types, and a subject that can be kept (OpenID Connect Core §2).
#[track_caller]
pub fn id_token(claims: &Value) {
    let seconds = |name: &str| claims[name].as_i64().unwrap_or_else(|| panic!("{name} in {claims}"));
    assert!(seconds("iat") <= unix_now() + 60 && seconds("exp") > unix_now(), "{claims}");
    assert!(seconds("auth_time") <= seconds("iat"), "{claims}");
    let subject = claims["sub"].as_str().unwrap();
    assert!(!subject.is_empty() && subject.len() <= 255 && subject.is_ascii(), "{claims}");
    for (name, is_right) in [
        ("acr", Value::is_string as fn(&Value) -> bool),
        ("azp", Value::is_string),
        ("sid", Value::is_string),
        ("amr", Value::is_array),
    ] {
        assert!(claims.get(name).is_none_or(is_right), "{name} in {claims}");
    }
    standard_claims(claims);
}

/// A UserInfo answer in JSON that speaks of the ID token's subject (§5.3.2, §5.3.4).
#[track_caller]
pub fn userinfo(answer: &Answer, id_token: &Value) -> Value {
    assert_eq!(answer.status, 200, "{} {:?}", answer.body, answer.headers);
    assert!(answer.header("content-type").unwrap().starts_with("application/json"), "{:?}", answer.headers);
    let userinfo = answer.json();
    assert_eq!(userinfo["sub"], id_token["sub"]);
    standard_claims(&userinfo);
    userinfo
}

/// §5.1: types and forms of the standard claims, as far as they are there.
#[track_caller]
fn standard_claims(claims: &Value) {
    for (name, value) in claims.as_object().unwrap() {
        let is_right = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" => value.as_i64().is_some_and(|at| at > 0 && at <= unix_now() + 60),
            "address" => value.as_object().is_some_and(|parts| parts.values().all(Value::is_string)),
            "birthdate" => value.as_str().is_some_and(is_birthdate),
            name if OF_SCOPES.iter().any(|(_, names)| names.contains(&name)) => {
                value.as_str().is_some_and(|text| !text.is_empty())
            }
            _ => !value.is_null(),
        };
        assert!(is_right, "{name} in {claims}");
    }
}

/// `YYYY-MM-DD`, or the year alone.
fn is_birthdate(text: &str) -> bool {
    let form: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    matches!(form.as_str(), "9999-99-99" | "9999")
}

/// A key set: each key has a `kid` of its own and nothing private.
#[track_caller]
pub fn key_set(set: &Value) {
    let keys = set["keys"].as_array().unwrap();
    let named: BTreeSet<&str> = keys.iter().map(|key| key["kid"].as_str().expect("a kid")).collect();
    assert_eq!(named.len(), keys.len(), "{set}");
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(keys.iter().all(|key| key.get(private).is_none()), "{private}");
    }
}
