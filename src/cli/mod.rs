//! The command line: one file per command.

mod arguments;
mod audit;
mod claim;
mod client;
mod client_view;
mod config;
mod consent;
mod context;
mod demo;
mod error;
mod health;
mod initial_access_token;
mod key;
mod logout_delivery;
mod migrate;
mod operator;
mod output;
mod resource_server;
mod role;
mod scope;
mod serve;
mod session;
mod user;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use self::context::Context;
pub use self::error::CommandError;

/// The command line of Grantor.
#[derive(Debug, Parser)]
#[command(name = "grantor", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    options: GlobalOptions,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options of every command, before or after its name.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalOptions {
    /// Read this configuration file
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<String>,
    /// Keep the private database and a generated master key in this directory
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<String>,
    /// Use this PostgreSQL database; better given as DATABASE_URL, since others see a command line
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Print one JSON value, and errors as {"error", "error_description"}
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (what happens without a command, too)
    #[command(long_about = serve::ABOUT)]
    Serve(serve::Options),
    /// Register and change clients: the apps that people sign in to, and the APIs that ask about tokens
    #[command(subcommand)]
    Client(client::Command),
    /// Let apps register themselves: tokens that they need where not everybody may
    #[command(subcommand)]
    InitialAccessToken(initial_access_token::Command),
    /// Make and change the accounts of people
    #[command(subcommand)]
    User(user::Command),
    /// Show where people are signed in, and end that
    #[command(subcommand)]
    Session(session::Command),
    /// Show which apps people have let use their accounts, and take that back
    #[command(subcommand)]
    Consent(consent::Command),
    /// Register scopes: what an app may ask a person for
    #[command(subcommand)]
    Scope(scope::Command),
    /// Add claims to the standard ones: what apps can learn of a person
    #[command(subcommand)]
    Claim(claim::Command),
    /// Register APIs, and which scopes each of them understands
    #[command(subcommand)]
    ResourceServer(resource_server::Command),
    /// Make and change roles: which restricted scopes their holders may grant
    #[command(subcommand)]
    Role(role::Command),
    /// Show and rotate the keys that sign tokens
    #[command(subcommand)]
    Key(key::Command),
    /// Show which apps were told that a session has ended, and tell them again
    #[command(subcommand)]
    LogoutDelivery(logout_delivery::Command),
    /// Show the audit log: who did what to what, when, from where
    #[command(subcommand)]
    Audit(audit::Command),
    /// Bring the database's schema up to date
    #[command(long_about = migrate::ABOUT)]
    Migrate,
    /// Ask the server on this machine whether it is ready
    #[command(long_about = health::ABOUT)]
    Health(health::Options),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(config::Command),
}

impl Default for Command {
    fn default() -> Self {
        Self::Serve(serve::Options::default())
    }
}

/// Runs the command of this process. Exit 0: done; 1: refused or failed; 2: wrong usage.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.options.json;
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_error(json, &error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::new("server_error", error))?;
    runtime.block_on(dispatch(cli))
}

async fn dispatch(Cli { options, command }: Cli) -> Result<(), CommandError> {
    // Without a command the program does what it is for.
    match command.unwrap_or_default() {
        Command::Config(command) => config::run(command, &options),
        Command::Migrate => migrate::run(&options).await,
        Command::Serve(serve) => serve::run(serve, &options).await,
        Command::Health(health) => health::run(health, &options),
        command => {
            let context = Context::open(&options).await?;
            let result = match command {
                Command::Client(command) => client::run(command, &context).await,
                Command::InitialAccessToken(command) => initial_access_token::run(command, &context).await,
                Command::User(command) => user::run(command, &context).await,
                Command::Session(command) => session::run(command, &context).await,
                Command::Consent(command) => consent::run(command, &context).await,
                Command::Scope(command) => scope::run(command, &context).await,
                Command::Claim(command) => claim::run(command, &context).await,
                Command::ResourceServer(command) => resource_server::run(command, &context).await,
                Command::Role(command) => role::run(command, &context).await,
                Command::Key(command) => key::run(command, &context).await,
                Command::LogoutDelivery(command) => logout_delivery::run(command, &context).await,
                Command::Audit(command) => audit::run(command, &context).await,
                Command::Config(_) | Command::Migrate | Command::Serve(_) | Command::Health(_) => Ok(()),
            };
            result.and(context.close())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_help() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} has no help", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} of {}", argument.get_id(), command.get_name());
            }
            if !command.has_subcommands() {
                let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
                assert!(long.contains("grantor "), "{} has no example", command.get_name());
                let widest = long.lines().map(|line| line.chars().count()).max().unwrap_or_default();
                assert!(widest <= 80, "the help of {} is wider than a terminal: {long}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn global_options_stand_before_or_after_the_command() {
        for line in ["grantor --json client list", "grantor client list --json", "grantor client --json list"]
        {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert!(cli.options.json, "{line}");
        }
    }

    #[test]
    fn wrong_usage_is_told_apart() {
        for line in
            ["grantor nonsense", "grantor client", "grantor client create", "grantor client list --nonsense"]
        {
            assert_eq!(Cli::try_parse_from(line.split(' ')).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
