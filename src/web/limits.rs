//! How often an address or a client may ask, counted in this process alone.
//!
//! By default only failures are counted, generously: what succeeds is wanted. The sign-in has a throttle of its own,
//! which all processes share.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;

use super::refused::{Asker, Refused};
use crate::config;
use crate::model::{ClientId, Network};

/// Addresses or clients that are remembered at most by one limit. Beyond them those that come seldom are forgotten,
/// so that nobody fills the memory.
const MOST_KEYS: u64 = 100_000;

/// Longer than a minute of silence nobody has anything left to wait for.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(120);

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// The token endpoint.
    Token,
    /// The introspection endpoint.
    Introspection,
    /// The revocation endpoint.
    Revocation,
    /// UserInfo.
    UserInfo,
    /// The registration endpoint, and each client's own.
    Registration,
    /// The authorization endpoint, and every other page.
    Page,
}

/// The limits of this process.
pub struct Limits {
    failures: Option<Meter<Network>>,
    token: Meters,
    introspection: Meters,
    revocation: Meters,
    userinfo: Meters,
    registration: Meters,
    pages: Meters,
}

/// The limits of one endpoint.
struct Meters {
    addresses: Option<Meter<Network>>,
    clients: Option<Meter<Who>>,
}

/// A client, and where one is that has proved nothing.
type Who = (ClientId, Option<Network>);

impl Endpoint {
    /// Who reads its answers.
    pub fn asker(self) -> Asker {
        if self == Self::Page { Asker::Person } else { Asker::Program }
    }
}

impl Limits {
    /// What is configured.
    pub fn new(config: &config::Limits) -> Self {
        let meters = |addresses, clients| Meters {
            addresses: Meter::per_minute(addresses),
            clients: Meter::per_minute(clients),
        };
        Self {
            failures: Meter::per_minute(config.failures_per_address),
            token: meters(config.token_per_address, config.token_per_client),
            introspection: meters(config.introspection_per_address, config.introspection_per_client),
            revocation: meters(config.revocation_per_address, config.revocation_per_client),
            userinfo: meters(config.userinfo_per_address, config.userinfo_per_client),
            registration: meters(config.registration_per_address, 0),
            pages: meters(config.pages_per_address, 0),
        }
    }

    fn of(&self, endpoint: Endpoint) -> &Meters {
        match endpoint {
            Endpoint::Token => &self.token,
            Endpoint::Introspection => &self.introspection,
            Endpoint::Revocation => &self.revocation,
            Endpoint::UserInfo => &self.userinfo,
            Endpoint::Registration => &self.registration,
            Endpoint::Page => &self.pages,
        }
    }

    /// Counts a request from there, before anything is done for it.
    pub fn request(&self, endpoint: Endpoint, from: Network) -> Result<(), Refused> {
        if endpoint.asker() == Asker::Program
            && let Some(failures) = &self.failures
        {
            failures.look(from)?;
        }
        match &self.of(endpoint).addresses {
            Some(meter) => meter.count(from),
            None => Ok(()),
        }
    }

    /// Counts a request of a client that has proved to be it. A public one, which has proved nothing, is counted
    /// with its address: else anybody could use up what is its.
    pub fn client(
        &self,
        endpoint: Endpoint,
        id: &ClientId,
        unproved: Option<Network>,
    ) -> Result<(), Refused> {
        match &self.of(endpoint).clients {
            Some(meter) => meter.count((id.clone(), unproved)),
            None => Ok(()),
        }
    }

    /// A request of a program from there has failed by its own fault.
    pub fn failed(&self, endpoint: Endpoint, from: Network) {
        if endpoint.asker() == Asker::Program
            && let Some(failures) = &self.failures
        {
            let _ = failures.count(from);
        }
    }
}

/// Counts for each key by itself.
struct Meter<K> {
    quota: Quota,
    started: Instant,
    accounts: Cache<K, Arc<Account>>,
}

struct Account {
    limiter: DefaultDirectRateLimiter,
    /// Microseconds from the meter's start; until then nothing is admitted.
    spent_until: AtomicU64,
}

impl<K: std::hash::Hash + Eq + Send + Sync + 'static> Meter<K> {
    /// As many may come at once as in a minute; `None` for no limit.
    fn per_minute(requests: u32) -> Option<Self> {
        let quota = Quota::per_minute(NonZeroU32::new(requests)?);
        let accounts = Cache::builder().max_capacity(MOST_KEYS).time_to_idle(FORGOTTEN_AFTER).build();
        Some(Self { quota, started: Instant::now(), accounts })
    }

    fn count(&self, key: K) -> Result<(), Refused> {
        let account = self.accounts.get_with(key, || {
            let limiter = RateLimiter::direct(self.quota);
            Arc::new(Account { limiter, spent_until: AtomicU64::new(0) })
        });
        let Err(not_yet) = account.limiter.check() else { return Ok(()) };
        let wait = not_yet.wait_time_from(DefaultClock::default().now());
        account.spent_until.store(micros(self.started.elapsed() + wait), Ordering::Relaxed);
        Err(Refused::TooMany { wait })
    }

    /// Whether anything is left, without counting.
    fn look(&self, key: K) -> Result<(), Refused> {
        let Some(account) = self.accounts.get(&key) else { return Ok(()) };
        let left = account.spent_until.load(Ordering::Relaxed).saturating_sub(micros(self.started.elapsed()));
        if left == 0 { Ok(()) } else { Err(Refused::TooMany { wait: Duration::from_micros(left) }) }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    fn limits(change: impl FnOnce(&mut config::Limits)) -> Limits {
        let mut config = config::Limits {
            failures_per_address: 0,
            token_per_address: 0,
            token_per_client: 0,
            introspection_per_address: 0,
            introspection_per_client: 0,
            revocation_per_address: 0,
            revocation_per_client: 0,
            userinfo_per_address: 0,
            userinfo_per_client: 0,
            registration_per_address: 0,
            pages_per_address: 0,
        };
        change(&mut config);
        Limits::new(&config)
    }

    #[test]
    fn each_endpoint_and_each_address_has_its_own() {
        let limits = limits(|config| config.token_per_address = 2);
        let (one, other) = (network("203.0.113.7"), network("2001:db8::1"));
        assert!((0..2).all(|_| limits.request(Endpoint::Token, one).is_ok()));
        let Err(Refused::TooMany { wait }) = limits.request(Endpoint::Token, one) else {
            panic!("two a minute");
        };
        assert!((20..=30).contains(&wait.as_secs()), "{wait:?}");
        assert!(limits.request(Endpoint::Token, other).is_ok());
        assert!((0..9).all(|_| limits.request(Endpoint::Introspection, one).is_ok()));
        assert!((0..9).all(|_| limits.request(Endpoint::Page, one).is_ok()));
    }

    #[test]
    fn a_client_is_counted_wherever_it_is_and_a_public_one_where_it_says_so() {
        let limits = limits(|config| config.token_per_client = 1);
        let client = ClientId::from("app".to_owned());
        let somewhere = [None, Some(network("203.0.113.7")), Some(network("203.0.113.8"))];
        for unproved in somewhere {
            assert!(limits.client(Endpoint::Token, &client, unproved).is_ok());
            assert!(limits.client(Endpoint::Token, &client, unproved).is_err());
        }
    }

    #[test]
    fn failures_close_the_way_until_they_are_forgotten_and_pages_know_none() {
        let limits = limits(|config| config.failures_per_address = 3);
        let (one, other) = (network("203.0.113.7"), network("203.0.113.8"));
        for _ in 0..3 {
            assert!(limits.request(Endpoint::Token, one).is_ok());
            limits.failed(Endpoint::Token, one);
            limits.failed(Endpoint::Page, one);
        }
        assert!(limits.request(Endpoint::Token, one).is_ok(), "three are in order");
        limits.failed(Endpoint::Revocation, one);
        assert!(limits.request(Endpoint::Token, one).is_err());
        assert!(limits.request(Endpoint::Token, other).is_ok());
        assert!(limits.request(Endpoint::Page, one).is_ok());
    }
}
