//! The registered scopes: which exist, what they mean, which only a role lets a person grant.

use std::collections::BTreeMap;

use crate::model::{Role, Scope};
use crate::protocol::scope::{ADDRESS, EMAIL, OFFLINE_ACCESS, OPENID, PHONE, PROFILE, ROLES};

/// Built-in scopes that speak of a person: a client cannot have them for itself.
const PERSONAL: [&str; 7] = [OPENID, PROFILE, EMAIL, ADDRESS, PHONE, OFFLINE_ACCESS, ROLES];

/// All registered scopes by name.
#[derive(Debug, Default)]
pub struct ScopeCatalogue {
    by_name: BTreeMap<String, Scope>,
}

impl ScopeCatalogue {
    /// Indexes the scopes.
    pub fn new(scopes: Vec<Scope>) -> Self {
        Self { by_name: scopes.into_iter().map(|scope| (scope.name.clone(), scope)).collect() }
    }

    /// The scope of this name.
    pub fn get(&self, name: &str) -> Option<&Scope> {
        self.by_name.get(name)
    }

    /// Whether Grantor itself gives it its meaning.
    pub fn is_built_in(&self, name: &str) -> bool {
        self.get(name).is_some_and(|scope| scope.built_in)
    }

    /// Whether only a role lets a person grant it. An unregistered scope counts as restricted.
    pub fn is_restricted(&self, name: &str) -> bool {
        self.get(name).is_none_or(|scope| scope.restricted)
    }

    /// Whether a person with these roles may grant it to an app.
    pub fn may_grant(&self, name: &str, roles: &[Role]) -> bool {
        !self.is_restricted(name)
            || (self.get(name).is_some()
                && roles.iter().any(|role| role.scopes.iter().any(|scope| scope == name)))
    }

    /// Whether a client with these registered scopes may have this one for itself (RFC 6749 §4.4): not one that
    /// speaks of a person. A client that also acts for people gets no restricted one: its registration lets
    /// *people* grant those, by their roles.
    pub fn may_have(&self, name: &str, registered: &[String], acts_for_people: bool) -> bool {
        registered.iter().any(|one| one == name)
            && self.get(name).is_some()
            && !PERSONAL.contains(&name)
            && !(acts_for_people && self.is_restricted(name))
    }

    /// Names of the unrestricted scopes, for the metadata document.
    pub fn public_names(&self) -> impl Iterator<Item = &str> {
        self.by_name.values().filter(|scope| !scope.restricted).map(|scope| scope.name.as_str())
    }
}

/// The roles that a token with these scopes names (RFC 9068 §2.2.3.1): a role needs a granted scope that it
/// carries, and one that carries none needs the scope `roles`. No app carries an administrator's power unasked.
pub fn role_names<'a>(roles: &'a [Role], granted: &[String]) -> Vec<&'a str> {
    roles
        .iter()
        .filter(|role| match role.scopes.as_slice() {
            [] => granted.iter().any(|scope| scope == ROLES),
            scopes => scopes.iter().any(|scope| granted.contains(scope)),
        })
        .map(|role| role.name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(name: &str, restricted: bool) -> Scope {
        Scope { name: name.into(), description: String::new(), restricted, built_in: false }
    }

    fn role(name: &str, scopes: &[&str]) -> Role {
        Role { name: name.into(), scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect() }
    }

    #[test]
    fn a_restricted_scope_needs_a_role_that_carries_it() {
        let catalogue = ScopeCatalogue::new(vec![scope("read", false), scope("admin", true)]);
        let admin = [role("admin", &["admin"])];
        let table = [
            ("read", &[][..], true),
            ("admin", &[][..], false),
            ("admin", &admin[..], true),
            ("gone", &admin[..], false),
        ];
        for (name, roles, expected) in table {
            assert_eq!(catalogue.may_grant(name, roles), expected, "{name}");
        }
        assert!(!catalogue.may_grant("gone", &[role("old", &["gone"])]));
    }

    #[test]
    fn a_client_has_for_itself_what_speaks_of_nobody() {
        let open = ["read", "openid", "phone"].map(|name| scope(name, false));
        let catalogue = ScopeCatalogue::new(open.into_iter().chain([scope("admin", true)]).collect());
        let registered = ["read", "admin", "openid", "phone", "gone"].map(str::to_owned);
        let table = [
            ("read", true, true),
            ("admin", false, true),
            ("admin", true, false),
            ("openid", false, false),
            ("phone", false, false),
            ("gone", false, false),
            ("other", false, false),
        ];
        for (name, acts_for_people, expected) in table {
            assert_eq!(catalogue.may_have(name, &registered, acts_for_people), expected, "{name}");
        }
    }

    #[test]
    fn a_role_is_named_only_with_a_scope_for_it() {
        let roles = [role("admin", &["orders.admin"]), role("staff", &[])];
        let table: [(&[&str], &[&str]); 4] = [
            (&["openid"], &[]),
            (&["orders.admin"], &["admin"]),
            (&["roles"], &["staff"]),
            (&["roles", "orders.admin"], &["admin", "staff"]),
        ];
        for (granted, expected) in table {
            let granted: Vec<String> = granted.iter().map(|scope| (*scope).to_owned()).collect();
            assert_eq!(role_names(&roles, &granted), expected, "{granted:?}");
        }
    }
}
