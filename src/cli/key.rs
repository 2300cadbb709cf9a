//! `grantor key`.

mod consequences;
mod export;
mod rewrap;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;
use zeroize::Zeroizing;

use self::consequences::Consequences;
use self::export::Format;
use super::output::{note, print, table};
use super::{CommandError, Context};
use crate::jose::Algorithm;
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
    /// Publish the first key of an algorithm, ahead of its first client
    ///
    /// Registering a client makes the key too, and signs with it at once: a verifier
    /// that keeps a copy of the published keys may miss it for a while. Wait after this
    /// command until the key's time has come, and none does. If there is a key for the
    /// algorithm already, that one is the answer.
    ///
    /// Example:
    ///   grantor key create --alg ES256
    #[command(verbatim_doc_comment)]
    Create {
        /// RS256, PS256, ES256 or Ed25519
        #[arg(long)]
        alg: Algorithm,
    },
    /// Publish the next signing key
    ///
    /// It signs when every cache can have it, and the old key stays published until
    /// its last token has expired. If a next key waits already, that one is the
    /// answer. The server does this by itself, as often as keys.rotate_every says.
    ///
    /// Examples:
    ///   grantor key rotate
    ///   grantor key rotate --alg ES256
    ///   grantor key rotate --now
    #[command(verbatim_doc_comment)]
    Rotate {
        /// The algorithm whose key is rotated; each has keys of its own
        #[arg(long, default_value_t)]
        alg: Algorithm,
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
    /// Take a key of your own as the next signing key
    ///
    /// The file holds a private key in PEM without a passphrase: RSA of 2048 to 4096
    /// bits (PKCS#8 or PKCS#1), P-256 (PKCS#8 or SEC 1) or Ed25519 (PKCS#8).
    ///
    /// Examples:
    ///   grantor key import keys/signing.pem
    ///   openssl genrsa 3072 | grantor key import - --alg PS256
    ///   openssl genpkey -algorithm ed25519 | grantor key import -
    #[command(verbatim_doc_comment)]
    Import {
        /// The file, or - for standard input
        file: PathBuf,
        /// What it signs with; without it RS256 for an RSA key, ES256 for P-256, Ed25519 for Ed25519
        #[arg(long)]
        alg: Option<Algorithm>,
        /// Sign with it at once; the old key stays published
        #[arg(long)]
        now: bool,
    },
    /// Print public keys, for an API that cannot fetch them
    ///
    /// Without a kid all that are published now. With one that key, wherever it is in
    /// its life: public keys are kept for good.
    ///
    /// Examples:
    ///   grantor key export-public
    ///   grantor key export-public --kid KID --format pem
    #[command(verbatim_doc_comment)]
    ExportPublic {
        /// Only this key
        #[arg(long, allow_hyphen_values = true)]
        kid: Option<String>,
        /// A JWK Set (RFC 7517), or PEM with one block for each key (RFC 7468)
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Encrypt everything anew under the first master key; the others may go then
    ///
    /// List the new master key first and the old one after it. Servers go on meanwhile,
    /// if they list both. It may be done again at any time, also after it was
    /// interrupted.
    ///
    /// Example:
    ///   GRANTOR_MASTER_KEY_FILE=new.key,old.key grantor key rewrap
    #[command(verbatim_doc_comment)]
    Rewrap,
}

/// The key that a command was about, who signs now, and what that breaks.
#[derive(Serialize)]
struct OutcomeView<'a> {
    #[serde(flatten)]
    key: &'a KeyReport,
    active_kid: Option<&'a str>,
    changed: bool,
    consequences: Option<&'a Consequences>,
}

impl<'a> OutcomeView<'a> {
    fn new(outcome: &'a KeyOutcome, consequences: Option<&'a Consequences>) -> Self {
        let active_kid = outcome.active.as_ref().map(|key| key.kid.as_str());
        Self { key: &outcome.key, active_kid, changed: outcome.changed, consequences }
    }
}

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    let operations = operations(context);
    let outcome = match command {
        Command::List => return list(&operations, context.json).await,
        Command::ExportPublic { kid, format } => {
            let keys = operations.public_keys(kid.as_deref()).await?;
            return export::run(&keys, format, context.json);
        }
        Command::Rewrap => return rewrap::run(context).await,
        Command::Create { alg } => operations.create(alg).await,
        Command::Rotate { alg, now: false } => operations.rotate(alg).await,
        Command::Rotate { alg, now: true } => operations.rotate_now(alg).await,
        Command::Retire { kid } => operations.retire(&kid).await,
        Command::Import { file, alg, now } => operations.import(&read_pem(&file)?, alg, now).await,
    };
    tell(&outcome?, &operations, context).await
}

/// The operations on the signing keys of an opened installation.
pub(super) fn operations(context: &Context) -> KeyOperations<'_> {
    KeyOperations::new(
        &context.store,
        &context.master_keys,
        context.config.keys.jwks_max_age,
        context.config.tokens.longest_signed_lifetime(),
    )
}

/// What the first key of an algorithm means, made for a client that is about to be registered for it.
pub(super) fn about_first(key: &KeyReport, publish_ahead: Duration) -> String {
    let (KeyReport { kid, alg, created_at, .. }, until) = (key, key.created_at + publish_ahead);
    format!(
        "note: the key {kid}, the first for {alg}, was made at {created_at} and signs at once. A verifier that keeps a \
         copy of the published keys and does not fetch them anew for a key that it does not know may refuse this \
         client's tokens until {until}. `grantor key create --alg {alg}` in advance avoids that."
    )
}

async fn tell(
    outcome: &KeyOutcome,
    operations: &KeyOperations<'_>,
    context: &Context,
) -> Result<(), CommandError> {
    let clients = context.store.clients().await?;
    let consequences = Consequences::of(outcome, operations.publish_ahead(), &clients);
    if let Some(consequences) = &consequences {
        note(&consequences.text);
    }
    print(context.json, &OutcomeView::new(outcome, consequences.as_ref()), || in_words(outcome))
}

async fn list(operations: &KeyOperations<'_>, json: bool) -> Result<(), CommandError> {
    let keys = operations.list().await?;
    print(json, &keys, || {
        let rows = keys.iter().map(|key| {
            let until = key.published_until.map(|until| until.to_string()).unwrap_or_default();
            let (created_at, activates_at) = (key.created_at.to_string(), key.activates_at.to_string());
            [
                key.kid.clone(),
                key.alg.to_string(),
                key.state.name().to_owned(),
                created_at,
                activates_at,
                until,
            ]
        });
        let head = ["kid", "alg", "state", "created_at", "activates_at", "published_until"];
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

fn in_words(KeyOutcome { key, active, changed, at, .. }: &KeyOutcome) -> String {
    let KeyReport { kid, alg, activates_at, .. } = key;
    match (key.state, changed) {
        (SigningKeyState::Next, true) => {
            format!("The key {kid} is published and signs from {activates_at} on.")
        }
        (SigningKeyState::Next, false) => format!(
            "The key {kid} is published already and signs from {activates_at} on.\n\
             To sign with it at once: grantor key rotate --now --alg {alg}"
        ),
        (SigningKeyState::Retired, false) => format!("The key {kid} was retired already."),
        (SigningKeyState::Retired, true) => match active {
            Some(active) => format!("The key {kid} is retired. The key {} signs.", active.kid),
            None => format!("The key {kid} is retired."),
        },
        (SigningKeyState::Active, _) if activates_at > at => format!(
            "The key {kid} is published. From {activates_at} on every verifier can have it: register clients for \
             {alg} then."
        ),
        (SigningKeyState::Active, _) => format!("The key {kid} signs."),
        (SigningKeyState::Retiring, _) => format!("The key {kid} is superseded and still published."),
    }
}

#[cfg(test)]
mod tests;
