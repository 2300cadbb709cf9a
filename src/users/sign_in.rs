//! Signing in with a password, throttled per account and address.

use std::net::IpAddr;

use super::known_browser::KnownBrowser;
use super::session::SessionToken;
use super::throttle::{Counted, Throttle, Waiting};
use super::{Busy, NewPassword, PasswordHasher, Verdict};
use crate::config::Sessions;
use crate::keys::MasterKeys;
use crate::model::{AuditEvent, AuditEventKind, FoldedName, SessionId, SignInRecord};
use crate::secret::Secret;
use crate::store::{NewSession, SessionStart, Store, StoreError, Throttled};
use crate::telemetry::events;
use crate::time::Timestamp;

/// Longest description of a browser in bytes that is kept.
const LONGEST_USER_AGENT: usize = 512;

/// Longest name in bytes that is looked up at all.
const LONGEST_NAME: usize = 320;

/// What signing in reaches for.
pub struct SignIn<'a> {
    /// The database.
    pub store: &'a Store,
    /// The key under which names and addresses are counted.
    pub keys: &'a MasterKeys,
    /// Who has to wait.
    pub waiting: &'a Waiting,
    /// The hashing pool.
    pub passwords: &'a PasswordHasher,
    /// Configured lifetimes of sessions.
    pub lifetimes: &'a Sessions,
}

/// One attempt.
pub struct Attempt<'a> {
    /// The name as it was typed.
    pub username: &'a str,
    /// The password as it was typed.
    pub password: Secret<String>,
    /// Where the attempt comes from.
    pub address: IpAddr,
    /// The browser's own description.
    pub user_agent: Option<&'a str>,
    /// The session that the browser is in.
    pub session: Option<&'a SessionToken>,
    /// The cookies by which the browser may be known.
    pub known_browser: &'a [String],
    /// When the attempt was made.
    pub now: Timestamp,
}

/// Somebody who was signed in.
pub struct SignedIn {
    /// The session.
    pub session: SessionToken,
    /// The cookie by which the browser is known from now on.
    pub known_browser: String,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, a wrong password, or a disabled account: one answer for all.
    #[error("the name or the password is wrong")]
    NotRecognized,
    /// Too many attempts.
    #[error("too many attempts")]
    Throttled(Throttled),
    /// The hashing pool is full.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SignIn<'_> {
    /// Checks the password and starts a session, or lets the person's own go on.
    pub async fn sign_in(&self, attempt: Attempt<'_>) -> Result<SignedIn, SignInError> {
        let name = folded(attempt.username);
        let throttle = self.throttle();
        let asker = throttle.asker(&name, attempt.address, attempt.known_browser);
        if let Some(throttled) = throttle.known_wait(&asker) {
            events::signed_in("throttled");
            return Err(SignInError::Throttled(throttled));
        }
        let _place = self.passwords.queue_up(asker.stranger())?;
        let counted = match throttle.begin(&asker).await {
            Err(error @ SignInError::Throttled(_)) => {
                let account = self.store.sign_in_record(&name).await.unwrap_or_default();
                self.refused(AuditEventKind::SignInThrottled, &name, account.as_ref()).await;
                return Err(error);
            }
            counted => counted?,
        };
        self.counted(&attempt, &name, &counted).await
    }

    /// Some people type their password where the name belongs, so that what was typed is not recorded: only the
    /// account that has this name.
    async fn refused(&self, kind: AuditEventKind, name: &FoldedName, account: Option<&SignInRecord>) {
        let event = match account {
            Some(account) => AuditEvent::about_user(kind, account.id),
            None => AuditEvent::new(kind),
        };
        self.store.record_refusal(event, name.as_str()).await;
    }

    async fn counted(
        &self,
        attempt: &Attempt<'_>,
        name: &FoldedName,
        counted: &Counted,
    ) -> Result<SignedIn, SignInError> {
        let throttle = self.throttle();
        match self.try_twice(attempt, name).await {
            Ok(session) => {
                throttle.settle(counted).await?;
                Ok(SignedIn { session, known_browser: KnownBrowser::introduce(name, self.keys) })
            }
            Err(SignInError::Busy(busy)) => {
                throttle.take_back(counted).await?;
                Err(busy.into())
            }
            Err(SignInError::NotRecognized) => Err(counted.wrong_password()),
            Err(error) => Err(error),
        }
    }

    /// The throttle, for other forms that ask for a password.
    pub fn throttle(&self) -> Throttle<'_> {
        Throttle { waiting: self.waiting, store: self.store, keys: self.keys }
    }

    async fn try_twice(&self, attempt: &Attempt<'_>, name: &FoldedName) -> Result<SessionToken, SignInError> {
        for _ in 0..2 {
            if let Some(token) = self.attempt(attempt, name).await? {
                return Ok(token);
            }
            // The account changed while its password was checked, perhaps only the form of its hash.
        }
        self.refused(AuditEventKind::SignInFailed, name, None).await;
        Err(SignInError::NotRecognized)
    }

    async fn attempt(
        &self,
        attempt: &Attempt<'_>,
        name: &FoldedName,
    ) -> Result<Option<SessionToken>, SignInError> {
        let record = self.store.sign_in_record(name).await?;
        let stored = record.as_ref().and_then(|record| record.password_hash.clone());
        let verdict = self.passwords.verify(&attempt.password, stored).await?;
        let (Verdict::Correct { needs_rehash }, Some(record)) = (verdict, &record) else {
            self.refused(AuditEventKind::SignInFailed, name, record.as_ref()).await;
            return Err(SignInError::NotRecognized);
        };
        let Some(token) = self.start(record, attempt).await? else { return Ok(None) };
        if needs_rehash {
            self.rehash(record, &attempt.password).await?;
        }
        Ok(Some(token))
    }

    async fn start(
        &self,
        record: &SignInRecord,
        attempt: &Attempt<'_>,
    ) -> Result<Option<SessionToken>, StoreError> {
        let Some(password_hash) = &record.password_hash else { return Ok(None) };
        let token = SessionToken::random();
        let previous = attempt.session.map(SessionToken::hash);
        let new = NewSession {
            id: SessionId::random(),
            token_hash: &token.hash(),
            user_id: record.id,
            idle_lifetime: self.lifetimes.idle_lifetime,
            absolute_lifetime: self.lifetimes.absolute_lifetime,
            address: Some(&attempt.address.to_canonical().to_string()),
            user_agent: attempt.user_agent.map(shortened),
        };
        let previous_token_hash = previous.as_ref().map(<[u8; 32]>::as_slice);
        let start = SessionStart { new, previous_token_hash, password_hash: password_hash.expose() };
        let started = self.store.start_session(start, attempt.now).await?;
        Ok(started.then_some(token))
    }

    /// The stored parameters are not the configured ones any more; a failure to store the new hash is
    /// no reason to turn the person away.
    async fn rehash(&self, record: &SignInRecord, password: &Secret<String>) -> Result<(), SignInError> {
        let Ok(new) = self.passwords.hash(NewPassword::known(password)).await else { return Ok(()) };
        if let Some(old) = &record.password_hash {
            self.store.rehash_password(record.id, old, &new).await?;
        }
        Ok(())
    }
}

/// A browser's description is at most so long; a header may be of any length.
fn shortened(user_agent: &str) -> &str {
    user_agent.get(..LONGEST_USER_AGENT).unwrap_or_else(|| {
        let end =
            (0..=LONGEST_USER_AGENT.min(user_agent.len())).rfind(|end| user_agent.is_char_boundary(*end));
        &user_agent[..end.unwrap_or(0)]
    })
}

/// The name as it is looked up and counted. Longer ones exist nowhere.
fn folded(username: &str) -> FoldedName {
    FoldedName::new(username.get(..LONGEST_NAME).unwrap_or(username).trim())
}
