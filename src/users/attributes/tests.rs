use serde_json::json;

use super::*;

fn change(text: &str) -> Result<Option<Value>, AttributeProblem> {
    AttributeChange::parse(text).map(|change| change.value)
}

#[test]
fn values_of_standard_claims_are_checked() {
    let long = format!("name={}", "x".repeat(MAX_TEXT_CHARACTERS + 1));
    let long_url = format!("picture=https://example.com/{}", "x".repeat(MAX_URL_BYTES));
    for (text, fits) in [
        ("name=Ada Lovelace", true),
        ("name=アダ", true),
        ("name=a=b", true),
        (long.as_str(), false),
        ("name= Ada", false),
        ("name=Ada\0", false),
        ("nickname=A\nB", false),
        ("website=https://example.com/ada?x=1#top", true),
        ("website=http://localhost:8080/", true),
        ("website=ftp://example.com", false),
        ("website=javascript:alert(1)", false),
        ("website=example.com", false),
        ("website=https://", false),
        ("website=https:example.com", false),
        ("website=https:\\\\example.com", false),
        ("website=https://example.com/\"><script>", false),
        ("website=https://example.com/'onerror=x", false),
        ("website=https://example.com@evil.example/", false),
        ("website=https://example.com/ x", false),
        (long_url.as_str(), false),
        ("birthdate=1815-12-10", true),
        ("birthdate=1815", true),
        ("birthdate=0000-12-10", true),
        ("birthdate=0000-02-29", true),
        ("birthdate=2000-02-29", true),
        ("birthdate=1900-02-29", false),
        ("birthdate=1815-13-10", false),
        ("birthdate=10.12.1815", false),
        ("birthdate=18151210", false),
        ("birthdate=0000", false),
        ("birthdate=1815-12", false),
        ("birthdate=1815-W49-7", false),
        ("birthdate=0000-W01-1", false),
        ("zoneinfo=Europe/London", true),
        ("zoneinfo=America/Argentina/Buenos_Aires", true),
        ("zoneinfo=UTC", true),
        ("zoneinfo=+01:00", false),
        ("zoneinfo=Europe/", false),
        ("locale=en", true),
        ("locale=en-GB", true),
        ("locale=zh-Hant-TW", true),
        ("locale=sl-rozaj-biske-1994", true),
        ("locale=en_GB", false),
        ("locale=e", false),
        ("locale=en-", false),
        ("locale=english language", false),
        ("phone_number=+1 (425) 555-1212", true),
        ("phone_number=+442079460000;ext=5678", true),
        ("phone_number=4255551212", false),
        ("phone_number=+", false),
        ("phone_number=+1 425 555 1212 1212 99", false),
        ("phone_number=+44 20 7946 0000;ext=x", false),
        ("phone_number_verified=true", true),
        ("phone_number_verified=yes", false),
        (r#"address={"street_address":"12 St James's Square\nLondon","country":"GB"}"#, true),
        (r#"address={"locality":"Lon\ndon"}"#, false),
        (r#"address={"planet":"Earth"}"#, false),
        (r#"address={"country":7}"#, false),
        ("address={}", false),
        ("address=London", false),
    ] {
        assert_eq!(change(text).is_ok(), fits, "{text:?}: {:?}", change(text));
    }
}

#[test]
fn what_an_operator_added_is_json_or_else_a_text() {
    for (text, value) in [
        ("department=Sales", json!("Sales")),
        ("department=\"7\"", json!("7")),
        ("level=7", json!(7)),
        ("teams=[\"a\",\"b\"]", json!(["a", "b"])),
        ("badge={\"id\":1}", json!({ "id": 1 })),
        ("on_call=false", json!(false)),
        ("odd=[1", json!("[1")),
    ] {
        assert_eq!(change(text).unwrap(), Some(value), "{text}");
    }
    for text in ["department=a\0", "department=\"a\\u0000\"", r#"badge={"a\u0000":1}"#, "teams=[\"\\u0007\"]"]
    {
        assert!(matches!(change(text), Err(AttributeProblem::Value(..))), "{text:?}");
    }
}

#[test]
fn what_is_kept_elsewhere_or_nowhere_is_refused() {
    for name in ["email", "email_verified", "updated_at", "sub", "iss", "roles"] {
        let refused = change(&format!("{name}=x"));
        assert!(matches!(refused, Err(AttributeProblem::Elsewhere(..))), "{name}: {refused:?}");
        assert!(change(&format!("{name}=")).is_err(), "{name}");
    }
    assert!(matches!(change("name#ja=アダ"), Err(AttributeProblem::Language(_))));
    for text in ["name", "", "=x"] {
        assert_eq!(change(text), Err(AttributeProblem::Form), "{text:?}");
    }
}

#[test]
fn changes_replace_and_remove() {
    let all = |texts: &[&str]| -> Vec<AttributeChange> {
        texts.iter().map(|text| AttributeChange::parse(text).unwrap()).collect()
    };
    let mut claims = Map::new();
    apply(&all(&["phone_number_verified=true", "phone_number=+1 425 555 1212", "name=Ada"]), &mut claims)
        .unwrap();
    let expected = json!({ "name": "Ada", "phone_number": "+1 425 555 1212", "phone_number_verified": true });
    assert_eq!(Value::Object(claims.clone()), expected);
    // The same number again is the number that was checked; another one is not.
    apply(&all(&["phone_number=+1 425 555 1212", "name="]), &mut claims).unwrap();
    assert_eq!(claims.get("phone_number_verified"), Some(&json!(true)));
    assert_eq!(claims.get("name"), None);
    apply(&all(&["phone_number=+1 425 555 1213"]), &mut claims).unwrap();
    assert_eq!(Value::Object(claims), json!({ "phone_number": "+1 425 555 1213" }));
}

#[test]
fn a_person_has_no_more_than_a_token_can_carry() {
    let value = format!("biography={}", "x".repeat(MAX_ATTRIBUTES_BYTES));
    let change = AttributeChange::parse(&value).unwrap();
    assert_eq!(apply(&[change], &mut Map::new()), Err(AttributeProblem::TooMuch));
}
