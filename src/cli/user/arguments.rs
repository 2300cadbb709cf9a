//! What the commands of `grantor user` take.

use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};

use crate::cli::arguments::duration;

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
    ///   grantor user create --username bob --email bob@example.com --role editor
    ///   grantor user set-password bob --link
    #[command(verbatim_doc_comment)]
    Create(Create),
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
    /// Read the password from standard input; one line end is stripped
    #[arg(long)]
    pub password_stdin: bool,
    /// A role to hold; may be repeated
    #[arg(long = "role", value_name = "NAME")]
    pub roles: Vec<String>,
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
