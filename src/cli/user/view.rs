//! A user as commands show it.

use serde::Serialize;

use crate::cli::output::{pairs, table};
use crate::model::{User, UserId};
use crate::time::Timestamp;

/// A user as JSON.
#[derive(Serialize)]
pub struct UserView<'a> {
    id: UserId,
    username: &'a str,
    email: &'a str,
    roles: &'a [String],
    disabled_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl<'a> From<&'a User> for UserView<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id,
            username: &user.username,
            email: &user.email,
            roles: &user.roles,
            disabled_at: user.disabled_at,
            created_at: user.created_at,
        }
    }
}

/// All of a user, for people.
pub fn describe(user: &User) -> String {
    pairs(&[
        ("id", user.id.to_string()),
        ("username", user.username.clone()),
        ("email", user.email.clone()),
        ("roles", user.roles.join("\n")),
        ("state", state(user)),
        ("created", user.created_at.to_string()),
    ])
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
