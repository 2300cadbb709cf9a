//! Scopes (RFC 6749 §3.3).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Asks for an ID token (OpenID Connect Core §3.1.2.1).
pub const OPENID: &str = "openid";
/// The person's profile (OpenID Connect Core §5.4).
pub const PROFILE: &str = "profile";
/// The person's e-mail address (OpenID Connect Core §5.4).
pub const EMAIL: &str = "email";
/// The person's postal address (OpenID Connect Core §5.4).
pub const ADDRESS: &str = "address";
/// The person's phone number (OpenID Connect Core §5.4).
pub const PHONE: &str = "phone";
/// A grant that outlives the session (OpenID Connect Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";
/// Roles that carry no scope, in the access token.
pub const ROLES: &str = "roles";

/// Most scopes in a set.
pub const MOST_SCOPES: usize = 100;
/// Longest scope parameter in bytes.
pub const LONGEST_SCOPE: usize = 4096;

/// A set of scopes in the order in which they were first named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeSet(Vec<String>);

impl ScopeSet {
    /// Parses a space-separated list. Surplus spaces, which many clients send, mean nothing.
    ///
    /// # Errors
    /// A character outside RFC 6749 §3.3, or more than the limits allow.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.len() > LONGEST_SCOPE {
            return Err(ScopeError::TooLong);
        }
        let tokens = || text.split(' ').filter(|token| !token.is_empty());
        if !tokens().all(is_scope_token) {
            return Err(ScopeError::Malformed);
        }
        let set: Self = tokens().collect();
        if set.0.len() > MOST_SCOPES { Err(ScopeError::TooMany) } else { Ok(set) }
    }

    /// Whether the scope is in the set. Scopes are case-sensitive.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|s| s == scope)
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The scopes as the database keeps them.
    pub fn to_vec(&self) -> Vec<String> {
        self.0.clone()
    }
}

/// RFC 6749 §3.3: a scope token is one or more of %x21 / %x23-5B / %x5D-7E.
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

/// From names that were checked when they were registered; what is no scope token is left out.
impl<S: AsRef<str>> FromIterator<S> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut set = Self::default();
        for name in names {
            let name = name.as_ref();
            if is_scope_token(name) && !set.contains(name) {
                set.0.push(name.to_owned());
            }
        }
        set
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Why a scope parameter cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A character outside RFC 6749 §3.3.
    #[error("the parameter 'scope' has a character that a scope cannot have: separate scopes by one space")]
    Malformed,
    /// Longer than [`LONGEST_SCOPE`].
    #[error("the parameter 'scope' is longer than {LONGEST_SCOPE} bytes")]
    TooLong,
    /// More than [`MOST_SCOPES`].
    #[error("the parameter 'scope' has more than {MOST_SCOPES} scopes")]
    TooMany,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text).unwrap()
    }

    #[rstest]
    #[case("", "")]
    #[case("   ", "")]
    #[case("b a", "b a")]
    #[case(" b  a ", "b a")]
    #[case("a b a", "a b")]
    #[case("https://api.example/read a:b.c/d'e!~", "https://api.example/read a:b.c/d'e!~")]
    #[case("A a", "A a")]
    fn scopes_keep_their_order_and_occur_once(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(set(text).to_string(), expected);
    }

    #[rstest]
    #[case("a\tb")]
    #[case("a\nb")]
    #[case("a\"b")]
    #[case("a\\b")]
    #[case("a\0")]
    #[case("\u{e4}")]
    #[case("a\u{a0}b")]
    #[case("a\u{7f}")]
    fn odd_characters_are_refused(#[case] text: &str) {
        assert_eq!(ScopeSet::parse(text), Err(ScopeError::Malformed));
        assert!(!is_scope_token(text));
    }

    #[test]
    fn limits_hold() {
        let scopes = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(set(&scopes(MOST_SCOPES)).len(), MOST_SCOPES);
        assert_eq!(ScopeSet::parse(&scopes(MOST_SCOPES + 1)), Err(ScopeError::TooMany));
        assert!(ScopeSet::parse(&"a".repeat(LONGEST_SCOPE)).is_ok());
        assert_eq!(ScopeSet::parse(&"a".repeat(LONGEST_SCOPE + 1)), Err(ScopeError::TooLong));
    }

    #[test]
    fn a_scope_has_its_case() {
        assert!(set("a b c").contains("a") && !set("a b c").contains("A"));
    }

    #[test]
    fn a_stored_name_with_a_space_is_not_two_scopes() {
        assert_eq!(["a", "b c", ""].into_iter().collect::<ScopeSet>(), set("a"));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(text in "[a-c ]{0,30}") {
            let scopes = set(&text);
            prop_assert_eq!(&set(&scopes.to_string()), &scopes);
            let json = serde_json::to_string(&scopes).unwrap();
            prop_assert_eq!(serde_json::from_str::<ScopeSet>(&json).unwrap(), scopes);
        }

        #[test]
        fn whatever_is_accepted_can_be_printed(text in any::<String>()) {
            if let Ok(scopes) = ScopeSet::parse(&text) {
                prop_assert!(scopes.iter().all(is_scope_token));
            }
        }
    }
}
