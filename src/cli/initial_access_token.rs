//! `grantor initial-access-token` (RFC 7591 §3).

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::arguments::duration;
use super::output::{pairs, print, table};
use super::{CommandError, Context};
use crate::clients::initial_access_tokens;
use crate::model::InitialAccessToken;
use crate::time::Timestamp;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token that lets who has it register clients; it is shown this once
    ///
    /// Who registers sends it as "Authorization: Bearer TOKEN" to /register. The
    /// server's registration.mode must be "token" or "open".
    ///
    /// Examples:
    ///   grantor initial-access-token create --name "Build server"
    ///   grantor initial-access-token create --name "One partner" --uses 1 \
    ///       --expires-in 7d
    #[command(verbatim_doc_comment)]
    Create(Create),
    /// List all tokens that have not ended, without the tokens themselves
    ///
    /// Example:
    ///   grantor initial-access-token list --json
    #[command(verbatim_doc_comment)]
    List,
    /// End a token at once; clients that were registered with it stay
    ///
    /// Example:
    ///   grantor initial-access-token revoke 3c4e8f8a-6f0b-4f0e-9d5e-0a8f6f1d2b3c
    #[command(verbatim_doc_comment)]
    Revoke {
        /// The token's identifier, as list shows it
        id: Uuid,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Whom or what it is for
    #[arg(long)]
    name: String,
    /// How many clients may be registered with it [default: any number]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    uses: Option<u32>,
    /// How long it is good
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = lifetime)]
    expires_in: Duration,
}

fn lifetime(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(400 * 86_400);
    duration(text).and_then(|duration| match duration {
        Duration::ZERO => Err("must be longer than nothing".to_owned()),
        duration if duration > LONGEST => Err("must be at most 400d".to_owned()),
        duration => Ok(duration),
    })
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::Create(arguments) => create(&arguments, context).await,
        Command::List => list(context).await,
        Command::Revoke { id } => revoke(id, context).await,
    }
}

async fn create(arguments: &Create, context: &Context) -> Result<(), CommandError> {
    let Create { name, uses, expires_in } = arguments;
    let (id, token) = initial_access_tokens::create(&context.store, name, *uses, *expires_in).await?;
    let value = json!({ "id": id, "name": name, "initial_access_token": token.expose(), "uses_left": uses });
    print(context.json, &value, || {
        let shown = pairs(&[("id", id.to_string()), ("initial_access_token", token.expose().clone())]);
        let off = if context.config.registration.is_on() {
            ""
        } else {
            "\nNobody can use it yet: set registration.mode to \"token\" or \"open\" for the server."
        };
        format!(
            "Made an initial access token for {name}.\n\n{shown}Keep the token now: it is not shown again.{off}"
        )
    })
}

async fn list(context: &Context) -> Result<(), CommandError> {
    let tokens = context.store.initial_access_tokens().await?;
    let values: Vec<Value> = tokens.iter().map(value).collect();
    print(context.json, &values, || {
        let rows = tokens.iter().map(|token| {
            let left = token.uses_left.map_or("any number".to_owned(), |left| left.to_string());
            [token.id.to_string(), token.name.clone(), left, end(token)]
        });
        table(
            ["id", "name", "uses left", "ends"],
            rows.collect(),
            "No initial access tokens. Make one with: grantor initial-access-token create --name NAME",
        )
    })
}

fn value(token: &InitialAccessToken) -> Value {
    json!({
        "id": token.id, "name": token.name, "uses_left": token.uses_left,
        "created_at": token.created_at, "expires_at": token.expires_at,
    })
}

fn end(token: &InitialAccessToken) -> String {
    let ended = token.expires_at <= Timestamp::now();
    if ended { format!("ENDED at {}", token.expires_at) } else { token.expires_at.to_string() }
}

async fn revoke(id: Uuid, context: &Context) -> Result<(), CommandError> {
    if !context.store.revoke_initial_access_token(id).await? {
        return Err(CommandError::not_found("there is no such initial access token"));
    }
    print(context.json, &json!({ "id": id, "revoked": true }), || {
        format!("Revoked the initial access token {id}. No client can be registered with it any more.")
    })
}
