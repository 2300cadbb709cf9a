//! What several rows ask.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;

use super::Refill;
use crate::load::{Answer, Progress, RequestSource};

/// Requests that were made before, one after the other, and again; each is answered with 200.
pub struct InTurn {
    requests: Vec<Vec<u8>>,
    next: usize,
    /// What the body of a right answer holds.
    expected: &'static [u8],
}

impl InTurn {
    pub fn new(requests: Vec<Vec<u8>>) -> Self {
        Self::expecting(b"", requests)
    }

    pub fn expecting(expected: &'static [u8], requests: Vec<Vec<u8>>) -> Self {
        Self { requests, next: 0, expected }
    }
}

impl RequestSource for InTurn {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        request.extend_from_slice(&self.requests[self.next]);
        self.next = (self.next + 1) % self.requests.len();
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        match memchr::memmem::find(answer.body, self.expected) {
            Some(_) => answer.expect(200),
            None => Progress::Wrong,
        }
    }
}

/// What is used up once: all connections take from it, and it is filled between the turns.
pub struct Supply<T>(Arc<Mutex<VecDeque<T>>>);

impl<T> Clone for Supply<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Supply<T> {
    pub fn new() -> Self {
        Self(Arc::default())
    }

    pub fn take(&self) -> Option<T> {
        self.0.lock().expect("nobody panics").pop_front()
    }

    /// What fills it before each turn by so many as `make` is asked for.
    pub fn refill<F>(&self, make: impl Fn(u64) -> F + 'static) -> Refill
    where
        T: 'static,
        F: Future<Output = Vec<T>> + 'static,
    {
        let supply = self.clone();
        Box::new(move |count| match supply.missing(count) {
            0 => std::future::ready(()).boxed_local(),
            missing => {
                let (supply, more) = (supply.clone(), make(missing));
                async move { supply.add(more.await) }.boxed_local()
            }
        })
    }

    pub fn add(&self, more: impl IntoIterator<Item = T>) {
        self.0.lock().expect("nobody panics").extend(more);
    }

    /// How many are missing, where so many are wanted.
    pub fn missing(&self, wanted: u64) -> u64 {
        wanted.saturating_sub(self.0.lock().expect("nobody panics").len() as u64)
    }
}

/// A member of a JSON answer that is a text without escapes, as tokens are.
pub fn text<'a>(body: &'a [u8], name: &str) -> Option<&'a str> {
    let body = std::str::from_utf8(body).ok()?;
    let mut rest = body;
    loop {
        let (_, after) = rest.split_once(name)?;
        // Some servers write a space after the colon.
        if let Some(value) = after.strip_prefix("\":").and_then(|value| value.trim_start().strip_prefix('"'))
        {
            return value.split_once('"').map(|(value, _)| value);
        }
        rest = after;
    }
}
