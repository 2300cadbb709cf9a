//! `[keys]`: the master key, and how long others may keep a copy of the signing keys.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::duration::{self, DAY};
use super::kind::Kind;
use super::resolve::{Given, Resolved};
use super::setting::{Section, Setting};
use crate::secret::Secret;

const MASTER_KEY: &str = "keys.master_key";
const MASTER_KEY_FILES: &str = "keys.master_key_files";

pub(super) const SECTION: Section = Section {
    meaning: "The master key protects private signing keys, client secrets and refresh tokens in the database. \
              Keep a copy apart from the database's backups: neither is of use without the other.",
    settings: &[
        Setting::optional(
            MASTER_KEY,
            Kind::MasterKey,
            "",
            "32 random bytes in base64, as `openssl rand -base64 32` makes them. Several may be given, separated by \
             white space: the first writes, all read.",
        )
        .also(&["GRANTOR_MASTER_KEY"])
        .environment_only(),
        Setting::optional(
            MASTER_KEY_FILES,
            Kind::Paths,
            "/etc/grantor/master.key",
            "Files that hold such keys, one per line. In the environment separated by commas. \
             Default: master.key in state_dir, made at the first start.",
        )
        .also(&["GRANTOR_MASTER_KEY_FILE"]),
        Setting::new(
            "keys.jwks_max_age",
            Kind::Duration(1, DAY),
            "10m",
            "How long others may keep a copy of /.well-known/jwks.json. \
             A new signing key is published this long before it signs.",
        ),
        Setting::new(
            "keys.rotate_every",
            Kind::DurationOrOff(1, 400 * DAY),
            "90d",
            "How long a signing key signs until another takes over, without a hand and without an interruption. \
             With \"off\" only commands change the signing keys.",
        ),
    ],
};

/// The master key, and how long others may keep a copy of the signing keys.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Where the master keys are; never empty. The first key writes, all read.
    #[serde(skip)]
    pub master_keys: Vec<MasterKeySource>,
    /// `max-age` of the JWKS document, and how long a new key is published before it signs.
    #[serde(deserialize_with = "duration::deserialize")]
    pub jwks_max_age: Duration,
    /// How long a key signs until the server lets another take over; `None`: it does not.
    #[serde(deserialize_with = "duration::deserialize_or_off")]
    pub rotate_every: Option<Duration>,
}

impl Keys {
    /// A key that is published for longer than it signs would never be alone, and the published keys would pile up.
    pub(super) fn check(&self, problems: &mut Vec<String>) {
        if let Some(rotate_every) = self.rotate_every.filter(|every| *every < self.jwks_max_age) {
            let [every, age] =
                [rotate_every, self.jwks_max_age].map(|duration| duration::format(duration.as_secs()));
            problems.push(format!(
                "keys.rotate_every ({every}) is below keys.jwks_max_age ({age}): raise it or lower the other"
            ));
        }
    }
}

/// One place where master keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterKeySource {
    /// The place in words, for messages.
    pub origin: String,
    /// The keys or their file.
    pub value: MasterKeyValue,
}

/// Master keys or the file that holds them: base64 of 32 bytes each, separated by white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterKeyValue {
    /// The keys themselves.
    Inline(Secret<String>),
    /// A file that must exist.
    File(PathBuf),
    /// A file that is made if it is absent.
    Generated(PathBuf),
}

/// Takes the two settings that name master keys.
pub(super) fn take_master_keys(resolved: &mut Resolved) -> Result<Vec<MasterKeySource>, String> {
    match (resolved.take(MASTER_KEY), resolved.take(MASTER_KEY_FILES)) {
        (Some(inline), Some(files)) if files.source.is_environment() => {
            Err(format!("{} and {} are both set: unset one", inline.source.place(""), files.source.place("")))
        }
        (Some(inline), _) => Ok(vec![from_environment(&inline)]),
        (None, Some(files)) => from_files(&files),
        (None, None) => Ok(vec![generated(resolved)]),
    }
}

fn from_environment(given: &Given) -> MasterKeySource {
    let keys = given.value.as_str().unwrap_or_default().to_owned();
    MasterKeySource { origin: given.source.to_string(), value: MasterKeyValue::Inline(Secret::new(keys)) }
}

fn from_files(given: &Given) -> Result<Vec<MasterKeySource>, String> {
    let paths = given.value.as_array().into_iter().flatten().filter_map(toml::Value::as_str);
    let sources: Vec<_> = paths
        .map(|path| MasterKeySource {
            origin: format!("{path} ({})", given.source),
            value: MasterKeyValue::File(PathBuf::from(path)),
        })
        .collect();
    if sources.is_empty() {
        return Err(format!(
            "{MASTER_KEY_FILES} ({}) is an empty list: name a file or remove it",
            given.source
        ));
    }
    Ok(sources)
}

fn generated(resolved: &Resolved) -> MasterKeySource {
    let state_dir = resolved.get("state_dir").and_then(|given| given.value.as_str()).unwrap_or_default();
    let path = PathBuf::from(state_dir).join("master.key");
    MasterKeySource { origin: path.display().to_string(), value: MasterKeyValue::Generated(path) }
}
