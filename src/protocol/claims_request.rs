//! The parameter `claims` (OpenID Connect Core §5.5): claims that are asked for by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::strict_json::StrictJson;

/// Claims by name, each with how it is asked for.
pub type RequestedClaims = BTreeMap<String, RequestedClaim>;

/// What a client asks for by the parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// Claims to be returned by UserInfo.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: RequestedClaims,
    /// Claims to be returned in the ID token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: RequestedClaims,
}

/// How one claim is asked for (§5.5.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedClaim {
    /// Whether the client cannot well do without it. A claim that a person has not is left out all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The only value that is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The values of which one is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}

/// Why the parameter cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsRequestError {
    /// Not a JSON object.
    #[error(
        "the parameter 'claims' is not a JSON object, or has a member twice, or a control character in a text"
    )]
    Json,
    /// One of its members that mean something is not an object.
    #[error("the member '{0}' of the parameter 'claims' is not an object")]
    Member(&'static str),
    /// A claim is asked for in a form that there is not.
    #[error(
        "a claim in the member '{0}' of the parameter 'claims' is neither null nor an object whose 'essential' is \
         true or false and whose 'values' is an array that is not empty"
    )]
    Claim(&'static str),
}

impl ClaimsRequest {
    /// Reads the parameter. Members that mean nothing are ignored.
    ///
    /// # Errors
    /// If it is not what §5.5 describes.
    pub fn parse(text: &str) -> Result<Self, ClaimsRequestError> {
        let json = serde_json::from_str(text).ok().map(|StrictJson(json)| json);
        let Some(Value::Object(mut members)) = json.filter(has_no_control_character) else {
            return Err(ClaimsRequestError::Json);
        };
        let mut read = |member| match members.remove(member) {
            None | Some(Value::Null) => Ok(RequestedClaims::new()),
            Some(Value::Object(claims)) => requested(claims).ok_or(ClaimsRequestError::Claim(member)),
            Some(_) => Err(ClaimsRequestError::Member(member)),
        };
        Ok(Self { userinfo: read("userinfo")?, id_token: read("id_token")? })
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// The names of all claims that are asked for, in either member.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let beyond = self.id_token.keys().filter(|name| !self.userinfo.contains_key(*name));
        self.userinfo.keys().chain(beyond).map(String::as_str)
    }

    /// Whether an answer may speak of the person with this `sub` (§3.1.2.2, no. 4): another one was not asked for.
    pub fn admits_subject(&self, sub: &str) -> bool {
        let asked = [&self.userinfo, &self.id_token].into_iter().filter_map(|claims| claims.get("sub"));
        asked.into_iter().all(|claim| claim.admits(&Value::from(sub)))
    }
}

impl RequestedClaim {
    /// Whether this value is one of those that are wanted.
    pub fn admits(&self, value: &Value) -> bool {
        if self.value.is_none() && self.values.is_none() {
            return true;
        }
        self.value.iter().chain(self.values.iter().flatten()).any(|wanted| wanted == value)
    }

    fn read(asked: Value) -> Option<Self> {
        match asked {
            Value::Null => Some(Self::default()),
            Value::Object(mut members) => Some(Self {
                essential: match members.remove("essential") {
                    None | Some(Value::Null) => false,
                    Some(essential) => essential.as_bool()?,
                },
                // No person has a claim that is null.
                value: members.remove("value").filter(|value| !value.is_null()),
                values: match members.remove("values") {
                    None | Some(Value::Null) => None,
                    Some(Value::Array(values)) if !values.is_empty() => Some(values),
                    Some(_) => return None,
                },
            }),
            _ => None,
        }
    }
}

/// Whether no text in it has a control character, escaped or not: PostgreSQL cannot keep NUL, and nothing that is asked
/// for needs the others.
fn has_no_control_character(json: &Value) -> bool {
    let is_clean = |text: &str| !text.chars().any(char::is_control);
    match json {
        Value::String(text) => is_clean(text),
        Value::Array(values) => values.iter().all(has_no_control_character),
        Value::Object(members) => {
            members.iter().all(|(name, value)| is_clean(name) && has_no_control_character(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn requested(claims: Map<String, Value>) -> Option<RequestedClaims> {
    claims.into_iter().map(|(name, asked)| Some((name, RequestedClaim::read(asked)?))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_example_of_the_specification_is_read() {
        let text = r#"{
            "userinfo": {
                "given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
                "email_verified": {"essential": true}, "picture": null, "http://example.info/claims/groups": null
            },
            "id_token": {
                "auth_time": {"essential": true},
                "acr": {"values": ["urn:mace:incommon:iap:silver"]}
            }
        }"#;
        let request = ClaimsRequest::parse(text).unwrap();
        assert_eq!(request.userinfo.len(), 6);
        assert!(request.userinfo["given_name"].essential && !request.userinfo["nickname"].essential);
        assert_eq!(request.id_token["acr"].values, Some(vec![json!("urn:mace:incommon:iap:silver")]));
        assert_eq!(request.names().count(), 8);
    }

    #[rstest]
    #[case("{}")]
    #[case(r#"{"userinfo":null,"id_token":{}}"#)]
    #[case(r#"{"other":[1,"x",{"a":null}]}"#)]
    fn what_asks_for_nothing_is_empty(#[case] text: &str) {
        assert!(ClaimsRequest::parse(text).unwrap().is_empty());
    }

    #[rstest]
    #[case("", ClaimsRequestError::Json)]
    #[case("x", ClaimsRequestError::Json)]
    #[case("[]", ClaimsRequestError::Json)]
    #[case("null", ClaimsRequestError::Json)]
    #[case("{} {}", ClaimsRequestError::Json)]
    #[case(r#"{"userinfo":{"name":null,"name":null}}"#, ClaimsRequestError::Json)]
    #[case(r#"{"userinfo":{},"userinfo":{}}"#, ClaimsRequestError::Json)]
    #[case(r#"{"userinfo":{"name":{"value":"a\u0000"}}}"#, ClaimsRequestError::Json)]
    #[case(r#"{"userinfo":{"name":{"values":["a","\n"]}}}"#, ClaimsRequestError::Json)]
    #[case(r#"{"userinfo":{"a\u0000":null}}"#, ClaimsRequestError::Json)]
    #[case(r#"{"other":[{"a\u0000":1}]}"#, ClaimsRequestError::Json)]
    #[case(r#"{"userinfo":[]}"#, ClaimsRequestError::Member("userinfo"))]
    #[case(r#"{"id_token":"name"}"#, ClaimsRequestError::Member("id_token"))]
    #[case(r#"{"userinfo":{"name":true}}"#, ClaimsRequestError::Claim("userinfo"))]
    #[case(r#"{"userinfo":{"name":{"essential":"true"}}}"#, ClaimsRequestError::Claim("userinfo"))]
    #[case(r#"{"id_token":{"acr":{"values":"1"}}}"#, ClaimsRequestError::Claim("id_token"))]
    #[case(r#"{"id_token":{"acr":{"values":[]}}}"#, ClaimsRequestError::Claim("id_token"))]
    fn what_is_malformed_is_refused(#[case] text: &str, #[case] error: ClaimsRequestError) {
        assert_eq!(ClaimsRequest::parse(text), Err(error));
    }

    #[rstest]
    #[case("{}", true)]
    #[case(r#"{"id_token":{"sub":null}}"#, true)]
    #[case(r#"{"id_token":{"sub":{"value":"ada"}}}"#, true)]
    #[case(r#"{"id_token":{"sub":{"values":["bob","ada"]}}}"#, true)]
    #[case(r#"{"id_token":{"sub":{"value":"bob"}}}"#, false)]
    #[case(r#"{"userinfo":{"sub":{"value":"bob"}}}"#, false)]
    #[case(r#"{"userinfo":{"sub":{"value":"bob"}},"id_token":{"sub":{"value":"ada"}}}"#, false)]
    #[case(r#"{"id_token":{"sub":{"value":7}}}"#, false)]
    #[case(r#"{"id_token":{"sub":{"value":null,"values":null,"essential":null}}}"#, true)]
    fn a_person_may_be_asked_for(#[case] text: &str, #[case] admits_ada: bool) {
        assert_eq!(ClaimsRequest::parse(text).unwrap().admits_subject("ada"), admits_ada);
    }

    proptest! {
        #[test]
        fn written_and_read_again_it_is_the_same(
            claims in prop::collection::btree_map("[a-z]{1,3}", (any::<bool>(), prop::option::of("[a-c]?")), 0..4),
            in_id_token in any::<bool>(),
        ) {
            let claims: RequestedClaims = claims
                .into_iter()
                .map(|(name, (essential, value))| {
                    (name, RequestedClaim { essential, value: value.map(Value::from), values: None })
                })
                .collect();
            let mut request = ClaimsRequest::default();
            *(if in_id_token { &mut request.id_token } else { &mut request.userinfo }) = claims;
            let text = serde_json::to_string(&request).unwrap();
            prop_assert_eq!(serde_json::from_str::<ClaimsRequest>(&text).unwrap(), request.clone());
            prop_assert_eq!(ClaimsRequest::parse(&text), Ok(request));
        }

        #[test]
        fn whatever_comes_is_read_or_refused(text in "\\PC{0,60}") {
            let _ = ClaimsRequest::parse(&text);
        }
    }
}
