//! What the commands of `grantor user` take.

use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};

use crate::cli::CommandError;
use crate::cli::arguments::duration;
use crate::users::{AccountChange, AccountError, AttributeChange};

const LONGEST_LINK: Duration = Duration::from_secs(7 * 86_400);

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an account
    ///
    /// Without --password-stdin it has no password until the person sets one through
    /// a link.
    ///
    /// Examples:
    ///   grantor user create --username alice --email alice@example.com \
    ///       --password-stdin < password.txt
    ///   grantor user create --username bob --email bob@example.com --role editor \
    ///       --claim "name=Bob Example"
    ///   grantor user set-password bob --link
    #[command(verbatim_doc_comment)]
    Create(Create),
    /// Change what is known of a user; what is not given stays
    ///
    /// A claim is given as name=value, and removed by name=. An address is a JSON
    /// object; the value of a claim that an operator added is JSON, and else a text.
    /// Another e-mail address is not verified until that is said.
    ///
    /// Examples:
    ///   grantor user update alice --claim "name=Alice Example" --claim locale=en-GB \
    ///       --claim 'address={"locality":"London","country":"GB"}'
    ///   grantor user update alice --email alice@example.org --email-verified true
    ///   grantor user update alice --claim nickname=
    #[command(verbatim_doc_comment)]
    Update(Update),
    /// List all users
    ///
    /// Example:
    ///   grantor user list --json
    #[command(verbatim_doc_comment)]
    List,
    /// Show a user
    ///
    /// Example:
    ///   grantor user show alice
    #[command(verbatim_doc_comment)]
    Show {
        /// The user's name or identifier
        user: String,
    },
    /// Switch an account off; all its sessions and tokens end
    ///
    /// Example:
    ///   grantor user disable alice
    #[command(verbatim_doc_comment)]
    Disable {
        /// The user's name or identifier
        user: String,
    },
    /// Switch an account on again; what ended stays ended
    ///
    /// Example:
    ///   grantor user enable alice
    #[command(verbatim_doc_comment)]
    Enable {
        /// The user's name or identifier
        user: String,
    },
    /// Remove an account with its sessions, tokens and consents
    ///
    /// Example:
    ///   grantor user delete alice
    #[command(verbatim_doc_comment)]
    Delete {
        /// The user's name or identifier
        user: String,
    },
    /// Set a password, or make a one-time link with which the person sets one
    ///
    /// A new password ends all the person's sessions and tokens; a link does so when
    /// it is used.
    ///
    /// Examples:
    ///   grantor user set-password alice --link --expires-in 24h
    ///   grantor user set-password alice --password-stdin < password.txt
    #[command(verbatim_doc_comment)]
    SetPassword(SetPassword),
    /// Replace all roles of a user
    ///
    /// The next refresh and introspection see it. Without --role the user holds none.
    ///
    /// Example:
    ///   grantor user set-roles alice --role admin --role editor
    #[command(verbatim_doc_comment)]
    SetRoles {
        /// The user's name or identifier
        user: String,
        /// A role to hold; may be repeated
        #[arg(long = "role", value_name = "NAME")]
        roles: Vec<String>,
    },
}

/// A new account.
#[derive(Debug, Args)]
pub struct Create {
    /// The name to sign in with; case does not matter
    #[arg(long, value_name = "NAME")]
    pub username: String,
    /// The e-mail address
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,
    /// The address is known to be the person's
    #[arg(long)]
    pub email_verified: bool,
    /// Read the password from standard input; one line end is stripped
    #[arg(long)]
    pub password_stdin: bool,
    /// What else is known, such as "name=Alice Example"; may be repeated. See: grantor claim list
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    pub claims: Vec<String>,
    /// A role to hold; may be repeated
    #[arg(long = "role", value_name = "NAME")]
    pub roles: Vec<String>,
}

/// Changes of what is known of a person.
#[derive(Debug, Args)]
pub struct Update {
    /// The user's name or identifier
    pub user: String,
    /// The e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Whether the address is known to be the person's [default for another address: false]
    #[arg(long, value_name = "BOOL")]
    email_verified: Option<bool>,
    /// What else is known, such as "name=Alice Example", or name= to remove; may be repeated
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<String>,
}

impl Update {
    /// What was given.
    pub fn change(&self) -> Result<AccountChange, CommandError> {
        if self.email.is_none() && self.email_verified.is_none() && self.claims.is_empty() {
            return Err(CommandError::new("invalid_request", "nothing to change was given"));
        }
        Ok(AccountChange {
            email: self.email.clone(),
            email_verified: self.email_verified,
            attributes: attributes(&self.claims)?,
        })
    }
}

/// Claims as they are given, `name=value`.
pub fn attributes(claims: &[String]) -> Result<Vec<AttributeChange>, AccountError> {
    Ok(claims.iter().map(|claim| AttributeChange::parse(claim)).collect::<Result<_, _>>()?)
}

/// A new password, or a link to set one.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("how").required(true).args(["password_stdin", "link"])))]
pub struct SetPassword {
    /// The user's name or identifier
    pub user: String,
    /// Read the password from standard input; one line end is stripped
    #[arg(long)]
    pub password_stdin: bool,
    /// Print a link that works once
    #[arg(long)]
    pub link: bool,
    /// How long the link works, such as 24h, at most 7d [default: passwords.set_password_link_lifetime]
    #[arg(long, value_name = "DURATION", requires = "link", value_parser = link_lifetime)]
    pub expires_in: Option<Duration>,
}

fn link_lifetime(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        lifetime if lifetime.is_zero() || lifetime > LONGEST_LINK => Err("must be from 1s to 7d".to_owned()),
        lifetime => Ok(lifetime),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_lives_for_a_week_at_most() {
        assert_eq!(link_lifetime("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(link_lifetime("7d"), Ok(LONGEST_LINK));
        assert!(link_lifetime("0s").is_err() && link_lifetime("8d").is_err() && link_lifetime("x").is_err());
    }
}
