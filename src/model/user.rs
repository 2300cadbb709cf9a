//! People, roles and scopes.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::UserId;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What a sign-in is checked against.
#[derive(Debug, Clone)]
pub struct SignInRecord {
    /// Whose it is.
    pub id: UserId,
    /// The name to sign in with, as it was given.
    pub username: String,
    /// The e-mail address, as it was given.
    pub email: String,
    /// The password's hash as a PHC string; `None` until the person has set one.
    pub password_hash: Option<Secret<String>>,
    /// Since when the account is switched off.
    pub disabled_at: Option<Timestamp>,
}

/// A person who can sign in. The password hash is not part of it.
#[derive(Debug, Clone)]
pub struct User {
    /// The `sub` of tokens.
    pub id: UserId,
    /// The name to sign in with, as it was given.
    pub username: String,
    /// The e-mail address, as it was given.
    pub email: String,
    /// Whether it is known that the address is the person's.
    pub email_verified: bool,
    /// What else is known of the person, by names of claims.
    pub claims: Map<String, Value>,
    /// Names of the roles held.
    pub roles: Vec<String>,
    /// Since when the account is switched off.
    pub disabled_at: Option<Timestamp>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When the account was last changed.
    pub updated_at: Timestamp,
}

/// What apps may learn of a person, as one read shows it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Attributes {
    /// The name to sign in with.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// Whether it is known that the address is the person's.
    pub email_verified: bool,
    /// What else is known of the person, by names of claims.
    pub claims: Map<String, Value>,
    /// When the account was last changed, in seconds since 1970.
    pub updated_at: i64,
}

/// A claim that an operator adds to the standard ones (OpenID Connect Core §5.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// The scope that releases it.
    pub scope: String,
    /// What an app learns by it, as the consent page says it.
    pub description: String,
}

/// A role: a name for APIs, and the restricted scopes that its holders may grant to apps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name, as it stands in the `roles` claim (RFC 9068 §2.2.3.1).
    pub name: String,
    /// Restricted scopes that a holder may grant.
    pub scopes: Vec<String>,
}

/// A registered scope (RFC 6749 §3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The scope token.
    pub name: String,
    /// What the consent page says it means.
    pub description: String,
    /// Whether a person may grant it only through a role that carries it.
    pub restricted: bool,
    /// Whether Grantor itself defines it.
    pub built_in: bool,
}
