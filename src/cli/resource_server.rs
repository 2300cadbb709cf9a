//! `grantor resource-server`.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::arguments::scopes;
use super::output::{pairs, print, table};
use super::{CommandError, Context};
use crate::clients::resource_servers::{self, ResourceServerChange, ResourceServerRefused};
use crate::model::ResourceServer;
use crate::store::ResourceServerUse;
use crate::time::Timestamp;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register an API with the scopes that it understands
    ///
    /// A token for it carries, of the scopes that were granted, those that it
    /// understands, beside Grantor's own such as openid. Clients get tokens for it by
    /// client create --audience, and introspect for it by client create
    /// --resource-server. They may name it first: until it is registered here, it
    /// does not say which scopes it understands, and tokens for it carry all.
    ///
    /// Examples:
    ///   grantor resource-server create https://notes.example --name "Notes API" \
    ///       --scope "notes.read notes.write"
    ///   grantor resource-server create https://mcp.example/mcp
    #[command(verbatim_doc_comment)]
    Create {
        /// What tokens for it name as their audience: an absolute URI, compared as a string
        #[arg(value_name = "URI")]
        identifier: String,
        /// The name that people see on the consent page [default: the URI]
        #[arg(long)]
        name: Option<String>,
        /// Scopes that it understands, separated by blanks; "" for none [default: it does not say]
        #[arg(long, value_name = "SCOPES")]
        scope: Option<String>,
    },
    /// List all resource servers
    ///
    /// Example:
    ///   grantor resource-server list --json
    #[command(verbatim_doc_comment)]
    List,
    /// Show a resource server, and the clients that name it
    ///
    /// Example:
    ///   grantor resource-server show https://notes.example
    #[command(verbatim_doc_comment)]
    Show {
        /// Its identifier
        #[arg(value_name = "URI")]
        identifier: String,
    },
    /// Change a resource server; what is not given stays
    ///
    /// New tokens and introspection follow within 2 seconds.
    ///
    /// Examples:
    ///   grantor resource-server update https://notes.example --scope "notes.read"
    ///   grantor resource-server update https://notes.example --any-scope
    #[command(verbatim_doc_comment)]
    Update(Update),
    /// Remove a resource server that no client names
    ///
    /// With --force it is also taken from the clients that name it: their tokens for
    /// it become inactive, and refreshing for it is refused.
    ///
    /// Example:
    ///   grantor resource-server delete https://notes.example
    #[command(verbatim_doc_comment)]
    Delete {
        /// Its identifier
        #[arg(value_name = "URI")]
        identifier: String,
        /// Also take it from the clients that name it
        #[arg(long)]
        force: bool,
    },
}

/// Changes of a resource server.
#[derive(Debug, Args)]
pub(super) struct Update {
    /// Its identifier, which stays
    #[arg(value_name = "URI")]
    identifier: String,
    /// The name that people see on the consent page
    #[arg(long)]
    name: Option<String>,
    /// Scopes that it understands, separated by blanks; "" for none
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// It no longer says which scopes it understands: tokens for it carry all that was granted
    #[arg(long, conflicts_with = "scope")]
    any_scope: bool,
}

impl Update {
    fn change(&self) -> Result<ResourceServerChange, CommandError> {
        let scopes = match (&self.scope, self.any_scope) {
            (Some(text), _) => Some(Some(scopes(text)?)),
            (None, any_scope) => any_scope.then_some(None),
        };
        if self.name.is_none() && scopes.is_none() {
            return Err(CommandError::new("invalid_request", "nothing to change was given"));
        }
        Ok(ResourceServerChange { name: self.name.clone(), scopes })
    }
}

#[derive(Serialize)]
struct ResourceServerView<'a> {
    identifier: &'a str,
    name: &'a str,
    /// `null`: it does not say.
    scope: Option<String>,
    created_at: Timestamp,
}

impl<'a> From<&'a ResourceServer> for ResourceServerView<'a> {
    fn from(server: &'a ResourceServer) -> Self {
        Self {
            identifier: &server.identifier,
            name: &server.name,
            scope: server.scopes.as_ref().map(|scopes| scopes.join(" ")),
            created_at: server.created_at,
        }
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    server: ResourceServerView<'a>,
    /// Clients that may get tokens for it.
    audience_of: Vec<&'a str>,
    /// Clients that may introspect for it.
    introspected_by: Vec<&'a str>,
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    let store = &context.store;
    match command {
        Command::Create { identifier, name, scope } => {
            let scopes = scope.as_deref().map(scopes).transpose()?;
            let server = resource_servers::create(store, identifier, name, scopes, Timestamp::now()).await?;
            print(context.json, &ResourceServerView::from(&server), || {
                format!("Registered the resource server {}.", server.identifier)
            })
        }
        Command::List => list(context).await,
        Command::Show { identifier } => show(&identifier, context).await,
        Command::Update(arguments) => {
            let server = resource_servers::update(store, &arguments.identifier, &arguments.change()?).await?;
            print(context.json, &ResourceServerView::from(&server), || {
                format!("Changed the resource server {}.", server.identifier)
            })
        }
        Command::Delete { identifier, force } => delete(&identifier, force, context).await,
    }
}

async fn list(context: &Context) -> Result<(), CommandError> {
    let servers = context.store.resource_servers().await?;
    let views: Vec<_> = servers.iter().map(ResourceServerView::from).collect();
    print(context.json, &views, || {
        let rows =
            servers.iter().map(|server| [server.identifier.clone(), server.name.clone(), understood(server)]);
        table(
            ["identifier", "name", "scope"],
            rows.collect(),
            "No resource servers. Register one with: grantor resource-server create URI --scope SCOPES",
        )
    })
}

async fn show(identifier: &str, context: &Context) -> Result<(), CommandError> {
    let server = context.store.resource_server(identifier).await?;
    let server = server.ok_or(ResourceServerRefused::NotFound)?;
    let uses = context.store.uses_of_resource_server(identifier).await?;
    let who = |does: fn(&ResourceServerUse) -> bool| uses.iter().filter(move |one| does(one));
    let ids = |does| who(does).map(|one| one.client_id.as_str()).collect();
    let view = Shown {
        server: ResourceServerView::from(&server),
        audience_of: ids(|one| one.gets_tokens),
        introspected_by: ids(|one| one.introspects),
    };
    print(context.json, &view, || {
        let lines = |does| {
            let lines: Vec<_> =
                who(does).map(|one| format!("{}  {}", one.client_id, one.client_name)).collect();
            lines.join("\n")
        };
        pairs(&[
            ("identifier", server.identifier.clone()),
            ("name", server.name.clone()),
            ("scope", understood(&server)),
            ("audience of", lines(|one| one.gets_tokens)),
            ("introspected by", lines(|one| one.introspects)),
            ("created", server.created_at.to_string()),
        ])
    })
}

fn understood(server: &ResourceServer) -> String {
    match server.scopes.as_deref() {
        None => "any".to_owned(),
        Some([]) => "none".to_owned(),
        Some(scopes) => scopes.join(" "),
    }
}

async fn delete(identifier: &str, force: bool, context: &Context) -> Result<(), CommandError> {
    let lost_it = resource_servers::delete(&context.store, identifier, force).await?;
    let clients: Vec<_> = lost_it.iter().map(|one| one.client_id.as_str()).collect();
    let value = json!({ "identifier": identifier, "deleted": true, "taken_from": clients });
    print(context.json, &value, || match clients.as_slice() {
        [] => format!("Deleted the resource server {identifier}."),
        clients => format!(
            "Deleted the resource server {identifier}, and took it from {}. Their tokens for it end within 2 seconds.",
            clients.join(", ")
        ),
    })
}
