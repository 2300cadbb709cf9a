//! `grantor session`.

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::arguments::Limit;
use super::output::{print, table};
use super::user::find;
use super::{CommandError, Context};
use crate::model::{EndReason, OwnSession, SessionId};
use crate::time::Timestamp;
use crate::users::device;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the browsers in which a person is signed in, those used last first
    ///
    /// The device is what the browser says of itself. The last use is known give or
    /// take five minutes.
    ///
    /// Examples:
    ///   grantor session list alice
    ///   grantor session list alice --json
    #[command(verbatim_doc_comment)]
    List {
        /// The user's name or identifier
        user: String,
        #[command(flatten)]
        limit: Limit,
    },
    /// End a session: that browser has to ask for the password again
    ///
    /// The grants that hang on it end with it, and apps that want to be told are.
    ///
    /// Example:
    ///   grantor session end 0f8fad5b-d9cb-469f-a165-70867728950e
    #[command(verbatim_doc_comment)]
    End {
        /// The session's identifier, from: grantor session list USER
        id: Uuid,
    },
}

#[derive(Serialize)]
struct SessionView<'a> {
    id: SessionId,
    device: String,
    user_agent: Option<&'a str>,
    address: Option<&'a str>,
    signed_in_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
}

impl<'a> From<&'a OwnSession> for SessionView<'a> {
    fn from(session: &'a OwnSession) -> Self {
        Self {
            id: session.id,
            device: device(session.user_agent.as_deref()),
            user_agent: session.user_agent.as_deref(),
            address: session.address.as_deref(),
            signed_in_at: session.auth_time,
            last_used_at: session.last_seen_at,
            expires_at: session.ends_at,
        }
    }
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::List { user, limit } => list(&user, limit, context).await,
        Command::End { id } => end(id.into(), context).await,
    }
}

async fn list(user: &str, limit: Limit, context: &Context) -> Result<(), CommandError> {
    let user = find(user, context).await?;
    let sessions = context.store.sessions_of(user.id, None, limit.rows(), Timestamp::now()).await?;
    let views: Vec<_> = sessions.iter().map(SessionView::from).collect();
    print(context.json, &views, || {
        let rows = views.iter().map(|view| {
            [
                view.id.to_string(),
                view.device.clone(),
                view.address.unwrap_or_default().to_owned(),
                view.signed_in_at.to_string(),
                view.last_used_at.to_string(),
            ]
        });
        let none = format!("{} is signed in nowhere.", user.username);
        table(["id", "device", "address", "signed in", "last used"], rows.collect(), &none)
    })
}

async fn end(id: SessionId, context: &Context) -> Result<(), CommandError> {
    let owner = context.store.owner_of_session(id, Timestamp::now()).await?;
    let ended = match owner {
        Some(user) => context.store.end_session_by_id(user, id, EndReason::OperatorRequest).await?,
        None => false,
    };
    if !ended {
        return Err(CommandError::not_found("there is no such session; see: grantor session list USER"));
    }
    print(context.json, &json!({ "id": id, "ended": true }), || format!("Ended the session {id}."))
}
