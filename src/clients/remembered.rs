//! Clients that were asked for before.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

use crate::model::{Client, ClientId};

/// So many clients, those that were asked for last, are remembered for sure, and at most twice as many.
const GENERATION: usize = 20_000;

/// Clients by their identifiers. When one generation is full, the next begins, and the one before it is forgotten
/// but for those that were asked for again.
#[derive(Default)]
pub(super) struct Remembered(RwLock<Generations>);

#[derive(Default)]
struct Generations {
    young: HashSet<ById>,
    old: HashSet<ById>,
}

/// A client as its own key.
struct ById(Arc<Client>);

impl Remembered {
    pub fn get(&self, id: &ClientId) -> Option<Arc<Client>> {
        let generations = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(ById(client)) = generations.young.get(id) {
            return Some(Arc::clone(client));
        }
        let client = Arc::clone(&generations.old.get(id)?.0);
        drop(generations);
        // Not in place of what was read of it meanwhile.
        self.add(|young| young.insert(ById(Arc::clone(&client))));
        Some(client)
    }

    /// Remembers a client as it was just read.
    pub fn insert(&self, client: Arc<Client>) {
        self.add(|young| young.replace(ById(client)).is_none());
    }

    #[expect(clippy::mutable_key_type, reason = "hash and comparison see the identifier alone")]
    fn add(&self, add: impl FnOnce(&mut HashSet<ById>) -> bool) {
        let mut generations = self.0.write().unwrap_or_else(PoisonError::into_inner);
        add(&mut generations.young);
        if generations.young.len() >= GENERATION {
            let full = mem::take(&mut generations.young);
            let forgotten = mem::replace(&mut generations.old, full);
            // Nobody waits while they go.
            drop(generations);
            drop(forgotten);
        }
    }
}

impl Borrow<ClientId> for ById {
    fn borrow(&self) -> &ClientId {
        &self.0.id
    }
}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::samples;

    fn id(number: usize) -> ClientId {
        ClientId::from(number.to_string())
    }

    fn client(number: usize, name: &str) -> Arc<Client> {
        Arc::new(Client { id: id(number), name: name.to_owned(), ..samples::client() })
    }

    fn name(remembered: &Remembered, number: usize) -> Option<String> {
        remembered.get(&id(number)).map(|client| client.name.clone())
    }

    #[test]
    fn the_last_that_were_asked_for_stay_and_the_others_go() {
        let remembered = Remembered::default();
        for number in 0..3 * GENERATION {
            remembered.insert(client(number, "App"));
            assert!(remembered.get(&id(0)).is_some(), "{number}");
        }
        assert!((2 * GENERATION + 1..3 * GENERATION).all(|number| name(&remembered, number).is_some()));
        assert!(name(&remembered, 1).is_none());
        let generations = remembered.0.into_inner().unwrap();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION);
    }

    #[test]
    fn what_was_read_last_counts() {
        let remembered = Remembered::default();
        remembered.insert(client(0, "old"));
        (1..GENERATION).for_each(|number| remembered.insert(client(number, "App")));
        remembered.insert(client(0, "new"));
        assert_eq!(name(&remembered, 0).as_deref(), Some("new"));
        remembered.insert(client(0, "newest"));
        assert_eq!(name(&remembered, 0).as_deref(), Some("newest"));
    }
}
