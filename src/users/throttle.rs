//! Guessing passwords gets slow, for the one who guesses.
//!
//! An attempt is counted before it is made, in the database, so that neither parallel attempts nor several processes
//! outrun the count. It is counted three times: for its network, so that trying one password at many accounts gets
//! slow; for the account seen from that network; and for the account, so that guessing from many networks gets slow.
//!
//! The last would let anybody keep a person out, who need only guess without end. So it holds up neither a browser
//! nor a network in which the person has signed in before, and nothing at all holds up a known browser but its own
//! mistakes.

use std::net::IpAddr;
use std::time::Duration;

use super::known_browser::KnownBrowser;
use super::sign_in::SignInError;
use crate::keys::{MasterKeys, Purpose};
use crate::model::{FoldedName, Network};
use crate::store::{Store, StoreError, ThrottleRule, Throttled};

/// A person may err a few times at one account from one network, or in one known browser.
const PERSON: Patience =
    Patience { free: 5, cap: Duration::from_secs(15 * 60), leak: Duration::from_secs(10 * 60) };

/// A network, which many people may share, more often; and it waits less.
const NETWORK: Patience = Patience { free: 50, cap: Duration::from_secs(60), leak: Duration::from_secs(20) };

/// An account is tried by its owner from a few places; ten networks that have used up what is free are none of them.
const ACCOUNT: Patience = Patience { free: 50, cap: Duration::from_secs(60), leak: Duration::from_secs(120) };

const FIRST_DELAY: Duration = Duration::from_secs(2);

/// How long a network is known after a sign-in.
const NETWORK_IS_KNOWN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How many attempts are free, the longest delay, and how fast attempts are forgotten.
struct Patience {
    free: u32,
    cap: Duration,
    leak: Duration,
}

/// What throttling reaches for.
pub struct Throttle<'a> {
    /// The database.
    pub store: &'a Store,
    /// The key under which names and networks are counted.
    pub keys: &'a MasterKeys,
}

/// An attempt that was counted before it was made.
#[derive(Debug)]
pub struct Counted {
    /// What this person alone has done: forgotten when the password was right.
    own: [u8; 32],
    /// What others may share: there only this attempt is taken back.
    shared: Vec<Vec<u8>>,
    /// The network to remember.
    network: Option<[u8; 32]>,
}

impl Throttle<'_> {
    /// Counts an attempt at an account's password before it is made.
    pub async fn begin(
        &self,
        name: &FoldedName,
        address: IpAddr,
        cookies: &[String],
    ) -> Result<Counted, SignInError> {
        let known = cookies.iter().find_map(|cookie| KnownBrowser::recognize(cookie, name, self.keys));
        match known {
            Some(browser) => self.begin_in_known_browser(name, browser).await,
            None => self.begin_anywhere(name, Network::of(address)).await,
        }
    }

    async fn begin_in_known_browser(
        &self,
        name: &FoldedName,
        browser: KnownBrowser,
    ) -> Result<Counted, SignInError> {
        let own = self.key(b"account and browser", name, browser.nonce());
        self.count(own, &PERSON).await?.map_err(SignInError::Throttled)?;
        Ok(Counted { own, shared: Vec::new(), network: None })
    }

    async fn begin_anywhere(&self, name: &FoldedName, network: Network) -> Result<Counted, SignInError> {
        let nobody = FoldedName::new("");
        let from_network = self.key(b"address", &nobody, &network.octets());
        let own = self.key(b"account and address", name, &network.octets());
        let at_account = self.key(b"account", name, b"");
        // The network first: while it waits, nothing is counted against the accounts that others in it have.
        self.count(from_network, &NETWORK).await?.map_err(SignInError::Throttled)?;
        let mut counted = Counted { own, shared: vec![from_network.to_vec()], network: Some(own) };
        if let Err(throttled) = self.count(own, &PERSON).await? {
            // No password is tried: others in the network do not wait for this.
            self.store.take_back_attempts(&counted.shared).await?;
            return Err(SignInError::Throttled(throttled));
        }
        match self.count(at_account, &ACCOUNT).await? {
            Ok(()) => counted.shared.push(at_account.to_vec()),
            Err(_) if self.store.is_known_network(&own).await? => {}
            Err(throttled) => {
                self.take_back(&counted).await?;
                return Err(SignInError::Throttled(throttled));
            }
        }
        Ok(counted)
    }

    /// The password was right, and the attempt no guess.
    pub async fn settle(&self, counted: &Counted) -> Result<(), StoreError> {
        self.store.forget_attempts(&counted.own).await?;
        if !counted.shared.is_empty() {
            self.store.take_back_attempts(&counted.shared).await?;
        }
        if let Some(network) = &counted.network {
            self.store.remember_network(network, NETWORK_IS_KNOWN).await?;
        }
        Ok(())
    }

    /// No password was tried after all.
    pub async fn take_back(&self, counted: &Counted) -> Result<(), StoreError> {
        let all: Vec<Vec<u8>> = counted.shared.iter().cloned().chain([counted.own.to_vec()]).collect();
        self.store.take_back_attempts(&all).await
    }

    async fn count(&self, key: [u8; 32], patience: &Patience) -> Result<Result<(), Throttled>, StoreError> {
        let Patience { free, cap, leak } = *patience;
        self.store.count_attempt(ThrottleRule { key, free, base: FIRST_DELAY, cap, leak }).await
    }

    /// Keyed, so that the table tells nobody who tried to sign in, or from where.
    fn key(&self, what: &[u8], name: &FoldedName, place: &[u8]) -> [u8; 32] {
        self.keys.current().hmac(Purpose::Throttle, &[what, name.as_str().as_bytes(), place])
    }
}
