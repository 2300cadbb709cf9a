//! Resource indicators (RFC 8707): the APIs that a token is for.

use serde::{Deserialize, Serialize};

use super::parameters::Parameters;
use super::uri::{check_characters, split_scheme};

/// Most resources in a request.
pub const MOST_RESOURCES: usize = 20;

/// Checks a resource indicator, for a request or for registration as an audience or a resource server.
///
/// RFC 8707 §2: an absolute URI without a fragment. It is compared as a string and never fetched.
///
/// # Errors
/// The reason in words.
pub fn check_resource(text: &str) -> Result<(), ResourceError> {
    check_characters(text).map_err(ResourceError::Malformed)?;
    let not_absolute = "it is not absolute: it must begin with a scheme in lower case, such as https://";
    split_scheme(text).map(|_| ()).ok_or(ResourceError::Malformed(not_absolute))
}

/// Resources in the order in which they were first named; empty where none was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceSet(Vec<String>);

impl ResourceSet {
    /// Takes the `resource` parameters of a request.
    ///
    /// # Errors
    /// One is no resource indicator, or there are more than [`MOST_RESOURCES`].
    pub fn parse(parameters: &Parameters) -> Result<Self, ResourceError> {
        let mut set = Self::default();
        for resource in parameters.all("resource") {
            check_resource(resource)?;
            if !set.contains(resource) {
                set.0.push(resource.to_owned());
            }
            if set.0.len() > MOST_RESOURCES {
                return Err(ResourceError::TooMany);
            }
        }
        Ok(set)
    }

    /// Whether the resource is in the set, compared as a string.
    pub fn contains(&self, resource: &str) -> bool {
        self.0.iter().any(|r| r == resource)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The resources in order.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// Why a resource indicator cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// It is no absolute URI without a fragment.
    #[error("the resource cannot be used: {0}")]
    Malformed(&'static str),
    /// More than [`MOST_RESOURCES`].
    #[error("the request names more than {MOST_RESOURCES} resources")]
    TooMany,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://api.example", true)]
    #[case("https://api.example/", true)]
    #[case("https://api.example:8443/mcp?tenant=1", true)]
    #[case("http://localhost:9000", true)]
    #[case("urn:example:api", true)]
    #[case("api://orders", true)]
    #[case("", false)]
    #[case("orders", false)]
    #[case("//api.example", false)]
    #[case("/orders", false)]
    #[case("https:", false)]
    #[case("https://api.example/#", false)]
    #[case("https://api.example/#x", false)]
    #[case("https://api.example/a b", false)]
    #[case("https://api.example/\u{e4}", false)]
    #[case("https://api.example/\"", false)]
    fn a_resource_is_an_absolute_uri_without_a_fragment(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(check_resource(text).is_ok(), expected);
    }

    fn of_request(query: &str) -> Result<ResourceSet, ResourceError> {
        ResourceSet::parse(&Parameters::parse(query.as_bytes()).unwrap())
    }

    #[test]
    fn resources_keep_their_order_and_occur_once() {
        let set = of_request("resource=urn:b&resource=urn:a&resource=urn:b&resource=").unwrap();
        assert_eq!(set.as_slice(), ["urn:b", "urn:a"]);
        assert!(of_request("").unwrap().is_empty());
    }

    #[test]
    fn their_number_is_limited() {
        let query = |n: usize| (0..n).map(|i| format!("resource=urn:{i}&")).collect::<String>();
        assert_eq!(of_request(&query(MOST_RESOURCES)).unwrap().as_slice().len(), MOST_RESOURCES);
        assert_eq!(of_request(&query(MOST_RESOURCES + 1)), Err(ResourceError::TooMany));
    }

    #[test]
    fn one_bad_resource_refuses_the_request() {
        assert!(of_request("resource=urn:a&resource=b").is_err());
    }
}
