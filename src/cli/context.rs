//! What a command works with: configuration, database and master keys, opened and checked.

use std::time::Duration;

use super::operator::account;
use super::output::note;
use super::{CommandError, GlobalOptions};
use crate::config::{Config, Log, MasterKeyValue, Overrides};
use crate::keys::{
    MasterKeyError, MasterKeys, check_master_keys, load_or_generate_master_key, open_master_keys,
    read_master_key,
};
use crate::model::Origin;
use crate::secret::Secret;
use crate::store::{Database, Store};
use crate::telemetry::logs;
use crate::users::{Accounts, Cost, PasswordHasher};

/// A command does one thing after the other, so it needs few connections, and waits longer than a request.
const CONNECTIONS: u32 = 2;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The opened installation.
#[derive(Debug)]
pub struct Context {
    /// The configuration in force.
    pub config: Config,
    /// The database, its schema that of this release.
    pub store: Store,
    /// The master keys, which fit the database.
    pub master_keys: MasterKeys,
    /// Whether the result is printed as JSON.
    pub json: bool,
    database: Database,
}

impl Context {
    /// Reads the configuration, opens the database, brings its schema up to date (unless the configuration
    /// forbids it) and checks the master keys.
    pub async fn open(options: &GlobalOptions) -> Result<Self, CommandError> {
        let config = Config::load(&options.overrides())?;
        // A command prints its result; only warnings are worth a line beside it.
        let log = Log { filter: "warn".to_owned(), ..config.log.clone() };
        logs::init(&log).map_err(|error| CommandError::new("server_error", error))?;
        let database = open_database(&config)?.on_behalf_of(Origin::command(account()));
        let listed = prepare(&config, &database).await?;
        let store = database.store(CONNECTIONS, ACQUIRE_TIMEOUT);
        store.ensure_audit_partitions().await?;
        let master_keys = open_master_keys(&store, listed).await?;
        Ok(Self { config, store, master_keys, json: options.json, database })
    }

    /// Closes the connections and leaves the private cluster, if it is that.
    pub fn close(self) -> Result<(), CommandError> {
        self.store.close();
        Ok(self.database.close()?)
    }

    /// The accounts, with one thread that hashes.
    pub fn accounts(&self) -> Result<Accounts, CommandError> {
        let passwords = &self.config.passwords;
        let hasher = PasswordHasher::start(Some(1), Cost::from(passwords))?;
        Ok(Accounts::new(self.store.clone(), hasher, passwords.min_length))
    }
}

/// Opens the database of a configuration, telling a person what takes a while.
pub fn open_database(config: &Config) -> Result<Database, CommandError> {
    let database = Database::open(&config.database.source, &config.state_dir, &note)?;
    Ok(database.isolated(config.database.isolation))
}

/// Reads the master keys and, if the database is theirs or nobody's, brings its schema up to date (unless the
/// configuration forbids it): the schema of somebody else's database is not touched.
pub async fn prepare(config: &Config, database: &Database) -> Result<MasterKeys, CommandError> {
    // The database first: a master key that is missing is made, and not for a database that does not answer.
    let recorded = database.recorded_master_keys().await?;
    let listed = load_master_keys(config)?;
    check_master_keys(&recorded, &listed)?;
    if config.database.migrate {
        database.migrate().await?;
    } else {
        database.check_schema().await?;
    }
    Ok(listed)
}

/// Reads the master keys, or makes the first one in the state directory.
pub fn load_master_keys(config: &Config) -> Result<MasterKeys, MasterKeyError> {
    let mut texts = Vec::new();
    for source in &config.keys.master_keys {
        let text: Secret<String> = match &source.value {
            MasterKeyValue::Inline(text) => text.clone(),
            MasterKeyValue::File(path) => read_master_key(path)?,
            MasterKeyValue::Generated(path) => load_or_generate_master_key(path)?,
        };
        texts.push((source.origin.clone(), text));
    }
    MasterKeys::load(&texts)
}

impl GlobalOptions {
    /// These flags over the environment.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            config: self.config.clone(),
            state_dir: self.state_dir.clone(),
            database_url: self.database_url.clone(),
            ..Overrides::from_process()
        }
    }
}
