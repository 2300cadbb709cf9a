//! A user as commands show it.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::output::{pairs, table};
use crate::model::{User, UserId};
use crate::time::Timestamp;

/// A user as JSON.
#[derive(Serialize)]
pub struct UserView<'a> {
    id: UserId,
    username: &'a str,
    email: &'a str,
    email_verified: bool,
    claims: &'a Map<String, Value>,
    roles: &'a [String],
    disabled_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> From<&'a User> for UserView<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id,
            username: &user.username,
            email: &user.email,
            email_verified: user.email_verified,
            claims: &user.claims,
            roles: &user.roles,
            disabled_at: user.disabled_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// All of a user, for people.
pub fn describe(user: &User) -> String {
    let verified = if user.email_verified { "verified" } else { "not verified" };
    pairs(&[
        ("id", user.id.to_string()),
        ("username", user.username.clone()),
        ("email", format!("{}\n{verified}", user.email)),
        ("claims", claims(user)),
        ("roles", user.roles.join("\n")),
        ("state", state(user)),
        ("created", user.created_at.to_string()),
        ("changed", user.updated_at.to_string()),
    ])
}

fn claims(user: &User) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let lines: Vec<_> = user.claims.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    lines.join("\n")
}

/// Users as a table, for people.
pub fn list(users: &[User]) -> String {
    let rows = users.iter().map(|user| {
        [user.username.clone(), user.email.clone(), user.roles.join(", "), state(user), user.id.to_string()]
    });
    table(
        ["username", "email", "roles", "state", "id"],
        rows.collect(),
        "No users. Make one with: grantor user create --username NAME --email ADDRESS",
    )
}

fn state(user: &User) -> String {
    user.disabled_at.map_or("enabled".to_owned(), |since| format!("disabled since {since}"))
}
