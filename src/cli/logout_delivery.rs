//! `grantor logout-delivery`.

use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::output::{print, table};
use super::{CommandError, Context};
use crate::model::{ClientId, LogoutDelivery};
use crate::store::LogoutDeliveryQuery;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List logout tokens, the newest last: who was told of the end of a session
    ///
    /// They stay for 7 days after the session has ended. The identifier is the
    /// token's jti.
    ///
    /// Examples:
    ///   grantor logout-delivery list
    ///   grantor logout-delivery list --pending
    ///   grantor logout-delivery list --client ID --json
    #[command(verbatim_doc_comment)]
    List(List),
    /// Send again what did not arrive, also what was given up
    ///
    /// Examples:
    ///   grantor logout-delivery retry 3c4e8f8a-6f0b-4f0e-9d5e-0a8f6f1d2b3c
    ///   grantor logout-delivery retry --client ID
    ///   grantor logout-delivery retry --all
    #[command(verbatim_doc_comment)]
    Retry(Retry),
}

/// Which deliveries.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those to this client
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Only those that are still to be sent
    #[arg(long)]
    pending: bool,
    /// At most so many, the newest
    #[arg(long, value_name = "NUMBER", default_value = "200")]
    limit: NonZeroU32,
}

/// What is sent again.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Retry {
    /// The delivery's identifier
    id: Option<Uuid>,
    /// Everything that this client was not told
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Everything that any client was not told
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::List(arguments) => list(arguments, context).await,
        Command::Retry(arguments) => retry(arguments, context).await,
    }
}

async fn list(arguments: List, context: &Context) -> Result<(), CommandError> {
    let query = LogoutDeliveryQuery {
        client_id: arguments.client.map(ClientId::from),
        pending: arguments.pending,
        limit: arguments.limit.get(),
    };
    let deliveries = context.store.logout_deliveries(&query).await?;
    print(context.json, &deliveries, || {
        let rows = deliveries.iter().map(|delivery| {
            [
                delivery.created_at.to_string(),
                delivery.id.to_string(),
                delivery.client_id.to_string(),
                state(delivery),
                delivery.attempts.to_string(),
                delivery.last_error.clone().unwrap_or_default(),
            ]
        });
        let head = ["session ended", "id", "client_id", "state", "attempts", "last error"];
        table(head, rows.collect(), "No logout tokens of the last 7 days.")
    })
}

fn state(delivery: &LogoutDelivery) -> String {
    match (delivery.delivered_at, delivery.next_attempt_at) {
        (Some(at), _) => format!("delivered at {at}"),
        (None, Some(at)) => format!("next attempt at {at}"),
        (None, None) => "not delivered".to_owned(),
    }
}

async fn retry(arguments: Retry, context: &Context) -> Result<(), CommandError> {
    let client = arguments.client.map(ClientId::from);
    let again = context.store.retry_logout_deliveries(arguments.id, client.as_ref()).await?;
    if again == 0 && arguments.id.is_some() {
        let reason = "there is no such delivery, or it has arrived";
        return Err(CommandError::new("not_found", reason));
    }
    print(context.json, &json!({ "sent_again": again }), || match again {
        0 => "Nothing is waiting: everything has arrived.".to_owned(),
        1 => "One logout token is sent again now.".to_owned(),
        again => format!("{again} logout tokens are sent again now."),
    })
}
