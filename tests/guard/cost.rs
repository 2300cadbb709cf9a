//! What is counted.

use std::path::PathBuf;

use super::budget::Tolerance;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Allocations and reallocations on the heap by Rust code.
    Allocations,
    /// Instructions of the worker that answers, without those of the library of cryptography.
    Instructions,
}

impl Cost {
    pub fn named(name: &str) -> Option<Self> {
        [Self::Allocations, Self::Instructions].into_iter().find(|cost| cost.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Allocations => "allocations",
            Self::Instructions => "instructions",
        }
    }

    /// The committed budgets.
    pub fn file(self) -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "tests", "guard", &format!("{}.toml", self.name())].iter().collect()
    }

    /// How far a count may be off its budget.
    pub fn tolerance(self, asks_database: bool) -> Tolerance {
        match (self, asks_database) {
            (Self::Allocations, false) => Tolerance::Count(0),
            // An answer of the database may come in two pieces, and a hash map has a random seed.
            (Self::Allocations, true) => Tolerance::Count(2),
            (Self::Instructions, false) => Tolerance::Percent(3),
            (Self::Instructions, true) => Tolerance::Percent(6),
        }
    }
}
