//! How many refusals a process writes down. Anybody can send requests that are refused; they must not fill a table.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use metrics::counter;
use moka::sync::Cache;

use crate::model::{AuditEventKind, Network};
use crate::telemetry::metrics::AUDIT_EVENTS_LEFT_OUT;

const MINUTE: Duration = Duration::from_secs(60);

/// Refusals of one kind in a minute, from everywhere: a flood of one kind hides no other.
const PER_MINUTE: u32 = 600;

/// Refusals of one kind in a minute from one network, whatever is named: fresh names are no way around the bound.
const PER_NETWORK: u32 = 20;

/// Kinds, networks and names that are counted at a time.
const COUNTED: u64 = 10_000;

/// What happened, from where, and a hash of what was named: whether there is an account of that name makes no
/// difference, or the time that an answer takes would tell it. Some people type their password there, so that no
/// name is kept.
type Sort = (AuditEventKind, Option<Network>, u64);

/// Counts refusals by the minute. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Flood {
    sorts: Cache<Sort, Arc<AtomicU32>>,
    hasher: RandomState,
    networks: Cache<(AuditEventKind, Option<Network>), Arc<AtomicU32>>,
    kinds: Cache<AuditEventKind, Arc<AtomicU32>>,
}

impl Flood {
    pub fn new() -> Self {
        Self {
            sorts: Cache::builder().max_capacity(COUNTED).time_to_live(MINUTE).build(),
            hasher: RandomState::new(),
            networks: Cache::builder().max_capacity(COUNTED).time_to_live(MINUTE).build(),
            kinds: Cache::builder().max_capacity(COUNTED).time_to_live(MINUTE).build(),
        }
    }

    /// Whether this one may be written; if not, it is counted.
    pub fn admits(&self, kind: AuditEventKind, address: Option<IpAddr>, named: &str) -> bool {
        let from = address.map(Network::of);
        let sort = (kind, from, self.hasher.hash_one(named));
        let admitted = count(&self.sorts, sort) < per_minute(kind)
            && count(&self.networks, (kind, from)) < PER_NETWORK
            && count(&self.kinds, kind) < PER_MINUTE;
        if !admitted {
            counter!(AUDIT_EVENTS_LEFT_OUT).increment(1);
        }
        admitted
    }
}

/// How many of this kind and sort a minute may have. Failed sign-ins are throttled by themselves, so that nearly
/// each of them has its row.
const fn per_minute(kind: AuditEventKind) -> u32 {
    match kind {
        AuditEventKind::SignInFailed | AuditEventKind::PasswordChangeFailed => PER_NETWORK,
        _ => 1,
    }
}

/// How many there were before this one, in the minute that the first of them began.
fn count<K: std::hash::Hash + Eq + Send + Sync + 'static>(counts: &Cache<K, Arc<AtomicU32>>, key: K) -> u32 {
    counts.get_with(key, Arc::default).fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: AuditEventKind = AuditEventKind::ClientAuthenticationFailed;

    fn from(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn one_a_minute_for_each_client_and_address() {
        let flood = Flood::new();
        for (client, address, admitted) in [
            ("a", "192.0.2.1", true),
            ("a", "192.0.2.1", false),
            ("a", "::ffff:192.0.2.1", false),
            ("a", "192.0.2.2", true),
            ("b", "192.0.2.1", true),
            ("a", "2001:db8::1", true),
            ("a", "2001:db8::2", false),
            ("a", "2001:db8:0:1::1", true),
        ] {
            assert_eq!(flood.admits(REFUSED, from(address), client), admitted, "{client} {address}");
        }
    }

    #[test]
    fn failed_sign_ins_are_counted_by_the_name_that_was_typed() {
        let (flood, failed) = (Flood::new(), AuditEventKind::SignInFailed);
        let admitted = (0..50).filter(|_| flood.admits(failed, from("192.0.2.1"), "alice")).count();
        assert_eq!(admitted, 20);
        assert!(flood.admits(failed, from("192.0.2.2"), "bob"));
    }

    #[test]
    fn fresh_names_are_no_way_around() {
        let (flood, throttled) = (Flood::new(), AuditEventKind::SignInThrottled);
        let admitted = |n: &u32| flood.admits(throttled, from("192.0.2.1"), &n.to_string());
        assert_eq!((0..900).filter(admitted).count(), PER_NETWORK as usize);
        assert!(flood.admits(throttled, from("192.0.2.2"), "alice"), "elsewhere");
    }

    #[test]
    fn many_addresses_together_have_an_end() {
        let flood = Flood::new();
        let address = |n: u32| Some(IpAddr::from((0x0a00_0000 + n).to_be_bytes()));
        let admitted = (0..5_000).filter(|n| flood.admits(REFUSED, address(*n), "a")).count();
        assert_eq!(admitted, PER_MINUTE as usize);
        assert!(flood.admits(AuditEventKind::SignInFailed, from("192.0.2.1"), "alice"), "another kind");
    }
}
