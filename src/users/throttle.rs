//! Guessing passwords gets slow, for the one who guesses.
//!
//! An attempt is counted before it is made, in the database, so that neither parallel attempts nor several processes
//! outrun the count. It is counted three times: for its network, so that trying one password at many accounts gets
//! slow; for the account seen from that network; and for the account, so that guessing from many networks gets slow.
//!
//! What others do would let anybody keep a person out, who need only guess without end. So it holds up neither a
//! browser nor a network in which the person has signed in before, and nothing at all holds up a known browser but
//! its own mistakes.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use moka::sync::Cache;

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

/// How many that wait a process remembers.
const REMEMBERED: u64 = 10_000;

const FIRST_DELAY: Duration = Duration::from_secs(2);

/// How long a network is known after a sign-in.
const NETWORK_IS_KNOWN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How many attempts are free, the longest delay, and how fast attempts are forgotten.
struct Patience {
    free: u32,
    cap: Duration,
    leak: Duration,
}

/// Who has to wait, as far as this process was told. It is asked before anything is done, so that a flood of
/// attempts that have to wait costs neither statements nor places in the queue. Cheap to clone; clones know the same.
#[derive(Debug, Clone)]
pub struct Waiting(Cache<[u8; 32], Instant>);

impl Waiting {
    /// Nobody waits yet.
    pub fn new() -> Self {
        Self(Cache::builder().max_capacity(REMEMBERED).time_to_live(PERSON.cap).build())
    }

    fn remember(&self, key: [u8; 32], throttled: Throttled) {
        self.0.insert(key, Instant::now() + throttled.retry_after);
    }

    fn of(&self, key: &[u8; 32]) -> Option<Throttled> {
        let retry_after = self.0.get(key)?.checked_duration_since(Instant::now())?;
        (!retry_after.is_zero()).then_some(Throttled { retry_after })
    }
}

impl Default for Waiting {
    fn default() -> Self {
        Self::new()
    }
}

/// Who tries the password of an account.
pub struct Asker<'a> {
    name: &'a FoldedName,
    from: From,
}

enum From {
    /// A browser in which the person has signed in before.
    Known(KnownBrowser),
    /// Anybody in this network.
    Stranger(Network),
}

impl Asker<'_> {
    /// The network of a browser that is not known.
    pub fn stranger(&self) -> Option<Network> {
        match self.from {
            From::Known(_) => None,
            From::Stranger(network) => Some(network),
        }
    }
}

/// What throttling reaches for.
pub struct Throttle<'a> {
    /// Who has to wait.
    pub waiting: &'a Waiting,
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
    /// What others have done would have a stranger wait.
    exceeded: Option<Throttled>,
}

impl Counted {
    /// What to answer where the password was wrong. Where strangers wait, one in a known network must not be told
    /// from them, or anybody there could find out who has signed in from it.
    pub fn wrong_password(&self) -> SignInError {
        self.exceeded.map_or(SignInError::NotRecognized, SignInError::Throttled)
    }
}

impl Throttle<'_> {
    /// Who tries, by the cookies of the browser and by where it is.
    pub fn asker<'n>(&self, name: &'n FoldedName, address: IpAddr, cookies: &[String]) -> Asker<'n> {
        let known = cookies.iter().find_map(|cookie| KnownBrowser::recognize(cookie, name, self.keys));
        Asker { name, from: known.map_or_else(|| From::Stranger(Network::of(address)), From::Known) }
    }

    /// Whether this process knows already that this one has to wait.
    pub fn known_wait(&self, asker: &Asker<'_>) -> Option<Throttled> {
        match &asker.from {
            From::Known(browser) => self.waiting.of(&self.of_browser(asker.name, browser)),
            From::Stranger(network) => self.waiting.of(&self.of_account_and_network(asker.name, *network)),
        }
    }

    /// Counts an attempt at an account's password before it is made.
    pub async fn begin(&self, asker: &Asker<'_>) -> Result<Counted, SignInError> {
        match &asker.from {
            From::Known(browser) => self.begin_in_known_browser(asker.name, browser).await,
            From::Stranger(network) => self.begin_anywhere(asker.name, *network).await,
        }
    }

    async fn begin_in_known_browser(
        &self,
        name: &FoldedName,
        browser: &KnownBrowser,
    ) -> Result<Counted, SignInError> {
        let own = self.of_browser(name, browser);
        self.count_or_wait(own, &PERSON).await?.map_err(SignInError::Throttled)?;
        Ok(Counted { own, shared: Vec::new(), network: None, exceeded: None })
    }

    async fn begin_anywhere(&self, name: &FoldedName, network: Network) -> Result<Counted, SignInError> {
        let own = self.of_account_and_network(name, network);
        let mut counted = Counted { own, shared: Vec::new(), network: Some(own), exceeded: None };
        // The network first: while it waits, nothing is counted against the accounts that others in it have.
        let from_network = self.key(b"address", &FoldedName::new(""), &network.octets());
        self.count_shared(&mut counted, from_network, &NETWORK).await?;
        if let Err(throttled) = self.count_or_wait(own, &PERSON).await? {
            // No password is tried: others in the network do not wait for this.
            self.store.take_back_attempts(&counted.shared).await?;
            return Err(SignInError::Throttled(throttled));
        }
        let at_account = self.key(b"account", name, b"");
        if let Err(error) = self.count_shared(&mut counted, at_account, &ACCOUNT).await {
            self.take_back(&counted).await?;
            return Err(error);
        }
        Ok(counted)
    }

    /// Counts what others do, too: in the network, or at the account. It holds up nobody in a network from which
    /// the person has signed in before.
    async fn count_shared(
        &self,
        counted: &mut Counted,
        key: [u8; 32],
        patience: &Patience,
    ) -> Result<(), SignInError> {
        match self.count(key, patience).await? {
            Ok(()) => counted.shared.push(key.to_vec()),
            Err(throttled) if self.store.is_known_network(&counted.own).await? => {
                counted.exceeded = Some(throttled);
            }
            Err(throttled) => {
                self.waiting.remember(counted.own, throttled);
                return Err(SignInError::Throttled(throttled));
            }
        }
        Ok(())
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

    /// Counts what is this one's own, and remembers who has to wait.
    async fn count_or_wait(
        &self,
        key: [u8; 32],
        patience: &Patience,
    ) -> Result<Result<(), Throttled>, StoreError> {
        let counted = self.count(key, patience).await?;
        if let Err(throttled) = counted {
            self.waiting.remember(key, throttled);
        }
        Ok(counted)
    }

    async fn count(&self, key: [u8; 32], patience: &Patience) -> Result<Result<(), Throttled>, StoreError> {
        let Patience { free, cap, leak } = *patience;
        self.store.count_attempt(ThrottleRule { key, free, base: FIRST_DELAY, cap, leak }).await
    }

    fn of_browser(&self, name: &FoldedName, browser: &KnownBrowser) -> [u8; 32] {
        self.key(b"account and browser", name, browser.nonce())
    }

    fn of_account_and_network(&self, name: &FoldedName, network: Network) -> [u8; 32] {
        self.key(b"account and address", name, &network.octets())
    }

    /// Keyed, so that the table tells nobody who tried to sign in, or from where.
    fn key(&self, what: &[u8], name: &FoldedName, place: &[u8]) -> [u8; 32] {
        self.keys.current().hmac(Purpose::Throttle, &[what, name.as_str().as_bytes(), place])
    }
}
