//! The claims about a person that there are: the standard ones, and those that operators add.

use std::collections::BTreeMap;

use crate::model::Claim;
use crate::protocol::standard_claims::{STANDARD_CLAIMS, standard_claim};

/// All claims about a person that an app can ask for.
#[derive(Debug, Default)]
pub struct ClaimCatalogue {
    added: BTreeMap<String, Claim>,
}

impl ClaimCatalogue {
    /// The standard claims and these.
    pub fn new(added: Vec<Claim>) -> Self {
        Self { added: added.into_iter().map(|claim| (claim.name.clone(), claim)).collect() }
    }

    /// The scope that releases the claim; `None`: there is no such claim.
    pub fn scope_of(&self, name: &str) -> Option<&str> {
        let standard = standard_claim(name).map(|claim| claim.scope);
        standard.or_else(|| self.added.get(name).map(|claim| claim.scope.as_str()))
    }

    /// What an app learns by the claim, in words.
    pub fn description(&self, name: &str) -> Option<&str> {
        let standard = standard_claim(name).map(|claim| claim.description);
        standard.or_else(|| self.added.get(name).map(|claim| claim.description.as_str()))
    }

    /// All claims with the scope that releases each, the standard ones first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let standard = STANDARD_CLAIMS.iter().map(|claim| (claim.name, claim.scope));
        standard.chain(self.added.values().map(|claim| (claim.name.as_str(), claim.scope.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_adds_stands_beside_the_standard_ones_and_never_over_them() {
        let claim = |name: &str, scope: &str| Claim {
            name: name.to_owned(),
            scope: scope.to_owned(),
            description: format!("See your {name}"),
        };
        let catalogue = ClaimCatalogue::new(vec![claim("department", "staff"), claim("email", "openid")]);
        let table = [
            ("department", Some("staff"), Some("See your department")),
            ("email", Some("email"), Some("See your e-mail address")),
            ("sub", None, None),
            ("Department", None, None),
            ("name#ja", None, None),
        ];
        for (name, scope, description) in table {
            assert_eq!(
                (catalogue.scope_of(name), catalogue.description(name)),
                (scope, description),
                "{name}"
            );
        }
        assert!(catalogue.iter().any(|pair| pair == ("department", "staff")));
    }
}
