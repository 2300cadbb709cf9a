//! Registering a scope.

use crate::model::{NameProblem, Role, Scope, check_name};
use crate::protocol::scope::is_scope_token;
use crate::store::{Store, StoreError};

const MAX_NAME_BYTES: usize = 200;
const MAX_DESCRIPTION_CHARACTERS: usize = 200;

/// Why a scope was not registered or removed.
#[derive(Debug, thiserror::Error)]
pub enum ScopeRefused {
    /// RFC 6749 §3.3 allows no such name.
    #[error(
        "a scope's name has 1 to {MAX_NAME_BYTES} printable ASCII characters, without blanks, quotes and backslashes"
    )]
    Name,
    /// The consent page cannot show these words.
    #[error("the description {0}")]
    Description(NameProblem),
    /// Grantor itself gives it a meaning.
    #[error("this scope is built in and cannot be deleted")]
    BuiltIn,
    /// Without its scope the role would be told to more apps than before.
    #[error(
        "the role {0:?} carries this scope: delete the role, or give it other scopes with grantor role update"
    )]
    CarriedBy(String),
    /// Nothing would release the claim any more.
    #[error("this scope releases the claim {0:?}: delete the claim with grantor claim delete {0:?}")]
    Releases(String),
    /// It is not registered.
    #[error("there is no such scope")]
    NotFound,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Registers a scope with the words that the consent page shows.
pub async fn create(store: &Store, scope: &Scope) -> Result<(), ScopeRefused> {
    check(scope)?;
    Ok(store.insert_scope(scope).await?)
}

/// Removes a scope that no role carries and that releases no claim, also from clients and resource servers.
pub async fn delete(store: &Store, name: &str) -> Result<(), ScopeRefused> {
    if store.delete_scope(name).await? {
        return Ok(());
    }
    if store.find_scopes(&[name.to_owned()]).await?.iter().any(|scope| scope.built_in) {
        return Err(ScopeRefused::BuiltIn);
    }
    let carries = |role: &Role| role.scopes.iter().any(|scope| scope == name);
    if let Some(role) = store.roles().await?.into_iter().find(carries) {
        return Err(ScopeRefused::CarriedBy(role.name));
    }
    match store.claims().await?.into_iter().find(|claim| claim.scope == name) {
        Some(claim) => Err(ScopeRefused::Releases(claim.name)),
        None => Err(ScopeRefused::NotFound),
    }
}

fn check(scope: &Scope) -> Result<(), ScopeRefused> {
    if scope.name.len() > MAX_NAME_BYTES || !is_scope_token(&scope.name) {
        return Err(ScopeRefused::Name);
    }
    check_name(&scope.description, MAX_DESCRIPTION_CHARACTERS).map_err(ScopeRefused::Description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_checked() {
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for (name, description, fits) in [
            ("notes:read", "Read your notes", true),
            ("https://api.example/notes.read", "Notizen lesen, ohne sie zu ändern", true),
            (&long[1..], "Read", true),
            (&long, "Read", false),
            ("", "Read", false),
            ("a b", "Read", false),
            ("a\"b", "Read", false),
            ("lesen\u{e4}", "Read", false),
            ("a\0", "Read", false),
            ("read", "", false),
            ("read", "Read\nand write", false),
            ("read", &"x".repeat(MAX_DESCRIPTION_CHARACTERS + 1), false),
        ] {
            let scope = Scope {
                name: name.to_owned(),
                description: description.to_owned(),
                restricted: false,
                built_in: false,
            };
            assert_eq!(check(&scope).is_ok(), fits, "{name:?} {description:?}");
        }
    }
}
