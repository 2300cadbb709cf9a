//! `grantor role`.

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::arguments::scopes;
use super::output::{note, print, table};
use super::{CommandError, Context};
use crate::model::Role;
use crate::users::roles;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a role that carries restricted scopes
    ///
    /// Its holders may grant these scopes to apps. APIs see the role in the claim
    /// `roles` of a token that was granted one of them; a role that carries none is
    /// seen only by apps with the scope `roles`.
    ///
    /// Examples:
    ///   grantor role create admin --scope "notes:admin users:admin"
    ///   grantor role create editor
    #[command(verbatim_doc_comment)]
    Create {
        /// The role's name, as APIs see it
        name: String,
        /// Restricted scopes that it carries, separated by blanks
        #[arg(long, value_name = "SCOPES", default_value = "", hide_default_value = true)]
        scope: String,
    },
    /// Replace the scopes that a role carries
    ///
    /// Example:
    ///   grantor role update admin --scope "notes:admin"
    #[command(verbatim_doc_comment)]
    Update {
        /// The role's name
        name: String,
        /// Restricted scopes that it carries, separated by blanks; "" for none
        #[arg(long, value_name = "SCOPES")]
        scope: String,
    },
    /// List all roles
    ///
    /// Example:
    ///   grantor role list --json
    #[command(verbatim_doc_comment)]
    List,
    /// Remove a role, and from everybody who holds it
    ///
    /// Example:
    ///   grantor role delete editor
    #[command(verbatim_doc_comment)]
    Delete {
        /// The role's name
        name: String,
    },
}

#[derive(Serialize)]
struct RoleView<'a> {
    name: &'a str,
    scope: String,
}

impl<'a> From<&'a Role> for RoleView<'a> {
    fn from(role: &'a Role) -> Self {
        Self { name: &role.name, scope: role.scopes.join(" ") }
    }
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::Create { name, scope } => {
            let role = Role { name, scopes: scopes(&scope)? };
            note_unrestricted(&roles::create(&context.store, &role).await?);
            print(context.json, &RoleView::from(&role), || format!("Made the role {}.", role.name))
        }
        Command::Update { name, scope } => {
            let role = Role { name, scopes: scopes(&scope)? };
            note_unrestricted(&roles::set_scopes(&context.store, &role).await?);
            print(context.json, &RoleView::from(&role), || format!("Changed the role {}.", role.name))
        }
        Command::List => list(context).await,
        Command::Delete { name } => {
            if !context.store.delete_role(&name).await? {
                return Err(CommandError::not_found("there is no such role"));
            }
            print(context.json, &json!({ "name": name, "deleted": true }), || {
                format!("Deleted the role {name}.")
            })
        }
    }
}

fn note_unrestricted(scopes: &[String]) {
    if !scopes.is_empty() {
        note(&format!("note: everybody may grant {} without this role: not restricted", scopes.join(", ")));
    }
}

async fn list(context: &Context) -> Result<(), CommandError> {
    let roles = context.store.roles().await?;
    let views: Vec<_> = roles.iter().map(RoleView::from).collect();
    print(context.json, &views, || {
        let rows = roles.iter().map(|role| [role.name.clone(), role.scopes.join(" ")]);
        table(["name", "scope"], rows.collect(), "No roles. Make one with: grantor role create NAME")
    })
}
