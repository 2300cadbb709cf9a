//! `grantor config`.

use clap::Subcommand;
use serde_json::json;

use super::output::print;
use super::{CommandError, GlobalOptions};
use crate::config::{Config, reference};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the configuration without starting anything
    ///
    /// Reads file, environment and flags, and lists every problem. Neither the
    /// database nor the network is asked.
    ///
    /// Example:
    ///   grantor config check --config /etc/grantor/grantor.toml
    #[command(verbatim_doc_comment)]
    Check,
    /// Show the configuration in force and who gave each value; secrets are hidden
    ///
    /// Example:
    ///   grantor config show --json
    #[command(verbatim_doc_comment)]
    Show,
    /// Print a configuration file with every setting, its default and its meaning
    ///
    /// Example:
    ///   grantor config reference > grantor.toml
    #[command(verbatim_doc_comment)]
    Reference,
}

pub(super) fn run(command: Command, options: &GlobalOptions) -> Result<(), CommandError> {
    let load = || Config::load(&options.overrides());
    match command {
        Command::Check => {
            let issuer = load()?.issuer;
            print(options.json, &json!({ "valid": true }), || {
                format!("The configuration is valid. The issuer is {issuer}.")
            })
        }
        Command::Show => {
            let config = load()?;
            print(options.json, &config.to_json_hiding_secrets(), || config.to_toml_hiding_secrets())
        }
        // Whoever asks for it may have no configuration that would do.
        Command::Reference => print(options.json, &json!({ "toml": reference() }), reference),
    }
}
