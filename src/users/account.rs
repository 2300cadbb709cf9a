//! Accounts: what operators and the people themselves do with them.

use std::time::Duration;

use serde_json::Map;

use super::argon2id::Verdict;
use super::attributes::{self, AttributeChange, AttributeProblem};
use super::password::{NewPassword, PasswordProblem};
use super::password_hasher::{Busy, PasswordHasher};
use super::session::SessionToken;
use crate::model::{Actor, AuditEvent, AuditEventKind, NameProblem, SessionId, User, UserId, check_name};
use crate::secret::{Secret, TokenKind, random_bytes, sha256};
use crate::store::{KeptSession, Store, StoreError};
use crate::time::Timestamp;

/// The longest user name, in characters.
pub const MAX_USERNAME_CHARACTERS: usize = 100;

/// The longest e-mail address, in bytes (RFC 5321 §4.5.3.1.3, less the angle brackets).
pub const MAX_EMAIL_BYTES: usize = 254;

/// What an account begins with.
#[derive(Debug)]
pub struct NewAccount {
    /// The name to sign in with.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The first password; without one the person sets it through a link.
    pub password: Option<Secret<String>>,
    /// Whether it is known that the address is the person's.
    pub email_verified: bool,
    /// What else is known of the person.
    pub attributes: Vec<AttributeChange>,
    /// Names of the roles held.
    pub roles: Vec<String>,
}

/// What is changed of an account; the rest stays.
#[derive(Debug, Default)]
pub struct AccountChange {
    /// Another e-mail address. It is not known to be the person's unless that is said too.
    pub email: Option<String>,
    /// Whether it is known that the address is the person's.
    pub email_verified: Option<bool>,
    /// What else is known of the person.
    pub attributes: Vec<AttributeChange>,
}

/// A one-time link's token. It is not kept, only its hash is.
#[derive(Debug)]
pub struct SetPasswordLink {
    /// The value of `token` in the link.
    pub token: Secret<String>,
    /// Its end, by the database's clock.
    pub expires_at: Timestamp,
}

/// Why something was not done to an account.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The user name is not one.
    #[error("the user name {0}")]
    Username(NameProblem),
    /// Users are also named by their identifiers, so no name may look like one.
    #[error("the user name must not have the form of an identifier (UUID)")]
    UsernameIsUuid,
    /// The e-mail address is not one.
    #[error(
        "the e-mail address must have the form name@domain, without blanks, of at most {MAX_EMAIL_BYTES} bytes"
    )]
    Email,
    /// A value of a claim is not one.
    #[error(transparent)]
    Attribute(#[from] AttributeProblem),
    /// The password cannot be one.
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    /// Roles that do not exist.
    #[error("there is no role {0:?}; make it with: grantor role create {0:?}")]
    UnknownRole(String),
    /// A link would not work.
    #[error("the user {0} is disabled; switch the account on with: grantor user enable {0}")]
    Disabled(String),
    /// The account does not exist (any more).
    #[error("there is no such user")]
    NotFound,
    /// The present password is another one, or was changed meanwhile.
    #[error("the current password is not correct")]
    WrongPassword,
    /// The link was used, has expired or never was.
    #[error("this link has been used or has expired")]
    LinkInvalid,
    /// All hashing threads are at work and the queue is full.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The accounts and what may be done with them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    hasher: PasswordHasher,
    min_length: usize,
}

impl Accounts {
    /// With the least number of characters that a new password must have.
    pub fn new(store: Store, hasher: PasswordHasher, min_length: usize) -> Self {
        Self { store, hasher, min_length }
    }

    /// Makes an account.
    pub async fn create(&self, account: NewAccount, now: Timestamp) -> Result<User, AccountError> {
        check_username(&account.username)?;
        check_email(&account.email)?;
        let password = account.password.as_ref();
        let password =
            password.map(|text| self.check(text, &account.username, &account.email)).transpose()?;
        self.check_roles(&account.roles).await?;
        let mut claims = Map::new();
        attributes::apply(&account.attributes, &mut claims)?;
        let hash = match password {
            Some(password) => Some(self.hasher.hash(password).await?),
            None => None,
        };
        let user = User {
            id: UserId::random(),
            username: account.username,
            email: account.email,
            email_verified: account.email_verified,
            claims,
            roles: without_repetition(account.roles),
            disabled_at: None,
            created_at: now,
            updated_at: now,
        };
        match self.store.insert_user(&user, hash.as_ref()).await? {
            Ok(()) => Ok(user),
            Err(unknown) => Err(AttributeProblem::Unknown(unknown).into()),
        }
    }

    /// Changes e-mail address and attributes; the account as it is from now on.
    pub async fn update(&self, user: UserId, change: &AccountChange) -> Result<User, AccountError> {
        if let Some(email) = &change.email {
            check_email(email)?;
        }
        self.store.repeatedly(async || self.update_once(user, change).await).await
    }

    async fn update_once(&self, user: UserId, change: &AccountChange) -> Result<User, AccountError> {
        let changing = self.store.change_user(user).await?.ok_or(AccountError::NotFound)?;
        let mut user = changing.user().clone();
        let is_another = change.email.as_ref().is_some_and(|email| *email != user.email);
        user.email_verified = change.email_verified.unwrap_or(user.email_verified && !is_another);
        if let Some(email) = &change.email {
            user.email.clone_from(email);
        }
        attributes::apply(&change.attributes, &mut user.claims)?;
        match changing.write(user).await? {
            Ok(user) => Ok(user),
            Err(unknown) => Err(AttributeProblem::Unknown(unknown).into()),
        }
    }

    /// Replaces all roles of a person.
    pub async fn set_roles(&self, user: UserId, roles: Vec<String>) -> Result<(), AccountError> {
        self.check_roles(&roles).await?;
        Ok(self.store.set_user_roles(user, &without_repetition(roles)).await?)
    }

    /// Sets a password by an operator's power; ends all sessions and grants of the person.
    pub async fn set_password(&self, user: &User, password: &Secret<String>) -> Result<(), AccountError> {
        let password = self.check(password, &user.username, &user.email)?;
        let hash = self.hasher.hash(password).await?;
        if self.store.set_password(user.id, &hash).await? { Ok(()) } else { Err(AccountError::NotFound) }
    }

    /// A person changes the own password: all grants, and all sessions but this one, end. The cookie of this one from
    /// now on.
    pub async fn change_own_password(
        &self,
        user: UserId,
        session: SessionId,
        current: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<SessionToken, AccountError> {
        let record = self.store.sign_in_record_of(user).await?.ok_or(AccountError::NotFound)?;
        let verdict = self.hasher.verify(current, record.password_hash.clone()).await?;
        let (Verdict::Correct { .. }, Some(old)) = (verdict, record.password_hash) else {
            let event = AuditEvent::about_user(AuditEventKind::PasswordChangeFailed, user);
            self.store.record_refusal(event.by(Actor::User(user)), &user.to_string()).await;
            return Err(AccountError::WrongPassword);
        };
        let new = self.check(new, &record.username, &record.email)?;
        let new = self.hasher.hash(new).await?;
        let token = SessionToken::random();
        let keep = KeptSession { id: session, token_hash: &token.hash() };
        if self.store.change_password(user, &old, &new, keep).await? {
            Ok(token)
        } else {
            Err(AccountError::WrongPassword)
        }
    }

    /// Makes a one-time link for a person to set a password. Earlier ones end.
    pub async fn create_set_password_link(
        &self,
        user: &User,
        lifetime: Duration,
    ) -> Result<SetPasswordLink, AccountError> {
        if user.disabled_at.is_some() {
            return Err(AccountError::Disabled(user.username.clone()));
        }
        let secret: [u8; 32] = random_bytes();
        let expires_at = self.store.insert_set_password_link(user.id, &sha256(&secret), lifetime).await?;
        Ok(SetPasswordLink { token: TokenKind::SetPassword.encode(&secret), expires_at })
    }

    /// Whose password this token may set.
    pub async fn set_password_link_user(&self, token: &str, now: Timestamp) -> Result<User, AccountError> {
        let hash = link_hash(token)?;
        self.store.set_password_link_user(&hash, now).await?.ok_or(AccountError::LinkInvalid)
    }

    /// Sets the password through a link, which works once; ends all sessions and grants of the person.
    /// A refused password does not use the link up.
    pub async fn use_set_password_link(
        &self,
        token: &str,
        password: &Secret<String>,
        now: Timestamp,
    ) -> Result<User, AccountError> {
        let user = self.set_password_link_user(token, now).await?;
        let password = self.check(password, &user.username, &user.email)?;
        let hash = self.hasher.hash(password).await?;
        let used = self.store.use_set_password_link(&link_hash(token)?, &hash, now).await?;
        if used { Ok(user) } else { Err(AccountError::LinkInvalid) }
    }

    fn check(
        &self,
        text: &Secret<String>,
        username: &str,
        email: &str,
    ) -> Result<NewPassword, PasswordProblem> {
        NewPassword::check(text, self.min_length, username, email)
    }

    async fn check_roles(&self, names: &[String]) -> Result<(), AccountError> {
        if names.is_empty() {
            return Ok(());
        }
        let known = self.store.roles().await?;
        match names.iter().find(|name| !known.iter().any(|role| role.name == **name)) {
            Some(unknown) => Err(AccountError::UnknownRole(unknown.clone())),
            None => Ok(()),
        }
    }
}

fn link_hash(token: &str) -> Result<[u8; 32], AccountError> {
    let secret = TokenKind::SetPassword.decode::<32>(token).ok_or(AccountError::LinkInvalid)?;
    Ok(sha256(&secret))
}

fn check_username(username: &str) -> Result<(), AccountError> {
    check_name(username, MAX_USERNAME_CHARACTERS).map_err(AccountError::Username)?;
    if uuid::Uuid::try_parse(username).is_ok() { Err(AccountError::UsernameIsUuid) } else { Ok(()) }
}

/// One `@` with something on both sides; whether mail arrives is known only by sending some.
fn check_email(email: &str) -> Result<(), AccountError> {
    let parts_fit = email.rsplit_once('@').is_some_and(|(mailbox, domain)| {
        !mailbox.is_empty() && !mailbox.contains('@') && !domain.is_empty() && !domain.starts_with('.')
    });
    let characters_fit = check_name(email, MAX_EMAIL_BYTES).is_ok() && !email.contains(char::is_whitespace);
    if parts_fit && characters_fit && email.len() <= MAX_EMAIL_BYTES {
        Ok(())
    } else {
        Err(AccountError::Email)
    }
}

fn without_repetition(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_checked() {
        let longest = "n".repeat(MAX_USERNAME_CHARACTERS);
        for (username, fits) in [
            ("alice", true),
            ("Ælfgifu of Northampton", true),
            (longest.as_str(), true),
            (&format!("{longest}n"), false),
            ("", false),
            ("a\0b", false),
            (" alice", false),
            ("8c5bb1d2-0bc5-4a2c-8d9e-3f0a1b2c3d4e", false),
            ("8C5BB1D20BC54A2C8D9E3F0A1B2C3D4E", false),
        ] {
            assert_eq!(check_username(username).is_ok(), fits, "{username:?}");
        }
    }

    #[test]
    fn addresses_are_checked() {
        for (email, fits) in [
            ("alice@example.com", true),
            ("jose\u{301}@b\u{fc}cher.example", true),
            ("root@localhost", true),
            ("", false),
            ("alice", false),
            ("@example.com", false),
            ("alice@", false),
            ("alice@.com", false),
            ("a@b@example.com", false),
            ("alice @example.com", false),
            ("alice@example.com\r\nBcc: all@example.com", false),
            (&format!("{}@example.com", "a".repeat(243)), false),
        ] {
            assert_eq!(check_email(email).is_ok(), fits, "{email:?}");
        }
    }

    #[test]
    fn a_link_token_of_another_kind_is_no_link() {
        let token = TokenKind::ClientSecret.encode(&[1; 32]);
        assert!(matches!(link_hash(token.expose()), Err(AccountError::LinkInvalid)));
        let token = TokenKind::SetPassword.encode(&[1; 32]);
        assert_eq!(link_hash(token.expose()).unwrap(), sha256(&[1; 32]));
    }
}
