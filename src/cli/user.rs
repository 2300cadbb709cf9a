//! `grantor user`.

mod arguments;
mod view;

use serde_json::json;
use uuid::Uuid;

pub(super) use self::arguments::Command;
use self::arguments::{Create, SetPassword, Update, attributes};
use self::view::{UserView, describe, list};
use super::arguments::password_from_stdin;
use super::output::print;
use super::{CommandError, Context};
use crate::model::{FoldedName, User};
use crate::time::Timestamp;
use crate::users::NewAccount;

pub(super) async fn run(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::Create(arguments) => create(arguments, context).await,
        Command::List => {
            let users = context.store.users().await?;
            let views: Vec<_> = users.iter().map(UserView::from).collect();
            print(context.json, &views, || list(&users))
        }
        Command::Show { user } => {
            let user = find(&user, context).await?;
            print(context.json, &UserView::from(&user), || describe(&user))
        }
        Command::Disable { user } => {
            let user = find(&user, context).await?;
            found(context.store.disable_user(user.id).await?)?;
            done(context, &user, "disabled", "is disabled; all sessions and tokens have ended")
        }
        Command::Enable { user } => {
            let user = find(&user, context).await?;
            found(context.store.enable_user(user.id).await?)?;
            done(context, &user, "enabled", "is enabled")
        }
        Command::Delete { user } => {
            let user = find(&user, context).await?;
            found(context.store.delete_user(user.id).await?)?;
            done(context, &user, "deleted", "is deleted; all sessions and tokens have ended")
        }
        Command::Update(arguments) => update(arguments, context).await,
        Command::SetPassword(arguments) => set_password(arguments, context).await,
        Command::SetRoles { user, roles } => {
            let user = find(&user, context).await?;
            context.accounts()?.set_roles(user.id, roles).await?;
            let user = context.store.user(user.id).await?.ok_or_else(no_such_user)?;
            print(context.json, &UserView::from(&user), || describe(&user))
        }
    }
}

fn no_such_user() -> CommandError {
    CommandError::not_found("there is no such user; see: grantor user list")
}

fn found(found: bool) -> Result<(), CommandError> {
    if found { Ok(()) } else { Err(no_such_user()) }
}

/// By name, else by identifier: no name has an identifier's form.
pub(super) async fn find(user: &str, context: &Context) -> Result<User, CommandError> {
    let found = match Uuid::try_parse(user) {
        Ok(id) => context.store.user(id.into()).await?,
        Err(_) => context.store.user_by_name(&FoldedName::new(user)).await?,
    };
    found.ok_or_else(no_such_user)
}

fn done(context: &Context, user: &User, key: &str, words: &str) -> Result<(), CommandError> {
    print(context.json, &json!({ "id": user.id, "username": user.username, key: true }), || {
        format!("The user {} {words}.", user.username)
    })
}

async fn create(arguments: Create, context: &Context) -> Result<(), CommandError> {
    let Create { username, email, email_verified, password_stdin, claims, roles } = arguments;
    let attributes = attributes(&claims)?;
    let password = if password_stdin { Some(password_from_stdin()?) } else { None };
    let has_password = password.is_some();
    let account = NewAccount { username, email, password, email_verified, attributes, roles };
    let user = context.accounts()?.create(account, Timestamp::now()).await?;
    print(context.json, &UserView::from(&user), || {
        let mut text = format!("Made the user {}.\n\n{}", user.username, describe(&user));
        if !has_password {
            text.push_str("\nThere is no password yet. Make a link to set one with:\n");
            text.push_str(&format!("  grantor user set-password {} --link\n", user.id));
        }
        text
    })
}

async fn update(arguments: Update, context: &Context) -> Result<(), CommandError> {
    let change = arguments.change()?;
    let user = find(&arguments.user, context).await?;
    let user = context.accounts()?.update(user.id, &change).await?;
    print(context.json, &UserView::from(&user), || describe(&user))
}

async fn set_password(arguments: SetPassword, context: &Context) -> Result<(), CommandError> {
    let user = find(&arguments.user, context).await?;
    let accounts = context.accounts()?;
    if arguments.password_stdin {
        accounts.set_password(&user, &password_from_stdin()?).await?;
        return done(
            context,
            &user,
            "password_set",
            "has a new password; all sessions and tokens have ended",
        );
    }
    let lifetime = arguments.expires_in.unwrap_or(context.config.passwords.set_password_link_lifetime);
    let link = accounts.create_set_password_link(&user, lifetime).await?;
    let url = context.config.issuer.endpoint(&format!("/password/set?token={}", link.token.expose()));
    let value =
        json!({ "id": user.id, "username": user.username, "link": url, "expires_at": link.expires_at });
    print(context.json, &value, || {
        format!(
            "{url}\n\nWith this link {} sets a new password, once, until {}. Earlier links have ended.",
            user.username, link.expires_at
        )
    })
}
