//! `grantor migrate`.

use serde_json::json;

use super::context::open_database;
use super::operator::account;
use super::output::print;
use super::{CommandError, GlobalOptions};
use crate::config::Config;
use crate::model::Origin;

pub(super) const ABOUT: &str = "\
Bring the database's schema up to date, whatever database.migrate says

An empty database gets the whole schema. Several of these at once do the work
once.

Example:
  DATABASE_URL=postgres://grantor@db.example.com/grantor grantor migrate";

pub async fn run(options: &GlobalOptions) -> Result<(), CommandError> {
    let config = Config::load(&options.overrides())?;
    let database = open_database(&config)?.on_behalf_of(Origin::command(account()));
    let applied = database.migrate().await;
    database.close()?;
    let applied = applied?;
    print(options.json, &json!({ "applied": applied }), || match applied {
        0 => "The schema is up to date.".to_owned(),
        1 => "The schema is now up to date: 1 migration was applied.".to_owned(),
        _ => format!("The schema is now up to date: {applied} migrations were applied."),
    })
}
