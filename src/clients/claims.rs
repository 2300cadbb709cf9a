//! Claims that operators add to the standard ones (OpenID Connect Core §5.1.2).

use crate::model::{Claim, NameProblem, check_name};
use crate::protocol::standard_claims::is_taken;
use crate::store::{Store, StoreError};

const MAX_NAME_BYTES: usize = 200;
const MAX_DESCRIPTION_CHARACTERS: usize = 200;

/// Why a claim was not added or removed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimRefused {
    /// A name that cannot be written everywhere.
    #[error(
        "a claim's name has 1 to {MAX_NAME_BYTES} letters, digits and the characters _ - . : / of ASCII, such as \
         department or https://example.com/department"
    )]
    Name,
    /// It means something else already.
    #[error(
        "the claim {0} has a meaning already: OpenID Connect or a registered claim of tokens uses the name"
    )]
    Taken(String),
    /// The consent page cannot show these words.
    #[error("the description {0}")]
    Description(NameProblem),
    /// What would release it is not registered.
    #[error("there is no scope {0:?}; make it with: grantor scope create {0:?} --description TEXT")]
    UnknownScope(String),
    /// It was not added.
    #[error("there is no such claim; see: grantor claim list")]
    NotFound,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds a claim with the scope that releases it.
pub async fn create(store: &Store, claim: &Claim) -> Result<(), ClaimRefused> {
    check(claim)?;
    if store.insert_claim(claim).await? {
        Ok(())
    } else {
        Err(ClaimRefused::UnknownScope(claim.scope.clone()))
    }
}

/// Removes a claim that was added, and its values from all people.
pub async fn delete(store: &Store, name: &str) -> Result<(), ClaimRefused> {
    if store.delete_claim(name).await? { Ok(()) } else { Err(ClaimRefused::NotFound) }
}

fn check(claim: &Claim) -> Result<(), ClaimRefused> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
    if claim.name.is_empty() || claim.name.len() > MAX_NAME_BYTES || !claim.name.chars().all(fits) {
        return Err(ClaimRefused::Name);
    }
    if is_taken(&claim.name) {
        return Err(ClaimRefused::Taken(claim.name.clone()));
    }
    check_name(&claim.description, MAX_DESCRIPTION_CHARACTERS).map_err(ClaimRefused::Description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_checked() {
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for (name, description, fits) in [
            ("department", "See your department", true),
            ("https://example.com/employee-number", "See your employee number", true),
            (&long[1..], "See", true),
            (&long, "See", false),
            ("", "See", false),
            ("a b", "See", false),
            ("a=b", "See", false),
            ("department#de", "See", false),
            ("a\0", "See", false),
            ("abteilung\u{e4}", "See", false),
            ("sub", "See", false),
            ("email", "See", false),
            ("roles", "See", false),
            ("department", "", false),
            ("department", "See\nmore", false),
            ("department", &"x".repeat(MAX_DESCRIPTION_CHARACTERS + 1), false),
        ] {
            let claim = Claim {
                name: name.to_owned(),
                scope: "openid".to_owned(),
                description: description.to_owned(),
            };
            assert_eq!(check(&claim).is_ok(), fits, "{name:?} {description:?}");
        }
    }
}
