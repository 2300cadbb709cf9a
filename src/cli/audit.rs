//! `grantor audit`.

mod view;

use std::num::NonZeroU32;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::output::{print, table};
use super::user::find;
use super::{CommandError, Context};
use crate::config::parse_duration;
use crate::model::{AuditEventKind, UserId};
use crate::store::AuditQuery;
use crate::time::Timestamp;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List events, the newest last
    ///
    /// Times are those of the database, in UTC.
    ///
    /// Examples:
    ///   grantor audit list
    ///   grantor audit list --since 7d --event sign_in.failed --user alice
    ///   grantor audit list --since 2026-11-01T00:00:00Z --until 2026-11-02T00:00:00Z
    ///   grantor audit list --event refresh_token.reused --event code.reused --json
    #[command(verbatim_doc_comment)]
    List(List),
    /// List the names of events and what they mean
    ///
    /// Example:
    ///   grantor audit events
    #[command(verbatim_doc_comment)]
    Events,
}

/// Which events.
#[derive(Debug, Args)]
pub(super) struct List {
    /// From then on: how long ago, such as 30m, 24h or 7d, or a time such as 2026-11-22T09:00:00Z
    #[arg(long, value_name = "WHEN", default_value = "24h", value_parser = when)]
    since: When,
    /// Up to then
    #[arg(long, value_name = "WHEN", value_parser = when)]
    until: Option<When>,
    /// Only events of this name; may be repeated. See: grantor audit events
    #[arg(long = "event", value_name = "NAME", value_enum, hide_possible_values = true)]
    events: Vec<AuditEventKind>,
    /// Only what concerns this user: a name, or the identifier, which also finds a deleted one
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only what concerns this client
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// At most so many, the newest
    #[arg(long, value_name = "NUMBER", default_value = "200")]
    limit: NonZeroU32,
}

/// A time as an operator gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Ago(Duration),
    At(Timestamp),
}

impl When {
    fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(duration) => now - duration,
            Self::At(time) => time,
        }
    }
}

fn when(text: &str) -> Result<When, String> {
    let ago = parse_duration(text).map(When::Ago);
    ago.or_else(|| Timestamp::from_rfc3339(text).map(When::At))
        .ok_or_else(|| "neither a duration such as 24h nor a time such as 2026-11-22T09:00:00Z".to_owned())
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::List(arguments) => list(arguments, context).await,
        Command::Events => events(context.json),
    }
}

async fn list(arguments: List, context: &Context) -> Result<(), CommandError> {
    let now = context.store.pulse().await?.database_time;
    let user_id = match &arguments.user {
        Some(user) => Some(user_id(user, context).await?),
        None => None,
    };
    let query = AuditQuery {
        since: arguments.since.from(now),
        until: arguments.until.map(|until| until.from(now)),
        kinds: arguments.events,
        user_id,
        client_id: arguments.client.map(Into::into),
        limit: arguments.limit,
    };
    let entries = context.store.audit_events(&query).await?;
    print(context.json, &entries, || view::list(&entries))
}

/// An identifier is taken as it is: events outlive accounts.
async fn user_id(user: &str, context: &Context) -> Result<UserId, CommandError> {
    match uuid::Uuid::try_parse(user) {
        Ok(id) => Ok(id.into()),
        Err(_) => Ok(find(user, context).await?.id),
    }
}

fn events(json: bool) -> Result<(), CommandError> {
    let all: Vec<_> = AuditEventKind::ALL
        .iter()
        .map(|kind| json!({ "event": kind.as_str(), "outcome": kind.outcome().as_str(), "meaning": kind.meaning() }))
        .collect();
    print(json, &all, || {
        let rows = AuditEventKind::ALL
            .iter()
            .map(|kind| [kind.as_str(), kind.outcome().as_str(), kind.meaning()].map(str::to_owned));
        table(["event", "outcome", "meaning"], rows.collect(), "")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_distance_or_an_instant() {
        let now = Timestamp::from_unix_seconds(1_000_000);
        assert_eq!(when("24h").unwrap().from(now), Timestamp::from_unix_seconds(1_000_000 - 86_400));
        assert_eq!(when("1970-01-02T00:00:00Z").unwrap().from(now), Timestamp::from_unix_seconds(86_400));
        for wrong in ["", "yesterday", "24", "1970-01-02", "-1h"] {
            assert!(when(wrong).is_err(), "{wrong}");
        }
        // Longer ago than there was time.
        assert!(when("18446744073709551615s").unwrap().from(now) < now);
    }
}
