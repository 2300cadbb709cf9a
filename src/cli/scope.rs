//! `grantor scope`.

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::output::{print, table};
use super::{CommandError, Context};
use crate::clients::scopes;
use crate::model::Scope;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a scope with the words that the consent page shows
    ///
    /// A restricted scope may be granted only by people who hold a role that carries
    /// it.
    ///
    /// Examples:
    ///   grantor scope create notes:read --description "Read your notes"
    ///   grantor scope create notes:admin --description "Manage all notes" --restricted
    #[command(verbatim_doc_comment)]
    Create {
        /// The scope's name, as apps ask for it
        name: String,
        /// What it lets an app do, as the consent page says it
        #[arg(long, value_name = "TEXT")]
        description: String,
        /// Only people with a role that carries this scope may grant it
        #[arg(long)]
        restricted: bool,
    },
    /// List all scopes
    ///
    /// Example:
    ///   grantor scope list --json
    #[command(verbatim_doc_comment)]
    List,
    /// Remove a scope that no role carries, also from clients and resource servers
    ///
    /// Example:
    ///   grantor scope delete notes:read
    #[command(verbatim_doc_comment)]
    Delete {
        /// The scope's name
        name: String,
    },
}

#[derive(Serialize)]
struct ScopeView<'a> {
    name: &'a str,
    description: &'a str,
    restricted: bool,
    built_in: bool,
}

impl<'a> From<&'a Scope> for ScopeView<'a> {
    fn from(scope: &'a Scope) -> Self {
        let Scope { name, description, restricted, built_in } = scope;
        Self { name, description, restricted: *restricted, built_in: *built_in }
    }
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::Create { name, description, restricted } => {
            let scope = Scope { name, description, restricted, built_in: false };
            scopes::create(&context.store, &scope).await?;
            print(context.json, &ScopeView::from(&scope), || format!("Registered the scope {}.", scope.name))
        }
        Command::List => list(context).await,
        Command::Delete { name } => {
            scopes::delete(&context.store, &name).await?;
            print(context.json, &json!({ "name": name, "deleted": true }), || {
                format!("Deleted the scope {name}.")
            })
        }
    }
}

async fn list(context: &Context) -> Result<(), CommandError> {
    let scopes = context.store.scopes().await?;
    let views: Vec<_> = scopes.iter().map(ScopeView::from).collect();
    print(context.json, &views, || {
        let rows = scopes.iter().map(|scope| {
            let kind = match (scope.built_in, scope.restricted) {
                (true, _) => "built in",
                (false, true) => "restricted",
                (false, false) => "",
            };
            [scope.name.clone(), kind.to_owned(), scope.description.clone()]
        });
        table(["name", "kind", "description"], rows.collect(), "No scopes.")
    })
}
