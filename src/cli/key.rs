//! `grantor key`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;
use zeroize::Zeroizing;

use super::output::{note, print, table};
use super::{CommandError, Context};
use crate::keys::{KeyOperations, KeyOutcome, KeyReport};
use crate::model::SigningKeyState;

/// More than any private key in PEM, in bytes.
const MAX_PEM: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List all signing keys
    ///
    /// States: next (published, not yet signing), active (published and signing),
    /// retiring (published until the last token that it signed has expired), retired
    /// (no longer published).
    ///
    /// Example:
    ///   grantor key list --json
    #[command(verbatim_doc_comment)]
    List,
    /// Publish the next signing key
    ///
    /// It signs when every cache can have it, and the old key stays published until
    /// its last token has expired. If a next key waits already, that one is the
    /// answer.
    ///
    /// Examples:
    ///   grantor key rotate
    ///   grantor key rotate --now
    #[command(verbatim_doc_comment)]
    Rotate {
        /// Sign with another key at once, the waiting one if there is one; the old key stays published
        #[arg(long)]
        now: bool,
    },
    /// Withdraw a signing key at once, for example because it has leaked
    ///
    /// Every token that it signed is refused from then on. If it is the active key,
    /// the next one, or else a new one, signs at once.
    ///
    /// Example:
    ///   grantor key retire NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs
    #[command(verbatim_doc_comment)]
    Retire {
        /// The key's kid, as `grantor key list` shows it
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Take an RSA key of your own as the next signing key
    ///
    /// The file holds a private key in PEM: PKCS#8 or PKCS#1, 2048 to 4096 bits,
    /// without a passphrase.
    ///
    /// Examples:
    ///   grantor key import keys/signing.pem
    ///   openssl genrsa 3072 | grantor key import -
    #[command(verbatim_doc_comment)]
    Import {
        /// The file, or - for standard input
        file: PathBuf,
        /// Sign with it at once; the old key stays published
        #[arg(long)]
        now: bool,
    },
}

/// The key that a command was about, and who signs now.
#[derive(Serialize)]
struct OutcomeView<'a> {
    #[serde(flatten)]
    key: &'a KeyReport,
    active_kid: Option<&'a str>,
    changed: bool,
}

impl<'a> From<&'a KeyOutcome> for OutcomeView<'a> {
    fn from(outcome: &'a KeyOutcome) -> Self {
        let active_kid = outcome.active.as_ref().map(|key| key.kid.as_str());
        Self { key: &outcome.key, active_kid, changed: outcome.changed }
    }
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    let tokens = &context.config.tokens;
    let jwks_max_age = context.config.keys.jwks_max_age;
    let operations = KeyOperations::new(
        &context.store,
        &context.master_keys,
        jwks_max_age,
        tokens.access_token_lifetime.max(tokens.id_token_lifetime),
    );
    let outcome = match &command {
        Command::List => return list(&operations, context.json).await,
        Command::Rotate { now: false } => operations.rotate().await,
        Command::Rotate { now: true } => operations.rotate_now().await,
        Command::Retire { kid } => operations.retire(kid).await,
        Command::Import { file, now } => operations.import(&read_pem(file)?, *now).await,
    };
    let outcome = outcome?;
    if let Some(warning) = consequences(&outcome, jwks_max_age) {
        note(&warning);
    }
    print(context.json, &OutcomeView::from(&outcome), || in_words(&outcome))
}

async fn list(operations: &KeyOperations<'_>, json: bool) -> Result<(), CommandError> {
    let keys = operations.list().await?;
    print(json, &keys, || {
        let rows = keys.iter().map(|key| {
            let (created_at, activates_at) = (key.created_at.to_string(), key.activates_at.to_string());
            [key.kid.clone(), key.alg.clone(), key.state.name().to_owned(), created_at, activates_at]
        });
        let head = ["kid", "alg", "state", "created_at", "activates_at"];
        table(
            head,
            rows.collect(),
            "No keys. The server makes one at its first start, or: grantor key rotate --now",
        )
    })
}

fn read_pem(path: &Path) -> Result<Zeroizing<String>, CommandError> {
    let failed = |error: io::Error| {
        CommandError::new("invalid_request", format!("cannot read {}: {error}", path.display()))
    };
    let mut text = Zeroizing::new(String::new());
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    source.take(MAX_PEM).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// What the operation means for tokens and for those who verify them.
fn consequences(outcome: &KeyOutcome, jwks_max_age: Duration) -> Option<String> {
    if !outcome.changed {
        return None;
    }
    let age = minutes(jwks_max_age);
    match outcome.key.state {
        SigningKeyState::Active => Some(format!(
            "note: running servers sign with this key within 2 s. An API that keeps a copy of the published keys \
             and does not fetch them anew for a key that it does not know may refuse new tokens for up to {age}."
        )),
        SigningKeyState::Retired => Some(format!(
            "note: running servers refuse every token that this key signed within 2 s. An API that keeps a copy of \
             the published keys may accept such a token for up to {age}, or until you restart it, and may refuse \
             tokens of a key that it does not know yet for as long."
        )),
        SigningKeyState::Next | SigningKeyState::Retiring => None,
    }
}

fn minutes(duration: Duration) -> String {
    match duration.as_secs() {
        60 => "a minute".to_owned(),
        seconds if seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

fn in_words(KeyOutcome { key, active, changed }: &KeyOutcome) -> String {
    let kid = &key.kid;
    match (key.state, changed) {
        (SigningKeyState::Next, true) => {
            format!("The key {kid} is published and signs from {} on.", key.activates_at)
        }
        (SigningKeyState::Next, false) => format!(
            "The key {kid} is published already and signs from {} on.\nTo sign with it at once: grantor key rotate --now",
            key.activates_at
        ),
        (SigningKeyState::Retired, false) => format!("The key {kid} was retired already."),
        (SigningKeyState::Retired, true) => match active {
            Some(active) => format!("The key {kid} is retired. The key {} signs.", active.kid),
            None => format!("The key {kid} is retired."),
        },
        (SigningKeyState::Active, _) => format!("The key {kid} signs."),
        (SigningKeyState::Retiring, _) => format!("The key {kid} is superseded and still published."),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::time::Timestamp;

    #[derive(Debug, Parser)]
    struct Line {
        #[arg(long, global = true)]
        json: bool,
        #[command(subcommand)]
        command: Command,
    }

    fn outcome(state: SigningKeyState, changed: bool) -> KeyOutcome {
        let key = |kid: &str, state| KeyReport {
            kid: kid.to_owned(),
            alg: "RS256".to_owned(),
            state,
            created_at: Timestamp::from_unix_seconds(0),
            activates_at: Timestamp::from_unix_seconds(0),
        };
        KeyOutcome { key: key("k1", state), active: Some(key("k2", SigningKeyState::Active)), changed }
    }

    #[test]
    fn a_kid_may_begin_with_a_hyphen() {
        for line in ["key retire -sXh8 --json", "key retire --json -sXh8", "key --json retire -sXh8"] {
            let line = Line::try_parse_from(line.split(' ')).unwrap();
            assert!(line.json && matches!(line.command, Command::Retire { kid } if kid == "-sXh8"));
        }
    }

    #[test]
    fn the_json_names_the_key_its_state_and_who_signs() {
        let json = serde_json::to_value(OutcomeView::from(&outcome(SigningKeyState::Retired, true))).unwrap();
        assert_eq!(
            (&json["kid"], &json["state"], &json["active_kid"]),
            (&"k1".into(), &"retired".into(), &"k2".into())
        );
    }

    #[test]
    fn what_may_break_is_said_aloud() {
        let said = |state, changed| consequences(&outcome(state, changed), Duration::from_secs(600));
        assert!(said(SigningKeyState::Active, true).unwrap().contains("10 minutes"));
        assert!(said(SigningKeyState::Retired, true).unwrap().contains("every token"));
        assert_eq!(said(SigningKeyState::Next, true), None);
        assert_eq!(said(SigningKeyState::Retired, false), None);
    }
}
