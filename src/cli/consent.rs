//! `grantor consent`.

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::arguments::Limit;
use super::output::{print, table};
use super::user::find;
use super::{CommandError, Context};
use crate::model::{AuthorizedApp, ClientId};
use crate::time::Timestamp;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the apps that a person has let use the account
    ///
    /// The column "access" says what an app holds at present: lasting (a grant with
    /// offline_access), while_signed_in (one that ends with the session) or none.
    ///
    /// Examples:
    ///   grantor consent list alice
    ///   grantor consent list alice --json
    #[command(verbatim_doc_comment)]
    List {
        /// The user's name or identifier
        user: String,
        #[command(flatten)]
        limit: Limit,
    },
    /// Take an app's access to a person's account back; its grants and tokens end
    ///
    /// The app has to ask the person again.
    ///
    /// Example:
    ///   grantor consent withdraw alice 0f8fad5b-d9cb-469f-a165-70867728950e
    #[command(verbatim_doc_comment)]
    Withdraw {
        /// The user's name or identifier
        user: String,
        /// The client's identifier
        client_id: String,
    },
}

#[derive(Serialize)]
struct ConsentView<'a> {
    client_id: &'a ClientId,
    name: &'a str,
    scope: String,
    claims: &'a [String],
    access: &'static str,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> From<&'a AuthorizedApp> for ConsentView<'a> {
    fn from(app: &'a AuthorizedApp) -> Self {
        Self {
            client_id: &app.client_id,
            name: &app.name,
            scope: app.scopes.join(" "),
            claims: &app.claims,
            access: app.access.as_str(),
            created_at: app.created_at,
            updated_at: app.updated_at,
        }
    }
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::List { user, limit } => list(&user, limit, context).await,
        Command::Withdraw { user, client_id } => withdraw(&user, client_id.into(), context).await,
    }
}

async fn list(user: &str, limit: Limit, context: &Context) -> Result<(), CommandError> {
    let user = find(user, context).await?;
    let apps = context.store.apps_of(user.id, None, limit.rows(), Timestamp::now()).await?;
    let views: Vec<_> = apps.iter().map(ConsentView::from).collect();
    print(context.json, &views, || {
        let rows = views.iter().map(|view| {
            [
                view.client_id.to_string(),
                view.name.to_owned(),
                view.scope.clone(),
                view.claims.join(" "),
                view.access.to_owned(),
                view.created_at.to_string(),
                view.updated_at.to_string(),
            ]
        });
        let none = format!("{} has let no app use the account.", user.username);
        table(
            ["client_id", "name", "scope", "claims", "access", "since", "last agreed"],
            rows.collect(),
            &none,
        )
    })
}

async fn withdraw(user: &str, client_id: ClientId, context: &Context) -> Result<(), CommandError> {
    let user = find(user, context).await?;
    if !context.store.withdraw_consent(user.id, &client_id).await? {
        return Err(CommandError::not_found("there is no such consent; see: grantor consent list USER"));
    }
    let value = json!({ "user_id": user.id, "client_id": client_id, "withdrawn": true });
    print(context.json, &value, || {
        format!("Took the access of {client_id} to the account of {} back.", user.username)
    })
}
