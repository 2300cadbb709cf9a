//! `grantor migrate`.

use serde_json::json;

use super::context::{load_master_keys, open_database};
use super::operator::account;
use super::output::print;
use super::{CommandError, GlobalOptions};
use crate::config::Config;
use crate::keys::check_master_keys;
use crate::model::Origin;
use crate::store::Database;

pub(super) const ABOUT: &str = "\
Bring the database's schema up to date, whatever database.migrate says

An empty database gets the whole schema. One that Grantor has written to is
refused unless the master keys are its own. Several of these at once do the work
once.

Example:
  DATABASE_URL=postgres://grantor@db.example.com/grantor grantor migrate";

pub async fn run(options: &GlobalOptions) -> Result<(), CommandError> {
    let config = Config::load(&options.overrides())?;
    let database = open_database(&config)?.on_behalf_of(Origin::command(account()));
    let applied = migrate(&config, &database).await;
    database.close()?;
    let applied = applied?;
    print(options.json, &json!({ "applied": applied }), || match applied {
        0 => "The schema is up to date.".to_owned(),
        1 => "The schema is now up to date: 1 migration was applied.".to_owned(),
        _ => format!("The schema is now up to date: {applied} migrations were applied."),
    })
}

/// A database without a master key on record needs none to be migrated.
async fn migrate(config: &Config, database: &Database) -> Result<usize, CommandError> {
    let recorded = database.recorded_master_keys().await?;
    if !recorded.is_empty() {
        check_master_keys(&recorded, &load_master_keys(config)?)?;
    }
    Ok(database.migrate().await?)
}
