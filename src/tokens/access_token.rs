//! The claims of access tokens (RFC 9068).

use serde::{Deserialize, Serialize};

use crate::model::GrantId;
use crate::secret::{base64url, from_base64url, random_bytes};

/// The claims of an access token (RFC 9068 §2.2).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The person as the client knows them, or the client for a token of its own.
    pub sub: String,
    /// The resources that it is for.
    pub aud: Audience,
    /// Its end, in seconds since 1970.
    pub exp: i64,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// Its identifier; it begins with the grant's for a person's token.
    pub jti: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// The scopes, space-separated.
    pub scope: String,
    /// When the person had authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The person's roles, as far as the scopes let them through (§2.2.3.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// The `aud` claim: one string or several (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Audience {
    /// One string where there is one, as most verifiers like it.
    pub fn new(mut audience: Vec<String>) -> Self {
        if audience.len() == 1 { Self::One(audience.swap_remove(0)) } else { Self::Several(audience) }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(audience) => std::slice::from_ref(audience),
            Self::Several(audience) => audience.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

/// A fresh `jti`: the grant's id and 16 random bytes, or the random bytes alone.
pub(super) fn random_jti(grant_id: Option<GrantId>) -> String {
    let random: [u8; 16] = random_bytes();
    match grant_id {
        Some(id) => base64url(&[id.as_bytes().as_slice(), &random].concat()),
        None => base64url(&random),
    }
}

/// The grant that a `jti` begins with; `None` for a client's own token.
pub fn grant_of_jti(jti: &str) -> Option<GrantId> {
    let bytes = from_base64url(jti)?;
    let (id, random) = bytes.split_first_chunk::<16>()?;
    (random.len() == 16).then(|| GrantId::from_bytes(*id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_jti_leads_back_to_its_grant() {
        let id = GrantId::random(Timestamp::from_unix_seconds(1_000_000));
        assert_eq!(grant_of_jti(&random_jti(Some(id))), Some(id));
        assert_eq!(grant_of_jti(&random_jti(None)), None);
        assert_eq!(grant_of_jti("x"), None);
    }

    #[test]
    fn one_audience_is_a_string() {
        let json = |audience: &[&str]| {
            let audience = audience.iter().map(|one| (*one).to_owned()).collect();
            serde_json::to_value(Audience::new(audience)).unwrap()
        };
        assert_eq!(json(&["a"]), serde_json::json!("a"));
        assert_eq!(json(&["a", "b"]), serde_json::json!(["a", "b"]));
    }
}
