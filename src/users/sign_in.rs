//! Signing in with a password, throttled per account and address.

use std::net::IpAddr;
use std::time::Duration;

use super::session::SessionToken;
use super::{Busy, NewPassword, PasswordHasher, Verdict};
use crate::config::Sessions;
use crate::keys::{MasterKeys, Purpose};
use crate::model::{AuditEvent, AuditEventKind, FoldedName, SessionId, SignInRecord};
use crate::secret::Secret;
use crate::store::{NewSession, Store, StoreError, ThrottleRule, Throttled};

/// A person may err a few times at one account from one address.
const PER_ACCOUNT_AND_ADDRESS: Patience =
    Patience { free: 5, cap: Duration::from_secs(15 * 60), leak: Duration::from_secs(10 * 60) };

/// An address, which many people may share, more often; and it waits less.
const PER_ADDRESS: Patience =
    Patience { free: 50, cap: Duration::from_secs(60), leak: Duration::from_secs(20) };

const FIRST_DELAY: Duration = Duration::from_secs(2);

/// How many attempts are free, the longest delay, and how fast attempts are forgotten.
struct Patience {
    free: u32,
    cap: Duration,
    leak: Duration,
}

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

/// An attempt that was counted before it was made.
#[derive(Debug)]
pub struct Counted {
    account_key: [u8; 32],
    address_key: [u8; 32],
}

impl SignIn<'_> {
    /// Checks the password and starts a session.
    pub async fn sign_in(&self, attempt: Attempt<'_>) -> Result<SessionToken, SignInError> {
        let signed_in = self.counted(&attempt).await;
        match &signed_in {
            Err(SignInError::NotRecognized) => self.refused(AuditEventKind::SignInFailed, &attempt).await,
            Err(SignInError::Throttled(_)) => self.refused(AuditEventKind::SignInThrottled, &attempt).await,
            _ => {}
        }
        signed_in
    }

    /// Some people type their password where the name belongs, so that what was typed is not recorded: only the
    /// account that has this name.
    async fn refused(&self, kind: AuditEventKind, attempt: &Attempt<'_>) {
        let account = self.store.sign_in_record(&folded(attempt.username)).await.unwrap_or_default();
        let event = match account {
            Some(account) => AuditEvent::about_user(kind, account.id),
            None => AuditEvent::new(kind),
        };
        self.store.record_refusal(event).await;
    }

    async fn counted(&self, attempt: &Attempt<'_>) -> Result<SessionToken, SignInError> {
        let counted = self.begin(attempt.username, attempt.address).await?;
        let started = match self.attempt(attempt).await? {
            Some(token) => token,
            // The account changed while its password was checked, perhaps only the form of its hash.
            None => self.attempt(attempt).await?.ok_or(SignInError::NotRecognized)?,
        };
        self.settle(counted).await?;
        Ok(started)
    }

    async fn attempt(&self, attempt: &Attempt<'_>) -> Result<Option<SessionToken>, SignInError> {
        let record = self.store.sign_in_record(&folded(attempt.username)).await?;
        let stored = record.as_ref().and_then(|record| record.password_hash.clone());
        let verdict = self.passwords.verify(&attempt.password, stored).await?;
        let (Verdict::Correct { needs_rehash }, Some(record)) = (verdict, record) else {
            return Err(SignInError::NotRecognized);
        };
        let Some(token) = self.start(&record, attempt).await? else { return Ok(None) };
        if needs_rehash {
            self.rehash(&record, &attempt.password).await?;
        }
        Ok(Some(token))
    }

    /// Counts an attempt at an account's password before it is made.
    pub async fn begin(&self, username: &str, address: IpAddr) -> Result<Counted, SignInError> {
        let counted = self.throttle_keys(&folded(username), address);
        // The address first: while it waits, nothing is counted against the accounts that others behind it have.
        self.count(counted.address_key, &PER_ADDRESS).await?;
        let admitted = self.count(counted.account_key, &PER_ACCOUNT_AND_ADDRESS).await;
        if let Err(SignInError::Throttled(_)) = &admitted {
            // No password was tried: others behind the address do not wait for this.
            self.store.take_back_attempt(&counted.address_key).await?;
        }
        admitted.map(|()| counted)
    }

    /// The attempt was no guess: it is taken back.
    pub async fn settle(&self, counted: Counted) -> Result<(), StoreError> {
        self.store.forget_attempts(&counted.account_key).await?;
        self.store.take_back_attempt(&counted.address_key).await
    }

    async fn count(&self, key: [u8; 32], patience: &Patience) -> Result<(), SignInError> {
        let Patience { free, cap, leak } = *patience;
        let rule = ThrottleRule { key, free, base: FIRST_DELAY, cap, leak };
        self.store.count_attempt(rule).await?.map_err(SignInError::Throttled)
    }

    /// Keyed, so that the table tells nobody who tried to sign in. IPv6 counts by its /64, which is one
    /// subscriber's.
    fn throttle_keys(&self, name: &FoldedName, address: IpAddr) -> Counted {
        let octets = match address.to_canonical() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets()[..8].to_vec(),
        };
        let key = self.keys.current();
        Counted {
            account_key: key
                .hmac(Purpose::Throttle, &[b"account and address", name.as_str().as_bytes(), &octets]),
            address_key: key.hmac(Purpose::Throttle, &[b"address", &octets]),
        }
    }

    async fn start(
        &self,
        record: &SignInRecord,
        attempt: &Attempt<'_>,
    ) -> Result<Option<SessionToken>, StoreError> {
        let Some(password_hash) = &record.password_hash else { return Ok(None) };
        let token = SessionToken::random();
        let new = NewSession {
            id: SessionId::random(),
            token_hash: &token.hash(),
            user_id: record.id,
            idle_lifetime: self.lifetimes.idle_lifetime,
            absolute_lifetime: self.lifetimes.absolute_lifetime,
            address: Some(&attempt.address.to_canonical().to_string()),
            user_agent: attempt.user_agent.map(shortened),
        };
        let started = self.store.start_session(new, password_hash.expose()).await?;
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
