//! Places in the queue for the hashing threads.
//!
//! Whoever finds no place is sent away before anything is done for him. So the places must not all be taken by one
//! network, nor all by strangers: the browsers in which people have signed in before keep some to themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Busy;
use crate::model::Network;

/// The places of a process. Cheap to clone; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    of_one_network: usize,
    taken: Arc<Mutex<HashMap<Network, usize>>>,
}

/// A place, held until it is dropped.
#[derive(Debug)]
pub struct Place {
    _place: OwnedSemaphorePermit,
    _as_stranger: Option<(OwnedSemaphorePermit, InNetwork)>,
}

/// One of a network's places.
#[derive(Debug)]
struct InNetwork {
    network: Network,
    taken: Arc<Mutex<HashMap<Network, usize>>>,
}

impl Places {
    /// So many; strangers have seven in eight of them, those in a single network six.
    pub fn new(all: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            strangers: Arc::new(Semaphore::new(all * 7 / 8)),
            of_one_network: all * 6 / 8,
            taken: Arc::default(),
        }
    }

    /// Takes a place; `stranger`: for a browser that is not known, from this network.
    pub fn take(&self, stranger: Option<Network>) -> Result<Place, Busy> {
        let as_stranger = match stranger {
            Some(network) => Some((permit(&self.strangers)?, self.take_in(network)?)),
            None => None,
        };
        Ok(Place { _place: permit(&self.all)?, _as_stranger: as_stranger })
    }

    fn take_in(&self, network: Network) -> Result<InNetwork, Busy> {
        let mut taken = lock(&self.taken);
        let here = taken.entry(network).or_default();
        if *here >= self.of_one_network {
            return Err(Busy);
        }
        *here += 1;
        Ok(InNetwork { network, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for InNetwork {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(here) = taken.get_mut(&self.network) {
            *here -= 1;
            if *here == 0 {
                taken.remove(&self.network);
            }
        }
    }
}

fn permit(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Busy> {
    Arc::clone(places).try_acquire_owned().map_err(|_| Busy)
}

fn lock(taken: &Mutex<HashMap<Network, usize>>) -> MutexGuard<'_, HashMap<Network, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Option<Network> {
        Some(Network::of(address.parse().unwrap()))
    }

    fn as_many_as_fit(places: &Places, stranger: Option<Network>) -> Vec<Place> {
        std::iter::from_fn(|| places.take(stranger).ok()).collect()
    }

    #[test]
    fn neither_a_network_nor_all_strangers_take_every_place() {
        let places = Places::new(16);
        let mut one = as_many_as_fit(&places, from("192.0.2.1"));
        assert_eq!(one.len(), 12);
        let others = as_many_as_fit(&places, from("192.0.2.2"));
        assert_eq!(others.len(), 2);
        assert_eq!(places.take(from("192.0.2.3")).err(), Some(Busy));
        let known = as_many_as_fit(&places, None);
        assert_eq!(known.len(), 2);
        one.pop();
        assert!(places.take(from("192.0.2.3")).is_ok());
        drop((one, others, known));
        assert!(lock(&places.taken).is_empty(), "who is gone is not remembered");
        assert_eq!(as_many_as_fit(&places, None).len(), 16);
    }
}
