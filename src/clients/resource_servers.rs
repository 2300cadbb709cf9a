//! Registering a resource server: an API that tokens are for (RFC 8707).

use super::registration_checks::{quoted, unknown_scope};
use crate::model::{NameProblem, ResourceServer, Scope, check_name};
use crate::protocol::resource::{ResourceError, check_resource};
use crate::store::{ResourceServerDeletion, ResourceServerUse, Store, StoreError};
use crate::time::Timestamp;

const MAX_NAME_CHARACTERS: usize = 200;
const MAX_SCOPES: usize = 100;

/// Why a resource server was not registered, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum ResourceServerRefused {
    /// RFC 8707 §2 allows no such identifier.
    #[error("the identifier is refused: {0}")]
    Identifier(ResourceError),
    /// Nobody could read it.
    #[error("the name {0}")]
    Name(NameProblem),
    /// It cannot understand what is not registered.
    #[error("{}", unknown_scope(.0))]
    UnknownScope(String),
    /// Tokens are not that long.
    #[error("a resource server may understand at most {MAX_SCOPES} scopes")]
    TooManyScopes,
    /// Something is said of it already.
    #[error("this resource server exists already: change it with grantor resource-server update")]
    Exists,
    /// Removing it would end tokens.
    #[error("{}", in_use(.0))]
    InUse(Vec<ResourceServerUse>),
    /// It is not registered.
    #[error("there is no such resource server")]
    NotFound,
    /// The database.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for ResourceServerRefused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Exists,
            error => Self::Store(error),
        }
    }
}

/// What an operator changes of a resource server; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ResourceServerChange {
    /// The name that people see on the consent page.
    pub name: Option<String>,
    /// The scopes that it understands; `Some(None)`: it no longer says.
    pub scopes: Option<Option<Vec<String>>>,
}

/// Registers a resource server, also one that clients have named before. Without a name, its identifier is its name.
pub async fn create(
    store: &Store,
    identifier: String,
    name: Option<String>,
    scopes: Option<Vec<String>>,
    now: Timestamp,
) -> Result<ResourceServer, ResourceServerRefused> {
    check_resource(&identifier).map_err(ResourceServerRefused::Identifier)?;
    let change = ResourceServerChange { name, scopes: Some(scopes) };
    check(&change, &store.scopes().await?)?;
    let server = ResourceServer {
        name: change.name.unwrap_or_else(|| identifier.clone()),
        identifier,
        scopes: change.scopes.flatten(),
        created_at: now,
    };
    store.insert_resource_server(&server).await?;
    Ok(server)
}

/// Changes a resource server. Tokens issued from then on, and what introspection says, follow within two seconds.
pub async fn update(
    store: &Store,
    identifier: &str,
    change: &ResourceServerChange,
) -> Result<ResourceServer, ResourceServerRefused> {
    check(change, &store.scopes().await?)?;
    let scopes = change.scopes.as_ref().map(Option::as_deref);
    let updated = store.update_resource_server(identifier, change.name.as_deref(), scopes).await?;
    updated.ok_or(ResourceServerRefused::NotFound)
}

/// Removes a resource server; one that clients name only `also_from_clients`. Returns the clients that lost it.
pub async fn delete(
    store: &Store,
    identifier: &str,
    also_from_clients: bool,
) -> Result<Vec<ResourceServerUse>, ResourceServerRefused> {
    match store.delete_resource_server(identifier, also_from_clients).await? {
        ResourceServerDeletion::Done(uses) => Ok(uses),
        ResourceServerDeletion::InUse(uses) => Err(ResourceServerRefused::InUse(uses)),
        ResourceServerDeletion::NotFound => Err(ResourceServerRefused::NotFound),
    }
}

fn check(change: &ResourceServerChange, registered: &[Scope]) -> Result<(), ResourceServerRefused> {
    if let Some(name) = &change.name {
        check_name(name, MAX_NAME_CHARACTERS).map_err(ResourceServerRefused::Name)?;
    }
    let Some(Some(scopes)) = &change.scopes else { return Ok(()) };
    if scopes.len() > MAX_SCOPES {
        return Err(ResourceServerRefused::TooManyScopes);
    }
    match scopes.iter().find(|scope| !registered.iter().any(|known| known.name == **scope)) {
        Some(unknown) => Err(ResourceServerRefused::UnknownScope(unknown.clone())),
        None => Ok(()),
    }
}

/// Who names it, and what ends for them.
fn in_use(uses: &[ResourceServerUse]) -> String {
    let told = |use_: &ResourceServerUse| {
        let what = match (use_.gets_tokens, use_.introspects) {
            (true, true) => "gets tokens for it and introspects",
            (true, false) => "gets tokens for it",
            _ => "introspects",
        };
        format!("{} ({}: {what})", quoted(&use_.client_name), use_.client_id)
    };
    let clients: Vec<_> = uses.iter().map(told).collect();
    format!(
        "clients name this resource server: {}. With --force it is taken from them: their tokens for it become \
         inactive, refreshing for it is refused, and nobody introspects for it",
        clients.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: Option<&str>, scopes: Option<Option<&[&str]>>) -> ResourceServerChange {
        let owned = |scopes: &[&str]| scopes.iter().map(|&scope| scope.to_owned()).collect();
        ResourceServerChange { name: name.map(str::to_owned), scopes: scopes.map(|scopes| scopes.map(owned)) }
    }

    #[test]
    fn a_resource_server_is_checked() {
        let scope = |name: &str, built_in| Scope {
            name: name.to_owned(),
            description: String::new(),
            restricted: false,
            built_in,
        };
        let registered = [scope("notes.read", false), scope("openid", true)];
        let check = |change| check(&change, &registered);
        let many = ["notes.read"; MAX_SCOPES + 1];
        for fits in [
            change(None, None),
            change(Some("Notes API"), Some(None)),
            change(None, Some(Some(&[]))),
            change(None, Some(Some(&["notes.read", "openid"]))),
            change(None, Some(Some(&many[1..]))),
        ] {
            assert!(check(fits.clone()).is_ok(), "{fits:?}");
        }
        assert!(matches!(
            check(change(Some(""), None)),
            Err(ResourceServerRefused::Name(NameProblem::Empty))
        ));
        let unknown = check(change(None, Some(Some(&["notes.read", "notes.write"])))).unwrap_err();
        assert!(unknown.to_string().contains("grantor scope create notes.write"), "{unknown}");
        assert!(matches!(check(change(None, Some(Some(&many)))), Err(ResourceServerRefused::TooManyScopes)));
    }

    #[test]
    fn who_uses_it_is_told_with_what_would_end() {
        let uses = [(true, false), (false, true), (true, true)].map(|(gets_tokens, introspects)| {
            let client_id = format!("id-{gets_tokens}-{introspects}").into();
            ResourceServerUse { client_id, client_name: "App\u{1b}".to_owned(), gets_tokens, introspects }
        });
        let told = in_use(&uses);
        for part in
            ["id-true-false: gets tokens for it)", "id-false-true: introspects)", "--force", "inactive"]
        {
            assert!(told.contains(part), "{told}");
        }
        assert!(!told.contains('\u{1b}'), "a name does not command the terminal: {told}");
    }
}
