//! Signatures that this thread has found right before.
//!
//! An API that introspects asks about the same token with each of its requests, for as long as the token is good. That
//! a signature fits a key and a text is true for ever, so it is computed once; whether the key still counts, and
//! whether the token does, is asked each time.

use std::cell::RefCell;

use aws_lc_rs::digest::{Context, SHA256};

/// How many are remembered, of 32 bytes each. One takes the place of another by chance.
const PLACES: usize = 8_192;

thread_local! {
    static BEFORE: RefCell<Vec<[u8; 32]>> = const { RefCell::new(Vec::new()) };
}

/// SHA-256 over a key and a whole token. Nothing but this very signature by this very key has the same.
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// `key` is what no other key has, in 32 bytes.
    pub fn of(key: &[u8; 32], token: &[&str]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(key);
        token.iter().for_each(|part| context.update(part.as_bytes()));
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(context.finish().as_ref());
        Self(fingerprint)
    }

    /// Whether it was remembered, and nothing came in its place since.
    pub fn is_known(&self) -> bool {
        BEFORE.with_borrow(|before| before.get(self.place()) == Some(&self.0))
    }

    /// Remembers a signature that fits.
    pub fn remember(self) {
        BEFORE.with_borrow_mut(|before| {
            before.resize(PLACES, [0; 32]);
            before[self.place()] = self.0;
        });
    }

    fn place(&self) -> usize {
        usize::from(u16::from_le_bytes([self.0[0], self.0[1]])) % PLACES
    }
}
