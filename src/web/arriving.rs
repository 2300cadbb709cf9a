//! Memory that bodies take while they arrive.
//!
//! Whoever sends a body slowly holds what has come of it, and there may be many thousands of connections. What is small,
//! as all honest forms are, is always let in, so that nobody who fills the rest keeps others out.

use std::cell::Cell;
use std::rc::Rc;

/// Bytes of a body that are not counted.
const SMALL: usize = 4 * 1024;

/// What the bodies that arrive at one worker hold beyond what is small.
pub struct Arriving {
    held: Cell<usize>,
    most: usize,
}

/// What one body holds, until it is dropped.
pub struct Room {
    arriving: Rc<Arriving>,
    length: usize,
}

impl Arriving {
    /// At most so many bytes.
    pub fn new(most: usize) -> Rc<Self> {
        Rc::new(Self { held: Cell::new(0), most })
    }

    /// For a body that begins.
    pub fn room(self: &Rc<Self>) -> Room {
        Room { arriving: Rc::clone(self), length: 0 }
    }
}

impl Room {
    /// Whether the body may grow to this length.
    pub fn grow_to(&mut self, length: usize) -> bool {
        let held = self.arriving.held.get() - counted(self.length) + counted(length);
        if counted(length) > 0 && held > self.arriving.most {
            return false;
        }
        self.arriving.held.set(held);
        self.length = length;
        true
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.arriving.held.set(self.arriving.held.get() - counted(self.length));
    }
}

fn counted(length: usize) -> usize {
    length.saturating_sub(SMALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_share_a_bound_and_small_ones_are_always_let_in() {
        let arriving = Arriving::new(10_000);
        let (mut one, mut two, mut three) = (arriving.room(), arriving.room(), arriving.room());
        assert!(one.grow_to(SMALL + 4_000) && one.grow_to(SMALL + 6_000));
        assert!(!two.grow_to(SMALL + 4_001) && two.grow_to(SMALL + 4_000));
        assert!(three.grow_to(SMALL) && !three.grow_to(SMALL + 1));
        drop(one);
        assert!(three.grow_to(SMALL + 6_000));
        drop((two, three));
        assert_eq!(arriving.held.get(), 0);
    }
}
