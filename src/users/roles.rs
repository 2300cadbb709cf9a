//! Roles: what a person may grant to apps beyond what everybody may.

use crate::model::{NameProblem, Role, Scope, check_name};
use crate::store::{Store, StoreError};

const MAX_NAME_CHARACTERS: usize = 100;

/// Why a role was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum RoleRefused {
    /// The name is not one.
    #[error("the role's name {0}")]
    Name(NameProblem),
    /// It cannot carry what is not registered.
    #[error(
        "the scope {0:?} is not registered; register it with: grantor scope create NAME --description TEXT --restricted"
    )]
    UnknownScope(String),
    /// Each app that asks for a built-in scope would see the role.
    #[error("a role cannot carry the built-in scope {0}")]
    BuiltInScope(String),
    /// It does not exist.
    #[error("there is no such role")]
    NotFound,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a role. Returns those of its scopes that are not restricted: everybody may grant them anyway.
pub async fn create(store: &Store, role: &Role) -> Result<Vec<String>, RoleRefused> {
    check_name(&role.name, MAX_NAME_CHARACTERS).map_err(RoleRefused::Name)?;
    let unrestricted = check_scopes(&role.scopes, &store.find_scopes(&role.scopes).await?)?;
    if store.insert_role(role).await? { Ok(unrestricted) } else { Err(why_not_written(store, role).await?) }
}

/// Replaces the scopes that a role carries; returns as [`create`] does.
pub async fn set_scopes(store: &Store, role: &Role) -> Result<Vec<String>, RoleRefused> {
    let unrestricted = check_scopes(&role.scopes, &store.find_scopes(&role.scopes).await?)?;
    if store.set_role_scopes(role).await? {
        Ok(unrestricted)
    } else {
        Err(why_not_written(store, role).await?)
    }
}

/// A scope may have been deleted since it was checked.
async fn why_not_written(store: &Store, role: &Role) -> Result<RoleRefused, StoreError> {
    let checked = check_scopes(&role.scopes, &store.find_scopes(&role.scopes).await?);
    Ok(checked.err().unwrap_or(RoleRefused::NotFound))
}

fn check_scopes(names: &[String], registered: &[Scope]) -> Result<Vec<String>, RoleRefused> {
    let mut unrestricted = Vec::new();
    for name in names {
        match registered.iter().find(|scope| scope.name == *name) {
            None => return Err(RoleRefused::UnknownScope(name.clone())),
            Some(scope) if scope.built_in => return Err(RoleRefused::BuiltInScope(name.clone())),
            Some(scope) if !scope.restricted => unrestricted.push(name.clone()),
            Some(_) => {}
        }
    }
    Ok(unrestricted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_carries_registered_scopes_that_are_not_built_in() {
        let scope = |name: &str, restricted, built_in| Scope {
            name: name.to_owned(),
            description: "Words".to_owned(),
            restricted,
            built_in,
        };
        let registered =
            [scope("openid", false, true), scope("admin", true, false), scope("read", false, false)];
        let check = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            check_scopes(&names, &registered)
        };
        assert!(check(&[]).unwrap().is_empty());
        assert!(check(&["admin"]).unwrap().is_empty());
        assert_eq!(check(&["admin", "read"]).unwrap(), ["read"]);
        assert!(matches!(check(&["admin", "openid"]), Err(RoleRefused::BuiltInScope(_))));
        assert!(matches!(check(&["Admin"]), Err(RoleRefused::UnknownScope(_))));
    }
}
