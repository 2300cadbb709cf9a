//! The configuration: one file per section, with its fields, defaults and checks.
//!
//! A section's table of settings is all there is to edit for a new one beside its field: file, environment, checks,
//! `config show` and the reference file follow from it.

mod audit;
mod database;
mod duration;
mod error;
mod file;
mod general;
mod issuer;
mod keys;
mod kind;
mod limits;
mod log;
mod names;
mod outgoing;
mod overrides;
mod passwords;
mod registration;
mod resolve;
mod server;
mod sessions;
mod setting;
mod show;
#[cfg(test)]
mod tests;
mod tokens;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

pub use self::audit::Audit;
pub use self::database::{Database, DatabaseSource, Isolation};
pub use self::duration::{format as format_duration, parse as parse_duration};
pub use self::error::ConfigError;
pub use self::issuer::{Issuer, IssuerError, is_loopback};
pub use self::keys::{Keys, MasterKeySource, MasterKeyValue};
pub use self::limits::Limits;
pub use self::log::{Log, LogFormat};
pub use self::outgoing::Outgoing;
pub use self::overrides::Overrides;
pub use self::passwords::Passwords;
pub use self::registration::{Registration, RegistrationMode};
pub use self::server::Server;
pub use self::sessions::Sessions;
pub use self::show::reference;
pub use self::tokens::Tokens;

use self::resolve::{Given, Resolved};
use self::setting::{Section, Setting};

const SECTIONS: [&Section; 12] = [
    &general::SECTION,
    &server::SECTION,
    &database::SECTION,
    &keys::SECTION,
    &tokens::SECTION,
    &sessions::SECTION,
    &passwords::SECTION,
    &registration::SECTION,
    &outgoing::SECTION,
    &limits::SECTION,
    &log::SECTION,
    &audit::SECTION,
];

fn settings() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.into_iter().flat_map(|section| section.settings)
}

/// Everything that an operator can decide, checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The issuer identifier. Where it is not given and the port is 0, call [`Config::with_bound_port`] first.
    pub issuer: Issuer,
    /// Where the embedded database and a generated master key lie; absolute.
    pub state_dir: PathBuf,
    /// Listeners, TLS, proxies and time limits.
    pub server: Server,
    /// Which PostgreSQL.
    pub database: Database,
    /// The master key, and how long others may keep a copy of the signing keys.
    pub keys: Keys,
    /// How long codes and tokens live.
    pub tokens: Tokens,
    /// How long a person stays signed in.
    pub sessions: Sessions,
    /// What a password must be and what its hash costs.
    pub passwords: Passwords,
    /// Clients that register themselves.
    pub registration: Registration,
    /// Requests that Grantor itself makes.
    pub outgoing: Outgoing,
    /// How much one address or one client may ask for.
    pub limits: Limits,
    /// What is logged.
    pub log: Log,
    /// How long the audit log is kept.
    pub audit: Audit,
    #[serde(skip)]
    issuer_given: bool,
    #[serde(skip)]
    shown: Vec<show::Shown>,
}

impl Config {
    /// Puts the configuration together: flag > `GRANTOR_…` > `DATABASE_URL` > file > default. The flag for the
    /// state directory beats every database but one given by a flag too.
    ///
    /// # Errors
    /// Every problem found, one line each: a file that cannot be read, unknown names, wrong or missing values.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        let mut resolved = Resolved::new(overrides)?;
        resolved.set_default("state_dir", general::default_state_dir(overrides));
        let issuer_given = resolved.get("issuer").is_some();
        resolved.set_default("issuer", default_issuer(&resolved).to_string());
        let metrics_listen_given = resolved.get("server.metrics_listen").is_some_and(Given::is_given);
        let shown = show::shown(&resolved);
        let master_keys = keys::take_master_keys(&mut resolved)?;

        let config = Self::deserialize(resolved.into_value());
        let mut config =
            config.map_err(|error| format!("settings and types disagree: {}", error.message()))?;
        config.server.metrics_listen_given = metrics_listen_given;
        config.keys.master_keys = master_keys;
        config.issuer_given = issuer_given;
        config.shown = shown;
        config.check(overrides)?;
        Ok(config)
    }

    /// The checks that need more than one setting.
    fn check(&self, overrides: &Overrides) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        self.server.check(&mut problems);
        self.keys.check(&mut problems);
        self.tokens.check(&mut problems);
        self.sessions.check(&mut problems);
        self.outgoing.check(&self.issuer, &mut problems);
        if self.server.tls_cert.is_some() && !self.issuer.is_https() {
            problems.push(format!(
                "the issuer {} is http, but server.tls_cert makes Grantor speak TLS",
                self.issuer
            ));
        }
        if self.database.source == DatabaseSource::Embedded && !self.issuer.is_loopback() {
            problems.push(self.needs_a_database(overrides.state_dir.is_some()));
        }
        ConfigError::unless_empty(problems)
    }

    fn needs_a_database(&self, by_flag: bool) -> String {
        let issuer = &self.issuer;
        if by_flag {
            return format!(
                "--state-dir asks for the embedded database, which serves loopback issuers only, not {issuer}: \
                 name the directory by GRANTOR_STATE_DIR instead"
            );
        }
        format!(
            "the issuer {issuer} is not a loopback address and so needs a database: \
             set database.url, GRANTOR_DATABASE_URL or DATABASE_URL"
        )
    }

    /// The same configuration once the listener is bound: the default issuer names this port. A given issuer stays.
    #[must_use]
    pub fn with_bound_port(mut self, port: u16) -> Self {
        if !self.issuer_given {
            self.issuer = Issuer::localhost(self.issuer.is_https(), port);
        }
        self
    }
}

fn default_issuer(resolved: &Resolved) -> Issuer {
    let listen =
        resolved.get("server.listen").and_then(|given| given.value.as_str()?.parse::<SocketAddr>().ok());
    Issuer::localhost(resolved.get("server.tls_cert").is_some(), listen.map_or(0, |address| address.port()))
}
