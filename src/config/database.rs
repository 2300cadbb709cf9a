//! `[database]`: which PostgreSQL, and how many connections to it.

use std::time::Duration;

use serde::Deserialize;

use super::duration;
use super::kind::Kind;
use super::setting::{Section, Setting};
use crate::secret::Secret;

pub(super) const SECTION: Section = Section {
    meaning: "Which PostgreSQL, and how many connections to it.",
    settings: &[
        Setting::optional(
            "database.url",
            Kind::DatabaseUrl,
            "postgres://grantor@db.example.com/grantor",
            "The PostgreSQL database. Default: a private one in state_dir, if the issuer is a loopback address; \
             any other issuer needs a database of its own. DATABASE_URL counts less than GRANTOR_DATABASE_URL and \
             more than this file.",
        )
        .fallback("DATABASE_URL"),
        Setting::new(
            "database.migrate",
            Kind::Flag,
            "true",
            "Whether serve and the other commands bring an empty or older schema up to date. \
             With false, run `grantor migrate` before a new release starts.",
        ),
        Setting::new(
            "database.max_connections",
            Kind::Integer(5, 1000),
            "20",
            "Connections of one process at most: three for background jobs, the rest divided over the workers.",
        ),
        Setting::new(
            "database.acquire_timeout",
            Kind::Duration(1, 60),
            "2s",
            "How long a request waits before it is answered with 503: half of it for free connections, however \
             many it needs one after the other, and half for somebody else's lock.",
        ),
        Setting::new(
            "database.statement_timeout",
            Kind::Duration(1, 60),
            "3s",
            "How long a statement of a request may take; then it is ended, and the answer is 503.",
        ),
        Setting::new(
            "database.isolation",
            Kind::OneOf(&["read_committed", "serializable"]),
            "read_committed",
            "The isolation level of all statements and transactions. PostgreSQL needs read_committed and no more; \
             serializable is for databases of its kind that have nothing else, and the same for all processes. \
             What the database gives up for another's sake is done again.",
        ),
    ],
};

/// Which PostgreSQL, and how many connections to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Where the data lie.
    #[serde(rename = "url", default)]
    pub source: DatabaseSource,
    /// Whether to migrate an older schema.
    pub migrate: bool,
    /// Connections of one process at most.
    pub max_connections: u32,
    /// How long a request waits for free connections and for a lock together; a job for each connection.
    #[serde(deserialize_with = "duration::deserialize")]
    pub acquire_timeout: Duration,
    /// How long a statement of a request may take.
    #[serde(deserialize_with = "duration::deserialize")]
    pub statement_timeout: Duration,
    /// The isolation level of all that is done in it.
    pub isolation: Isolation,
}

/// How much of each other transactions see that run at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// Each statement sees what was committed before it.
    #[default]
    ReadCommitted,
    /// As if one ran after the other; the database gives up what does not fit.
    Serializable,
}

/// Where the data lie.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "Secret<String>")]
pub enum DatabaseSource {
    /// A private PostgreSQL in the state directory, which Grantor runs itself.
    #[default]
    Embedded,
    /// A database that somebody else runs.
    Url(Secret<String>),
}

impl From<Secret<String>> for DatabaseSource {
    fn from(url: Secret<String>) -> Self {
        Self::Url(url)
    }
}
