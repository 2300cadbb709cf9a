//! What an app learns of a person (OpenID Connect Core §5.3.2, §5.4, §5.5).

use serde_json::{Map, Value};

use crate::clients::ClaimCatalogue;
use crate::model::Attributes;
use crate::protocol::RequestedClaims;

/// What a UserInfo answer or an ID token is to tell.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Scopes whose claims are told; an ID token tells none by them, since the code flow has UserInfo (§5.4).
    pub scopes: &'a [String],
    /// Claims that were asked for by name and agreed to.
    pub by_name: &'a RequestedClaims,
    /// Scopes that the client is registered for and the person may grant today: no other claim is told by its name.
    pub available: &'a [String],
}

/// The claims that are told. What is not known of the person is left out, and so is a claim that was asked for by name
/// with values that the person's is not one of (§5.5.1).
pub fn released_claims(
    asked: Asked<'_>,
    person: &Attributes,
    catalogue: &ClaimCatalogue,
) -> Map<String, Value> {
    let release = |(name, scope): (&str, &str)| {
        let has = |scopes: &[String]| scopes.iter().any(|one| one == scope);
        let value = value_of(name, person)?;
        let by_name = asked.by_name.get(name).filter(|_| has(asked.available));
        let is_told = has(asked.scopes) || by_name.is_some_and(|wanted| wanted.admits(&value));
        is_told.then(|| (name.to_owned(), value))
    };
    catalogue.iter().filter_map(release).collect()
}

fn value_of(name: &str, person: &Attributes) -> Option<Value> {
    let kept = person.claims.get(name).cloned();
    match name {
        "email" => Some(person.email.clone().into()),
        "email_verified" => Some(person.email_verified.into()),
        "updated_at" => Some(person.updated_at.into()),
        "preferred_username" => kept.or_else(|| Some(person.username.clone().into())),
        // OpenID Connect Core §5.1: it speaks of the number.
        "phone_number_verified" if person.claims.contains_key("phone_number") => {
            kept.or(Some(Value::Bool(false)))
        }
        _ => kept,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Claim;
    use crate::protocol::ClaimsRequest;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn ada() -> Attributes {
        let claims = json!({
            "name": "Ada Lovelace", "locale": "en-GB", "phone_number": "+44 20 7946 0000",
            "address": { "country": "GB" }, "department": "Engines",
        });
        serde_json::from_value(json!({
            "username": "ada", "email": "ada@example.com", "email_verified": true, "claims": claims,
            "updated_at": 1_800_000_000,
        }))
        .unwrap()
    }

    fn catalogue() -> ClaimCatalogue {
        let claim = |name: &str| Claim {
            name: name.to_owned(),
            scope: "staff".to_owned(),
            description: String::new(),
        };
        ClaimCatalogue::new(vec![claim("department"), claim("badge")])
    }

    #[test]
    fn what_is_told_is_what_scopes_and_names_say_and_no_more() {
        let all = "openid profile email phone address staff";
        let profile = json!({
            "name": "Ada Lovelace", "locale": "en-GB", "preferred_username": "ada", "updated_at": 1_800_000_000,
        });
        let email = json!({ "email": "ada@example.com", "email_verified": true });
        let table = [
            // by scopes, by name, registered and grantable today, told
            ("openid", r"{}", all, json!({})),
            ("openid profile", r"{}", all, profile.clone()),
            ("openid email", r"{}", all, email.clone()),
            (
                "phone",
                r"{}",
                all,
                json!({ "phone_number": "+44 20 7946 0000", "phone_number_verified": false }),
            ),
            ("address", r"{}", all, json!({ "address": { "country": "GB" } })),
            ("staff", r"{}", all, json!({ "department": "Engines" })),
            // A scope of the token counts as it is: that it is still given was looked up before.
            ("email", r"{}", "", email.clone()),
            (
                "",
                r#"{"name":null,"department":{"essential":true}}"#,
                all,
                json!({ "name": "Ada Lovelace", "department": "Engines" }),
            ),
            // What is not known is left out, essential or not.
            ("", r#"{"nickname":{"essential":true},"badge":null,"nonsense":null}"#, all, json!({})),
            // Only while the client is registered for the scope, and the person may grant it.
            ("", r#"{"name":null,"department":null}"#, "openid profile", json!({ "name": "Ada Lovelace" })),
            ("", r#"{"name":null}"#, "openid", json!({})),
            // Only if the value is the one that is wanted; what a scope tells, it tells whatever it is.
            (
                "",
                r#"{"name":{"value":"Ada Lovelace"},"locale":{"values":["fr","en-GB"]}}"#,
                all,
                json!({ "name": "Ada Lovelace", "locale": "en-GB" }),
            ),
            ("", r#"{"name":{"value":"Bob"},"locale":{"values":["fr"]}}"#, all, json!({})),
            ("email", r#"{"email":{"value":"bob@example.com"}}"#, all, email),
            (
                "",
                r#"{"email_verified":{"value":true},"address":{"value":{"country":"GB"}}}"#,
                all,
                json!({ "email_verified": true, "address": { "country": "GB" } }),
            ),
            // These are no claims about a person that are told here.
            ("openid", r#"{"sub":null,"acr":null,"iss":null,"roles":null}"#, all, json!({})),
        ];
        for (scopes, by_name, available, told) in table {
            let request = ClaimsRequest::parse(&format!("{{\"userinfo\":{by_name}}}")).unwrap();
            let (scopes, available) = (words(scopes), words(available));
            let asked = Asked { scopes: &scopes, by_name: &request.userinfo, available: &available };
            let released = released_claims(asked, &ada(), &catalogue());
            assert_eq!(Value::Object(released), told, "{scopes:?} {by_name} {available:?}");
        }
    }

    #[test]
    fn a_name_of_ones_own_goes_before_the_name_to_sign_in_with() {
        let mut person = ada();
        person.claims.insert("preferred_username".to_owned(), json!("Countess"));
        let scopes = words("profile");
        let asked = Asked { scopes: &scopes, by_name: &RequestedClaims::new(), available: &[] };
        assert_eq!(released_claims(asked, &person, &catalogue())["preferred_username"], "Countess");
    }
}
